import { createStores, type PluginEntry } from '@tributary/connect-storage'
import { createLogger } from '@tributary/telemetry'
import type { TestContext } from 'node:test'

/** Kafka's file source as a worker publishes it. */
const FILE_PLUGIN: PluginEntry = {
  class: 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  aliases: [],
  type: 'source',
  version: '3.9.1',
  service: 'file-ingest',
  spec: {
    keys: {
      file: { type: 'string', default: null, importance: 'high', doc: 'Source filename' },
      topic: { type: 'string', importance: 'high', doc: 'The topic to publish data to' },
    },
  },
}

/** Publishes the file source in a cluster that has no worker: configurations are judged by its spec, and nothing runs. */
export async function publishFilePlugin(t: TestContext, brokers: readonly string[], cluster: string): Promise<void> {
  const log = createLogger({ name: 'test', stream: { write: () => true } })
  const { plugins } = createStores({ connection: { brokers, clientId: cluster }, log, cluster })
  await plugins.start(t.signal)
  await plugins.publish(FILE_PLUGIN)
  await plugins.stop()
}
