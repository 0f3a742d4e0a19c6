import assert from 'node:assert/strict'
import test from 'node:test'
import { Burst } from './message-queue.ts'

test('messages of one callback share a time and are counted together; the next callback starts a new burst', async () => {
  let now = 1000
  const reported: [messages: number, bytes: number][] = []
  const clock = { now: () => now++, monotonic: () => 0, sleep: () => Promise.resolve() }
  const burst = new Burst(clock, (messages, bytes) => reported.push([messages, bytes]))
  const { promise, resolve } = Promise.withResolvers<number>()
  process.nextTick(() => {
    assert.deepEqual([burst.at, burst.at], [1000, 1000])
    burst.add(1, 10)
    burst.add(1, 5)
    resolve(burst.at)
    assert.deepEqual(reported, [])
  })
  assert.equal(await promise, 1000)
  assert.deepEqual(reported, [[2, 15]], 'called before promises that the messages resolved')
  assert.equal(burst.at, 1001)
  await new Promise(setImmediate)
  assert.equal(reported.length, 1, 'an empty burst is not reported')
})
