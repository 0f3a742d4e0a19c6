import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusEntry } from '@tributary/connect-storage'
import { PredecessorGoesOn } from './predecessor.ts'
import { FakeStatusStore } from '../testing/fake-status-store.ts'
import { RemotePredecessor } from './remote-predecessor.ts'

interface Scene {
  readonly predecessor: RemotePredecessor
  readonly status: FakeStatusStore
  readonly readiness: boolean[]
}

/** `last`: the last status that the owner wrote. This worker's store reads it at the next refresh. */
function scene(last: StatusEntry): Scene {
  const status = new FakeStatusStore()
  status.refresh = () => status.putTask('c', 0, last)
  const readiness: boolean[] = []
  const onReady = (connected: boolean): void => void readiness.push(connected)
  return { predecessor: new RemotePredecessor({ id: { connector: 'c', task: 0 }, status, onReady }), status, readiness }
}
const unassigned: StatusEntry = { state: 'UNASSIGNED', workerId: 'w:2', generation: 7 }

test('the predecessor is over once the group has assigned the task here; its last status holds the hand-over state', async () => {
  const { predecessor, readiness } = scene({ ...unassigned, handOver: 'seen: 1, 2' })
  const finished = predecessor.finish(true)
  assert.deepEqual(readiness, [true])
  predecessor.assignedHere()
  assert.equal(await finished, 'seen: 1, 2')
})

test('a predecessor that wrote no hand-over state, or died, leaves none', async () => {
  const silent = scene(unassigned)
  silent.predecessor.assignedHere()
  assert.equal(await silent.predecessor.finish(true), null)
  assert.deepEqual(silent.readiness, [], 'readiness is not reported after the assignment')
  const dead = scene({ state: 'RUNNING', workerId: 'w:2', generation: 7 })
  dead.predecessor.assignedHere()
  assert.equal(await dead.predecessor.finish(false), null)
})

test('the predecessor goes on when the move of the task is called off', async () => {
  const before = scene(unassigned)
  before.predecessor.callOff()
  await assert.rejects(before.predecessor.finish(true), PredecessorGoesOn)
  const after = scene(unassigned)
  const finished = after.predecessor.finish(true)
  after.predecessor.callOff()
  await assert.rejects(finished, PredecessorGoesOn)
})
