import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createRig } from '../testing.ts'
import type { SpillPosition } from './position-file.ts'
import { SpillLog } from './spill-log.ts'
import { temporaryFolder } from './testing.ts'

test('a failed release that is tried again never takes the place of a newer one', async (t) => {
  const rig = createRig(await temporaryFolder(t))
  await rig.poll(1)
  rig.push(0, 10)
  while (rig.stats.messagesSpilled < 2) await nextTurn()
  const released: SpillPosition[] = []
  const disk = Promise.withResolvers<void>()
  t.mock.method(SpillLog.prototype, 'release', (position: SpillPosition) => {
    released.push(position)
    return released.length === 1 ? Promise.reject(new Error('no space left on device')) : disk.promise
  })
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await rig.deliver(1)
  const newer = rig.deliver(1)
  while (released.length < 2) await nextTurn()
  t.mock.timers.tick(5000)
  disk.resolve()
  await newer
  await nextTurn()
  const [failed, last, ...others] = released
  assert.ok(last!.at > failed!.at)
  assert.deepEqual(others, [], 'the newer release covers the one that failed')
  t.mock.reset()
  t.mock.timers.reset()
  await rig.intake.close()
})
