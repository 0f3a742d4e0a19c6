import { parseConfig, type SourcePlugin } from '@tributary/connect-api'
import manifest from '../package.json' with { type: 'json' }
import { metricUrl, websocketSpec } from './config/config.ts'
import { WebSocketSourceConnector } from './connector.ts'
import { WebSocketRecoveryTask } from './recovery-task.ts'
import { WebSocketSourceTask } from './task.ts'

/** The source plugin for WebSocket feeds. It replaces the JVM connector named by the alias. */
export const websocketSource: SourcePlugin = {
  class: 'io.tributary.connect.websocket.WebSocketSourceConnector',
  aliases: ['io.conduktor.connect.websocket.WebSocketSourceConnector'],
  version: manifest.version,
  taskClass: 'io.tributary.connect.websocket.WebSocketSourceTask',
  metricPrefix: 'websocket',
  metricLabels: (props) => ({ url: metricUrl(parseConfig(websocketSpec, props)['websocket.url']) }),
  reconnectPolicy(props) {
    const config = parseConfig(websocketSpec, props)
    return {
      enabled: config['websocket.reconnect.enabled'],
      intervalMs: Math.max(0, config['websocket.reconnect.interval.ms']),
      backoffMaxMs: Math.max(0, config['websocket.reconnect.backoff.max.ms']),
      maxAttempts: config['websocket.reconnect.max.attempts'],
      // Each step of a connect has its own limit: websocket.connection.timeout.ms and websocket.session.timeout.ms.
      connectTimeoutMs: 0,
    }
  },
  handOver: (props) => ({ maxConnectionAgeMs: parseConfig(websocketSpec, props)['websocket.max.connection.age.ms'] }),
  connector: new WebSocketSourceConnector(),
  createTask: () => new WebSocketSourceTask(),
  createRecoveryTask: () => new WebSocketRecoveryTask(),
}
