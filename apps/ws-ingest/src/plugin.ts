import { parseConfig, type SourcePlugin } from '@tributary/connect-api'
import { readerTask } from '@tributary/push-source'
import manifest from '../package.json' with { type: 'json' }
import { metricUrl, reconnect, urlsOf, websocketSpec } from './config/config.ts'
import { WebSocketSourceConnector } from './connector.ts'
import { RecoveryReader } from './recovery-reader.ts'
import { createFeedReader } from './feed-reader.ts'

/** The source plugin for WebSocket feeds. It replaces the JVM connector named by the alias. */
export const websocketSource: SourcePlugin = {
  class: 'io.tributary.connect.websocket.WebSocketSourceConnector',
  aliases: ['io.conduktor.connect.websocket.WebSocketSourceConnector'],
  version: manifest.version,
  taskClass: 'io.tributary.connect.websocket.WebSocketSourceTask',
  metricPrefix: 'websocket',
  metricLabels: (props) => ({ url: metricUrl(parseConfig(websocketSpec, props)['websocket.url']) }),
  // Each step of a connect has its own limit: websocket.connection.timeout.ms and websocket.session.timeout.ms.
  reconnectPolicy: (props) => reconnect.policy(parseConfig(websocketSpec, props)),
  handOver: (props) => ({ maxConnectionAgeMs: parseConfig(websocketSpec, props)['websocket.max.connection.age.ms'] }),
  preview: (props) => ({ sources: urlsOf(props).map((url) => URL.parse(url)?.host ?? url) }),
  connector: new WebSocketSourceConnector(),
  createTask: () =>
    readerTask(createFeedReader, ['lostConnection', 'commitBatch', 'commit', 'handOver', 'takeOver', 'redeliver']),
  createRecoveryTask: () =>
    readerTask((context) => Promise.resolve(new RecoveryReader(context)), ['commitBatch', 'commit']),
}
