import { parseConfig, type SourcePlugin } from '@tributary/connect-api'
import manifest from '../package.json' with { type: 'json' }
import { GrpcSourceConnector } from './connector.ts'
import { serverOf } from './config/settings.ts'
import { GrpcSourceTask } from './stream/task.ts'
import { grpcSpec } from './config/spec.ts'

/** Reads gRPC server streams into Kafka. The alias is the JVM connector that this source replaces. */
export const grpcSource: SourcePlugin = {
  class: 'io.tributary.connect.grpc.GrpcSourceConnector',
  aliases: ['io.conduktor.connect.grpc.GrpcSourceConnector'],
  version: manifest.version,
  taskClass: 'io.tributary.connect.grpc.GrpcSourceTask',
  metricPrefix: 'grpc',
  metricLabels: (props) => ({ server: serverOf(parseConfig(grpcSpec, props)) }),
  reconnectPolicy(props) {
    const config = parseConfig(grpcSpec, props)
    return {
      enabled: config['grpc.reconnect.enabled'],
      intervalMs: Math.max(0, config['grpc.reconnect.interval.ms']),
      backoffMaxMs: Math.max(0, config['grpc.reconnect.backoff.max.ms']),
      maxAttempts: config['grpc.reconnect.max.attempts'],
      // grpc.connection.timeout.ms limits the connection alone. A quiet stream may answer as late as it likes.
      connectTimeoutMs: 0,
    }
  },
  handOver: (props) => ({ maxConnectionAgeMs: parseConfig(grpcSpec, props)['grpc.max.connection.age.ms'] }),
  connector: new GrpcSourceConnector(),
  createTask: () => new GrpcSourceTask(),
}
