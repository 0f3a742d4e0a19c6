import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abortable, backoffMs, wait } from './backoff.ts'

test('the wait doubles up to ten times the base, within 20 %', () => {
  const waits = [1, 2, 3, 4, 5, 50].map((tries) => backoffMs(100, tries, () => 0.5))
  assert.deepEqual(waits, [100, 200, 400, 800, 1_000, 1_000])
  assert.equal(
    backoffMs(100, 1, () => 0),
    80,
  )
})

test('what can be aborted rejects with the reason of its signal', async () => {
  const stop = new AbortController()
  const reason = new Error('stop')
  const waiting = [abortable(new Promise<void>(() => undefined), stop.signal), wait(60_000, stop.signal)]
  stop.abort(reason)
  for (const result of await Promise.allSettled(waiting)) {
    assert.ok(result.status === 'rejected' && result.reason === reason)
  }
  await assert.rejects(abortable(new Promise<void>(() => undefined), stop.signal), reason)
  assert.equal(await abortable(Promise.resolve(1), new AbortController().signal), 1)
})
