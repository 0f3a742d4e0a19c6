import { sharedKafka, startKafkaConnect } from '@tributary/harness'
import type { TestContext } from 'node:test'
import { clusterProps, pluginListed, startPlane, startWorker } from '../integration/control-plane-rig.ts'
import type { Sides } from './both-sides.ts'

/**
 * A live Kafka Connect and our control plane in strict mode with one worker, on the same Kafka, each with the file
 * source; both end with the test.
 */
export async function startSides(t: TestContext): Promise<Sides> {
  const { brokers } = await sharedKafka()
  const connect = await startKafkaConnect({
    brokers,
    properties: {
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'exactly.once.source.support': 'enabled',
      'config.providers': 'file',
      'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
    },
  })
  t.after(() => connect.stop())
  const props = clusterProps(brokers, { 'connect.strict': 'true' })
  await startWorker(t, props)
  const { url } = await startPlane(t, props)
  await pluginListed(url)
  return { connect: connect.url, ours: url }
}
