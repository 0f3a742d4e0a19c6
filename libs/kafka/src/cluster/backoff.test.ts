import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abortable, Backoff, sleep } from './backoff.ts'

test('waits double up to the most, stay within a fifth of it, and begin anew after a reset', () => {
  const middle = new Backoff(100, 1000, () => 0.5)
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map(() => middle.next()),
    [100, 200, 400, 800, 1000, 1000],
  )
  middle.reset()
  assert.equal(middle.next(), 100)
  assert.equal(new Backoff(100, 1000, () => 0).next(), 80)
  assert.equal(new Backoff(100, 1000, () => 0.999999).next().toFixed(0), '120')
})

test('a wait and a promise that never settles end with the reason of the signal', async () => {
  for (const wait of [
    (s: AbortSignal) => sleep(60_000, s),
    (s: AbortSignal) => abortable(new Promise(() => undefined), s),
  ]) {
    const controller = new AbortController()
    const waiting = wait(controller.signal)
    controller.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    await assert.rejects(wait(AbortSignal.abort(new Error('before'))), /before/)
  }
})
