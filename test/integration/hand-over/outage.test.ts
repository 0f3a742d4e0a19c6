import { startProxiedKafka, type ProxiedKafka } from '@tributary/harness'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HandOverScene } from './rig.ts'
import { until } from '../../support/until.ts'

let kafka: ProxiedKafka
before(async () => {
  kafka = await startProxiedKafka()
})
after(() => kafka.stop())

test('no record of a connection that gets too old while Kafka does not answer is lost', async (t) => {
  const gracefulMs = 500
  const config = { 'max.connection.age.ms': '2000', 'task.shutdown.graceful.timeout.ms': String(gracefulMs) }
  const scene = await HandOverScene.start(t, config, {}, kafka.direct)
  const { feed } = scene
  feed.run(500)
  await until('records flow', async () => (await scene.committed()) > 500)
  const before = scene.events('hand_over_started').length
  kafka.proxy.freeze()
  await until('a connection is to be replaced', () => scene.events('hand_over_started').length > before)
  const startedAt = performance.now()
  // Both runs are connected for some time. Then the predecessor must end within the graceful time.
  await until('any stop would have given up', () => performance.now() - startedAt > 6 * gracefulMs)
  kafka.proxy.thaw()
  await scene.handedOver(before + 1)
  await scene.assertExact()
  assert.equal(scene.events('task_abandoned').length, 0)
})
