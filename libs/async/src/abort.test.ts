import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { abortable, sleep } from './abort.ts'
import { Gate } from './gate.ts'

test('a wait that is aborted rejects with the reason of the signal and leaves no listener behind', async () => {
  for (const wait of [
    (signal: AbortSignal) => abortable(new Promise(() => {}), signal),
    (signal: AbortSignal) => sleep(60_000, signal),
    (signal: AbortSignal) => new Gate(false).passed(signal),
  ]) {
    const ending = new AbortController()
    const waiting = wait(ending.signal)
    const reason = new Error('enough')
    ending.abort(reason)
    await assert.rejects(waiting, reason)
    assert.equal(getEventListeners(ending.signal, 'abort').length, 0)
    await assert.rejects(wait(ending.signal), reason)
  }
})

test('a wait that ends by itself leaves no listener behind', async () => {
  const { signal } = new AbortController()
  assert.equal(await abortable(Promise.resolve(7), signal), 7)
  await sleep(1, signal)
  const gate = new Gate(false)
  setImmediate(() => gate.open())
  await gate.passed(signal)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
