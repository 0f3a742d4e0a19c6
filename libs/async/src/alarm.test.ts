import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Alarm } from './alarm.ts'
import type { Clock } from './clock.ts'

/** Sleeps end when the test says so. */
function handClock(): Clock & { sleeps: { ms: number; wake: () => void }[]; time: number } {
  const clock = {
    time: 0,
    sleeps: [] as { ms: number; wake: () => void }[],
    now: () => clock.time,
    monotonic: () => clock.time,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error))
        clock.sleeps.push({ ms, wake: resolve })
      }),
  }
  return clock
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('an alarm rings once, at the earliest time that was set, and can be set again', async () => {
  const clock = handClock()
  let rings = 0
  const alarm = new Alarm(clock, () => rings++)
  alarm.set(200)
  alarm.set(300)
  alarm.set(100)
  assert.deepEqual(
    clock.sleeps.map(({ ms }) => ms),
    [200, 100],
    'a later time needs no timer',
  )
  clock.time = 100
  clock.sleeps[1]!.wake()
  await turn()
  assert.equal(rings, 1)
  clock.sleeps[0]!.wake()
  await turn()
  assert.equal(rings, 1, 'what was set for a later time has rung already')
  alarm.set(400)
  clock.sleeps[2]!.wake()
  await turn()
  assert.equal(rings, 2)
})

test('a closed alarm does not ring', async () => {
  const clock = handClock()
  const alarm = new Alarm(clock, () => assert.fail('rang'))
  alarm.set(100)
  alarm.close()
  clock.sleeps[0]!.wake()
  alarm.set(50)
  await turn()
  assert.equal(clock.sleeps.length, 1)
})
