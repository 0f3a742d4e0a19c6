import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OTHERS } from './counters.ts'
import { Scene } from './scene.ts'
import { until } from '../../support/until.ts'

for (const tasks of [1, 2]) {
  test(`a connector that changes to another plugin of the same service continues with that plugin, with ${tasks} tasks`, async (t) => {
    const scene = await Scene.create(t)
    await scene.start({ plugins: 'counters,others' })
    await scene.create({ 'tasks.max': String(tasks) })
    await scene.committed(20)
    await scene.configure({ 'connector.class': OTHERS })
    const numbers = await goesOnAsOther(scene)
    assert.equal(new Set(numbers).size, numbers.length, 'nothing comes twice')
    await scene.running(tasks)
  })
}

test('a connector that changes to a plugin of another service leaves its service and runs in the other one', async (t) => {
  const scene = await Scene.create(t)
  const [before, after] = [await scene.start(), await scene.start({ service: 'others', plugins: 'others' })]
  await scene.create({ 'tasks.max': '2' })
  assert.deepEqual(await scene.running(2), [before, before])
  await scene.committed(20)
  await scene.configure({ 'connector.class': OTHERS })
  await goesOnAsOther(scene)
  const { status } = scene.stores
  await until('the other service writes the statuses', () => {
    const entries = [status.connector('counters'), ...status.tasks('counters').values()]
    return entries.length === 3 && entries.every((entry) => entry?.workerId === after && entry.state === 'RUNNING')
  })
})

/** Checks that the other plugin continues where the first one was, and that the first one writes nothing any more. */
async function goesOnAsOther(scene: Scene): Promise<string[]> {
  await until('the other plugin has written', async () => (await scene.values()).some((v) => v.startsWith('other ')))
  const taskClasses = scene.stores.configs.snapshot.tasks('counters').map((task) => task['task.class'])
  assert.ok(taskClasses.every((name) => name === 'io.tributary.test.OthersSourceTask'))
  await scene.committed(scene.head)
  const before = (await scene.values()).length
  await scene.committed(scene.head + 50)
  const values = await scene.values()
  assert.ok(values.slice(before).every((value) => value.startsWith('other ')))
  return values.map((value) => value.replace('other ', ''))
}
