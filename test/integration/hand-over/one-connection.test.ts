import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandOverScene } from './rig.ts'
import { until } from '../../support/until.ts'

const SETTINGS = { 'task.handover.timeout.ms': '3000' }

for (const [how, second] of [
  ['refuses a second login', 'refused'],
  ['greets and then refuses a second login', 'refused later'],
] as const) {
  test(`a source that ${how} for good hands over without overlap, and is not asked again`, async (t) => {
    const scene = await HandOverScene.start(t, {}, SETTINGS)
    const { feed } = scene
    // As at a server that forgets a session some time after its connection has ended.
    feed.account = { second, forgetsAfterMs: 300 }
    feed.send(10)
    for (const version of ['1', '2']) {
      const before = feed.connections
      await scene.change({ version })
      await until('the new run is connected', () => feed.connections === before + 1 && feed.open.size === 1)
      feed.send(10)
    }
    await scene.assertExact()
    assert.deepEqual([feed.mostOpen, scene.states], [1, ['RUNNING']])
    assert.equal(scene.events('hand_over_started').length, 1)
  })
}

test('a source that refuses a second login keeps the former run at its age, and is asked less and less', async (t) => {
  const scene = await HandOverScene.start(t, { 'max.connection.age.ms': '100' }, SETTINGS)
  const { feed } = scene
  feed.account = { second: 'refused later', forgetsAfterMs: 0 }
  feed.send(10)
  const before = performance.now()
  await until('its age has passed often', () => performance.now() - before > 2000)
  const tries = scene.events('hand_over_started').length
  assert.ok(tries >= 2 && tries <= 5, `${tries} tries`)
  await scene.assertExact()
  assert.deepEqual([feed.connections, scene.states], [1, ['RUNNING']])
})

test('a run whose connection a second login ends does not connect while its successor is connected', async (t) => {
  const scene = await HandOverScene.start(t, {}, SETTINGS)
  const { feed } = scene
  feed.account = { second: 'ends the first', forgetsAfterMs: 0 }
  feed.send(10)
  await until('they are there', async () => (await scene.numbers()).length === 10)
  await scene.change({ version: '1' })
  await scene.handedOver(1)
  feed.send(10)
  await scene.assertExact()
  assert.deepEqual([feed.connections, scene.states], [2, ['RUNNING']])
})

test('a run whose connection the next run on another worker ends does not connect again', async (t) => {
  const scene = await HandOverScene.start(t, {}, SETTINGS)
  const { feed } = scene
  feed.account = { second: 'ends the first', forgetsAfterMs: 0 }
  feed.send(10)
  await until('they are there', async () => (await scene.numbers()).length === 10)
  await scene.startWorker()
  const stopped = scene.stop()
  await until('the next run is connected', () => feed.connections === 2)
  feed.send(10)
  await stopped
  await scene.assertExact()
  assert.deepEqual([feed.connections, feed.open.size], [2, 1])
})

test('task.handover.overlap=never ends one run before the next begins', async (t) => {
  const scene = await HandOverScene.start(t, { 'task.handover.overlap': 'never' }, SETTINGS)
  const { feed } = scene
  feed.send(10)
  await scene.change({ version: '1' })
  await until('another run is connected', () => feed.connections === 2 && feed.open.size === 1)
  feed.send(10)
  await scene.assertExact()
  assert.deepEqual([feed.mostOpen, scene.events('hand_over_started').length], [1, 0])
})
