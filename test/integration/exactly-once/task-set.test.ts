import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scene } from './scene.ts'
import { until } from '../../support/until.ts'

test('a frozen worker’s tasks cannot write once fewer tasks have taken over their logs', async (t) => {
  const scene = await Scene.create(t)
  const workers = [await scene.start(), await scene.start()]
  await scene.create({
    'tasks.max': '4',
    'transaction.boundary': 'interval',
    'transaction.boundary.interval.ms': '500',
  })
  const places = await until('both workers have tasks', async () => {
    const at = await scene.running(4)
    return new Set(at).size === 2 && at
  })
  await scene.committed(50)
  const owner = await until('the connector has an owner', () => scene.stores.status.connector('counters')?.workerId)
  // The worker that does not own the connector is frozen, so that the other one can change the tasks at once.
  const frozen = workers.find((worker) => worker !== owner)!
  process.kill(scene.worker(frozen).pid, 'SIGSTOP')
  // The new set has no task with its highest id, so no start of such a task fences it.
  await scene.configure({ 'tasks.max': String(Math.max(places.lastIndexOf(frozen), 1)) })
  await scene.committed(scene.head)
  process.kill(scene.worker(frozen).pid, 'SIGCONT')
  await scene.committed(scene.head + 200)
  assert.deepEqual(await scene.finish(), { lost: 0, twice: 0 })
})

test('logs that move between tasks because the number of tasks changes are continued exactly, over many changes', async (t) => {
  const scene = await Scene.create(t)
  await scene.start()
  await scene.start()
  await scene.create({ 'tasks.max': '3' })
  for (const tasks of [3, 5, 2, 6, 1, 4]) {
    await scene.configure({ 'tasks.max': String(tasks) })
    await scene.running(tasks)
  }
  assert.deepEqual(await scene.finish(), { lost: 0, twice: 0 })
})

test('the connector’s owner is killed while it changes the tasks: its successor reaches the right state', async (t) => {
  const scene = await Scene.create(t)
  await scene.start()
  await scene.create({ 'tasks.max': '3', 'transaction.boundary': 'connector' })
  await scene.running(3)
  await scene.committed(20)
  await scene.configure({ 'tasks.max': '2' })
  await until('the old set of tasks is replaced', () => scene.stores.configs.snapshot.tasks('counters').length !== 3)
  await scene.worker().kill()
  await scene.start()
  await until('the new set is written', () => scene.stores.configs.snapshot.tasks('counters').length === 2)
  await scene.running(2)
  assert.deepEqual(await scene.finish(), { lost: 0, twice: 0 })
})
