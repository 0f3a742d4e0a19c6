import assert from 'node:assert/strict'
import test from 'node:test'
import { Burst } from './message-queue.ts'

test('messages of one callback share a time and are counted together, those of the next one anew', async () => {
  let now = 1000
  const told: [messages: number, bytes: number][] = []
  const clock = { now: () => now++, monotonic: () => 0, sleep: () => Promise.resolve() }
  const burst = new Burst(clock, (messages, bytes) => told.push([messages, bytes]))
  const { promise, resolve } = Promise.withResolvers<number>()
  process.nextTick(() => {
    assert.deepEqual([burst.at, burst.at], [1000, 1000])
    burst.add(10)
    burst.add(5)
    resolve(burst.at)
    assert.deepEqual(told, [])
  })
  assert.equal(await promise, 1000)
  assert.deepEqual(told, [[2, 15]], 'told before what the messages resolved is seen')
  assert.equal(burst.at, 1001)
  await new Promise(setImmediate)
  assert.equal(told.length, 1, 'a burst of which nothing was taken is not told')
})
