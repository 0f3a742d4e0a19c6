import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeStatusStore } from '../testing/fake-status-store.ts'
import { silentLog } from '../testing/run-scripted.ts'
import { TaskStatus } from './task-status.ts'

test('what the task leaves behind stands in its last status, until the next one', async () => {
  const store = new FakeStatusStore()
  const status = (workerId: string): TaskStatus =>
    new TaskStatus({ id: { connector: 'c', task: 0 }, epoch: 3, store, workerId, log: silentLog })
  const [former, next] = [status('w:1'), status('w:2')]
  former.report('RUNNING')
  former.reportUnassigned('seen: 1, 2')
  await former.idle()
  assert.deepEqual(store.task('c', 0), {
    ...{ state: 'UNASSIGNED', workerId: 'w:1', generation: 3 },
    handOver: 'seen: 1, 2',
  })
  next.report('RUNNING')
  await next.idle()
  assert.deepEqual(store.task('c', 0), { state: 'RUNNING', workerId: 'w:2', generation: 3 })
})

test('a task with nothing to say leaves nothing', async () => {
  const store = new FakeStatusStore()
  const status = new TaskStatus({ id: { connector: 'c', task: 0 }, epoch: 3, store, workerId: 'w:1', log: silentLog })
  status.reportUnassigned(null)
  await status.idle()
  assert.deepEqual(store.task('c', 0), { state: 'UNASSIGNED', workerId: 'w:1', generation: 3 })
})
