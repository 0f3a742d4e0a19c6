import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeStatusStore } from '../testing/fake-status-store.ts'
import { silentLog } from '@tributary/telemetry/testing'
import { TaskStatus } from './task-status.ts'

test('the UNASSIGNED status holds the hand-over state, until the successor writes its status', async () => {
  const store = new FakeStatusStore()
  const status = (workerId: string): TaskStatus =>
    new TaskStatus({ id: { connector: 'c', task: 0 }, epoch: 3, store, workerId, log: silentLog })
  const [predecessor, successor] = [status('w:1'), status('w:2')]
  predecessor.report('RUNNING')
  predecessor.reportUnassigned('seen: 1, 2')
  await predecessor.idle()
  assert.deepEqual(store.task('c', 0), {
    ...{ state: 'UNASSIGNED', workerId: 'w:1', generation: 3 },
    handOver: 'seen: 1, 2',
  })
  successor.report('RUNNING')
  await successor.idle()
  assert.deepEqual(store.task('c', 0), { state: 'RUNNING', workerId: 'w:2', generation: 3 })
})

test('the UNASSIGNED status has no hand-over state if the task has none', async () => {
  const store = new FakeStatusStore()
  const status = new TaskStatus({ id: { connector: 'c', task: 0 }, epoch: 3, store, workerId: 'w:1', log: silentLog })
  status.reportUnassigned(null)
  await status.idle()
  assert.deepEqual(store.task('c', 0), { state: 'UNASSIGNED', workerId: 'w:1', generation: 3 })
})
