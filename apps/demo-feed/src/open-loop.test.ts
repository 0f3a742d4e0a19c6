import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpenLoop } from './open-loop.ts'

test('messages are due at a steady rate from the start, in whole ms', () => {
  const loop = new OpenLoop(3000, 1000.25)
  assert.deepEqual(
    [0, 1, 2, 3, 4, 3000].map((i) => loop.dueAt(i)),
    [1000.25, 1000.25, 1000.25, 1001.25, 1001.25, 2000.25],
  )
})

test('an abort ends the wait for a message', async () => {
  const stop = new AbortController()
  const waiting = new OpenLoop(0.001).due(1, stop.signal)
  stop.abort()
  await assert.rejects(waiting, { name: 'AbortError' })
})
