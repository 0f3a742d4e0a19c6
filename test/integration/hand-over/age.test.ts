import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandOverScene } from './rig.ts'
import { ONLY_ONE, REFUSED } from './live-feed.ts'
import { until } from '../../support/until.ts'

const RATE = 2000

test('a connection is replaced before it gets too old, each time without a gap or a duplicate', async (t) => {
  const scene = await HandOverScene.start(t, { 'max.connection.age.ms': '700' })
  const { feed } = scene
  feed.run(RATE)
  await scene.handedOver(3)
  await scene.assertExact()
  assert.equal(feed.mostOpen, 2)
  assert.deepEqual(scene.states, ['RUNNING'])
  assert.equal((await scene.health())?.reconnects, 0)
})

for (const [how, refusal] of [
  ['is not taken', ONLY_ONE],
  ['is refused for good', REFUSED],
] as const) {
  test(`if a second connection ${how}, the task keeps the present one, and tries again`, async (t) => {
    const config = { 'max.connection.age.ms': '200' }
    const scene = await HandOverScene.start(t, config, { 'task.handover.timeout.ms': '1500' })
    const { feed } = scene
    feed.refusal = refusal
    feed.run(RATE)
    await until('it was tried twice', () => scene.events('hand_over_failed').length >= 2)
    assert.deepEqual([feed.connections, feed.open.size], [1, 1])
    feed.refusal = null
    await scene.handedOver(1)
    await scene.assertExact()
    assert.deepEqual(scene.states, ['RUNNING'])
  })
}

test('after a reconnect the age counts from the new connection, not from the start of the task', async (t) => {
  const scene = await HandOverScene.start(t, { 'max.connection.age.ms': '1500' })
  const { feed } = scene
  feed.send(10)
  for (let cuts = 1; cuts <= 3; cuts++) {
    const before = performance.now()
    await until('the connection has a third of its age', () => performance.now() - before > 600)
    feed.cut()
    await until('it is made anew', () => feed.open.size === 1)
    assert.equal(scene.events('hand_over_started').length, 0)
  }
  await scene.handedOver(1)
})

test('a paused task keeps its connection, and replaces the connection when it is resumed', async (t) => {
  const scene = await HandOverScene.start(t, { 'max.connection.age.ms': '300' })
  const { feed } = scene
  await scene.setState('PAUSED')
  await until('it is PAUSED', () => scene.status?.state === 'PAUSED')
  const started = scene.events('hand_over_started').length
  const before = performance.now()
  await until('it would be too old', () => performance.now() - before > 900)
  assert.equal(scene.events('hand_over_started').length, started)
  await scene.setState('STARTED')
  await until('it is replaced', () => scene.events('hand_over_started').length > started)
  feed.send(10)
  await scene.assertExact()
})

test('a run that is behind keeps its connection, whatever its age', async (t) => {
  const config = { 'max.connection.age.ms': '1000' }
  const scene = await HandOverScene.start(t, config, { 'task.handover.timeout.ms': '800' })
  const { feed } = scene
  feed.held = true
  await until('it takes nothing', () => feed.heldPolls > 0)
  feed.send(600)
  await until('it was tried', () => scene.events('hand_over_failed').length === 1)
  assert.match(scene.events('hand_over_failed')[0]!, /the present run is behind/)
  feed.held = false
  feed.send(10)
  await scene.handedOver(1)
  await scene.assertExact()
  assert.deepEqual(scene.states, ['RUNNING'])
})

test('a run that fails while its connection is being replaced is FAILED, with the reason', async (t) => {
  const config = { 'max.connection.age.ms': '500' }
  const scene = await HandOverScene.start(t, config, { 'task.handover.timeout.ms': '60000' })
  const { feed } = scene
  feed.refusal = ONLY_ONE
  feed.send(10)
  await until('the new run tries', () => scene.events('hand_over_started').length === 1)
  feed.bad.add(11)
  feed.send(2)
  await until('it is FAILED', () => scene.status?.state === 'FAILED')
  assert.match(scene.status?.trace ?? '', /11 is bad/)
  assert.deepEqual([await scene.committed(), feed.open.size, feed.connections], [10, 0, 1])
})

test('a bad record that the predecessor finds at its end is not skipped', async (t) => {
  const scene = await HandOverScene.start(t, { 'max.connection.age.ms': '500' })
  const { feed } = scene
  feed.send(10)
  await until('they are there', async () => (await scene.numbers()).length === 10)
  feed.bad.add(11)
  feed.inFlightAtEnd = 2
  await until('it is FAILED', () => scene.status?.state === 'FAILED')
  assert.match(scene.status?.trace ?? '', /11 is bad/)
  assert.deepEqual([await scene.committed(), await scene.numbers()], [10, Array.from({ length: 10 }, (_, i) => i + 1)])
})
