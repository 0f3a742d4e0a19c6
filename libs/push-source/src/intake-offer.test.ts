import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRig, never, range } from './testing.ts'

test('messages of a read are offered while take waits, and take returns them if nobody can pass them on', async () => {
  const taken: string[] = []
  let passes = true
  const rig = createRig('', 0, 100, {
    overflow: 'pause',
    offer: () => {
      if (passes) taken.push(...rig.intake.takeNow(3))
      return passes
    },
  })
  rig.push(0, 2)
  assert.deepEqual(await rig.intake.take(10, 60_000, never), ['0', '1'], 'nobody waited')
  const waiting = rig.intake.take(10, 60_000, never)
  rig.push(2, 9)
  assert.deepEqual(taken.map(Number), range(2, 9), 'as many offers as it needs')
  assert.deepEqual([rig.stats.queueSize, rig.stats.messagesReceived], [0, 9])
  passes = false
  rig.push(9, 11)
  assert.deepEqual((await waiting)!.map(Number), [9, 10])
})
