import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandOverScene } from './rig.ts'
import { ONLY_ONE, REFUSED } from './live-feed.ts'
import { until } from '../../support/until.ts'

const RATE = 2000

for (const support of ['requested', 'required']) {
  test(`changes of the configuration cause no gap and no duplicate, exactly.once.support=${support}`, async (t) => {
    const scene = await HandOverScene.start(t, { 'exactly.once.support': support })
    const { feed } = scene
    feed.run(RATE)
    for (let i = 1; i <= 4; i++) {
      const before = feed.sent
      await scene.change({ version: String(i) })
      await scene.handedOver(i)
      await until('the new run delivers', async () => (await scene.numbers()).at(-1)! > before)
    }
    await scene.assertExact()
    assert.deepEqual([feed.connections, feed.mostOpen], [5, 2])
    assert.deepEqual(scene.states, ['RUNNING'])
    assert.equal((await scene.health())?.gaps, 0)
  })
}

test('counts and health continue over a hand-over as those of one task', async (t) => {
  const scene = await HandOverScene.start(t)
  const { feed } = scene
  feed.run(RATE)
  let records = 0
  const falls: string[] = []
  const look = async (): Promise<void> => {
    const health = await scene.health()
    if (!health || health.records_total < records || !health.connected) {
      falls.push(`${records} → ${JSON.stringify(health)}`)
    }
    records = health?.records_total ?? 0
  }
  for (let i = 1; i <= 2; i++) {
    await scene.change({ version: String(i) })
    await until(`hand-over ${i} is over`, async () => {
      await look()
      return scene.events('hand_over_completed').length === i
    })
    await look()
  }
  await scene.assertExact()
  assert.deepEqual(falls, [])
  await until('all are counted', async () => (await scene.health())?.records_total === (await scene.numbers()).length)
})

test('after several quick changes the last one applies, without a gap or a duplicate', async (t) => {
  const scene = await HandOverScene.start(t)
  const { feed } = scene
  feed.run(RATE)
  for (let i = 1; i <= 8; i++) {
    await scene.change({ version: String(i) })
    const before = feed.sent
    await until('the feed goes on', () => feed.sent > before + 200)
  }
  const last = await until('the last one has begun', () => scene.events('hand_over_completed').length > 0)
  assert.ok(last)
  await until('no hand-over is under way', () => {
    const [begun, over] = [scene.events('hand_over_started').length, overEvents(scene)]
    return begun === over && feed.open.size === 1
  })
  await scene.assertExact()
  assert.equal(feed.mostOpen, 2)
  assert.deepEqual(scene.states, ['RUNNING'])
})

test('a change during a hand-over leads to another hand-over', async (t) => {
  const scene = await HandOverScene.start(t)
  const { feed } = scene
  feed.run(RATE)
  for (let i = 1; i <= 4; i++) {
    await scene.change({ version: String(i) })
    await scene.handedOver(i)
  }
  await scene.assertExact()
  assert.deepEqual([feed.connections, feed.mostOpen], [5, 2])
})

test('without handOver in the plugin one run ends before the next begins', async (t) => {
  const scene = await HandOverScene.start(t, { overlap: 'false' })
  const { feed } = scene
  feed.send(10)
  await until('they are there', async () => (await scene.numbers()).length === 10)
  await scene.change({ version: '1' })
  await until('another run is connected', () => feed.connections === 2)
  feed.send(10)
  await scene.assertExact()
  assert.equal(feed.mostOpen, 1)
  assert.equal(scene.events('hand_over_started').length, 0)
})

test('there is no hand-over to or from a configuration that allows no overlap', async (t) => {
  const scene = await HandOverScene.start(t)
  const { feed } = scene
  for (const [overlap, connections] of [
    ['false', 2],
    ['true', 3],
  ] as const) {
    await scene.change({ overlap })
    await until('another run is connected', () => feed.connections === connections && feed.open.size === 1)
  }
  assert.equal(feed.mostOpen, 1)
  await scene.change({ version: '1' })
  await scene.handedOver(1)
  assert.equal(feed.mostOpen, 2)
})

test('a manual restart has no overlap', async (t) => {
  const scene = await HandOverScene.start(t)
  await scene.restart()
  await until('another run is connected', () => scene.feed.connections === 2 && scene.feed.open.size === 1)
  assert.equal(scene.feed.mostOpen, 1)
})

test('the change is made although the source accepts only one connection', async (t) => {
  const scene = await HandOverScene.start(t, {}, { 'task.handover.timeout.ms': '500' })
  const { feed } = scene
  feed.send(10)
  feed.refusal = ONLY_ONE
  await scene.change({ version: '1' })
  await until('the predecessor’s connection has ended', () => feed.open.size === 0)
  feed.refusal = null
  await until('the new run is connected', () => feed.open.size === 1)
  feed.send(10)
  await scene.assertExact()
  assert.deepEqual([feed.mostOpen, scene.states], [1, ['RUNNING']])
})

test('a configuration that can never connect is FAILED with its own reason, after every received record is delivered', async (t) => {
  const scene = await HandOverScene.start(t)
  const { feed } = scene
  feed.run(RATE)
  await until('something is there', async () => (await scene.numbers()).length > 0)
  feed.refusal = REFUSED
  await scene.change({ version: '1' })
  await until('it is FAILED', () => scene.status?.state === 'FAILED')
  assert.match(scene.status?.trace ?? '', /^ConfigError \[FEED_REFUSED\]: the feed does not know this key/)
  assert.equal(feed.open.size, 0)
  feed.rest()
  const numbers = await scene.numbers()
  assert.equal(numbers.at(-1), await scene.committed())
  feed.refusal = null
  await scene.change({ version: '2' })
  await until('it runs again', () => scene.status?.state === 'RUNNING')
})

test('an invalid configuration is FAILED, and its predecessor has ended properly', async (t) => {
  const scene = await HandOverScene.start(t)
  const { feed } = scene
  feed.send(10)
  await scene.change({ 'value.converter': 'no.such.Converter' })
  await until('it is FAILED', () => scene.status?.state === 'FAILED')
  assert.match(scene.status?.trace ?? '', /no\.such\.Converter/)
  assert.deepEqual([feed.open.size, await scene.committed()], [0, 10])
})

test('an error of the new run does not fail its predecessor, which ends properly', async (t) => {
  const scene = await HandOverScene.start(t)
  const { feed } = scene
  const errors: unknown[] = []
  const thrown = (error: unknown): void => {
    errors.push(error)
    assert.equal(scene.unhandled(error), true, 'it is a task’s')
  }
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', thrown)
  t.after(() => {
    process.off('uncaughtException', thrown)
    for (const listener of listeners) process.on('uncaughtException', listener)
  })
  feed.run(RATE)
  await until('something is there', async () => (await scene.numbers()).length > 0)
  await scene.change({ throws: 'true' })
  await until('it is FAILED', () => scene.status?.state === 'FAILED')
  assert.match(scene.status?.trace ?? '', /UNHANDLED_ERROR.*\n.*|thrown where nobody catches/)
  assert.equal(scene.events('predecessor_failed').length, 0)
  feed.rest()
  const numbers = await scene.numbers()
  assert.equal(numbers.at(-1), await scene.committed())
})

test('a predecessor that fails during the hand-over does not fail the task', async (t) => {
  const scene = await HandOverScene.start(t, {}, { 'task.handover.timeout.ms': '60000' })
  const { feed } = scene
  feed.send(10)
  await until('they are there', async () => (await scene.numbers()).length === 10)
  feed.refusal = ONLY_ONE
  await scene.change({ 'errors.tolerance': 'all' })
  await until('the new run tries', () => scene.events('hand_over_started').length === 1)
  feed.bad.add(11)
  feed.send(2)
  await until('the predecessor has failed', () => scene.events('predecessor_failed').length === 1)
  feed.refusal = null
  await scene.handedOver(1)
  feed.send(1)
  await until('the new run delivers', async () => (await scene.numbers()).at(-1) === 13)
  assert.deepEqual(scene.states, ['RUNNING'])
})

test('a run that is behind is given time to catch up before it ends', async (t) => {
  const scene = await HandOverScene.start(t, {}, { 'task.handover.timeout.ms': '60000' })
  const { feed } = scene
  feed.held = true
  await until('it takes nothing', () => feed.heldPolls > 0)
  feed.send(600)
  await scene.change({ version: '1' })
  await until('both are connected', () => feed.open.size === 2)
  const since = performance.now()
  await until('they would have been together for long enough', () => performance.now() - since > 1500)
  feed.send(10)
  assert.deepEqual([feed.open.size, scene.events('hand_over_completed').length], [2, 0])
  feed.held = false
  await scene.handedOver(1)
  await scene.assertExact()
})

test('a stop during a hand-over ends both runs, and every received record is delivered', async (t) => {
  const scene = await HandOverScene.start(t, {}, { 'task.handover.timeout.ms': '60000' })
  const { feed } = scene
  feed.refusal = ONLY_ONE
  await scene.change({ version: '1' })
  await until('the new run tries', () => scene.events('hand_over_started').length === 1)
  feed.send(100)
  await scene.setState('STOPPED')
  await until('both have ended', () => scene.events('hand_over_cancelled').length === 1 && feed.open.size === 0)
  await until('all is delivered', async () => (await scene.numbers()).length === 100)
  await until('and committed', async () => (await scene.committed()) === 100)
  feed.refusal = null
  await scene.setState('STARTED')
  await until('it runs again', () => scene.status?.state === 'RUNNING' && feed.open.size === 1)
  feed.send(10)
  await scene.assertExact()
})

test('a worker that stops while a new run is connected beside its predecessor loses nothing', async (t) => {
  const scene = await HandOverScene.start(t)
  const { feed } = scene
  feed.run(RATE)
  await scene.change({ version: '1' })
  await until('both are connected', () => feed.open.size === 2)
  feed.rest()
  await scene.stop()
  assert.equal(feed.open.size, 0)
  const numbers = await scene.numbers()
  assert.deepEqual([numbers.length, numbers.at(-1)], [feed.sent, feed.sent])
})

test('a pause during a hand-over is kept, and a resume continues without a gap', async (t) => {
  const scene = await HandOverScene.start(t, {}, { 'task.handover.timeout.ms': '60000' })
  const { feed } = scene
  feed.refusal = ONLY_ONE
  await scene.change({ version: '1' })
  await until('the new run tries', () => scene.events('hand_over_started').length === 1)
  await scene.setState('PAUSED')
  await until('it is PAUSED', () => scene.status?.state === 'PAUSED')
  feed.refusal = null
  await scene.handedOver(1)
  assert.deepEqual(scene.states, ['RUNNING', 'PAUSED'])
  feed.send(10)
  await scene.setState('STARTED')
  await until('it runs', () => scene.status?.state === 'RUNNING')
  feed.send(10)
  await scene.assertExact()
})

function overEvents(scene: HandOverScene): number {
  return ['completed', 'cancelled', 'failed'].reduce((sum, how) => sum + scene.events(`hand_over_${how}`).length, 0)
}
