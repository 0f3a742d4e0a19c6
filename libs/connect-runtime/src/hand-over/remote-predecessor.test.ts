import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusEntry } from '@tributary/connect-storage'
import { FormerRunGoesOn } from './predecessor-run.ts'
import { FakeStatusStore } from '../testing/fake-status-store.ts'
import { FormerOwner } from './remote-predecessor.ts'

interface Scene {
  readonly owner: FormerOwner
  readonly status: FakeStatusStore
  readonly readiness: boolean[]
}

/** The former owner's last status is `last`, which this worker's store has not read yet. */
function scene(last: StatusEntry): Scene {
  const status = new FakeStatusStore()
  status.refresh = () => status.putTask('c', 0, last)
  const readiness: boolean[] = []
  const onReady = (connected: boolean): void => void readiness.push(connected)
  return { owner: new FormerOwner({ id: { connector: 'c', task: 0 }, status, onReady }), status, readiness }
}
const unassigned: StatusEntry = { state: 'UNASSIGNED', workerId: 'w:2', generation: 7 }

test('it is over once the group has given the task, with what its last status left', async () => {
  const { owner, readiness } = scene({ ...unassigned, handOver: 'seen: 1, 2' })
  const finished = owner.finish(true)
  assert.deepEqual(readiness, [true])
  owner.gone()
  assert.equal(await finished, 'seen: 1, 2')
})

test('it leaves nothing when it had nothing to say, or died', async () => {
  const silent = scene(unassigned)
  silent.owner.gone()
  assert.equal(await silent.owner.finish(true), null)
  assert.deepEqual(silent.readiness, [], 'the group need not hear what it knows')
  const dead = scene({ state: 'RUNNING', workerId: 'w:2', generation: 7 })
  dead.owner.gone()
  assert.equal(await dead.owner.finish(false), null)
})

test('it goes on when the task is not to move after all', async () => {
  const before = scene(unassigned)
  before.owner.goesOn()
  await assert.rejects(before.owner.finish(true), FormerRunGoesOn)
  const after = scene(unassigned)
  const finished = after.owner.finish(true)
  after.owner.goesOn()
  await assert.rejects(finished, FormerRunGoesOn)
})
