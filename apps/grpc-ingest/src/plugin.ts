import { parseConfig, type SourcePlugin } from '@tributary/connect-api'
import { readerTask } from '@tributary/push-source'
import manifest from '../package.json' with { type: 'json' }
import { GrpcSourceConnector } from './connector.ts'
import { addressesOf, serverOf } from './config/settings.ts'
import type { Target } from './config/target.ts'
import { createStreamReader } from './stream/create-stream-reader.ts'
import { grpcSpec, reconnect } from './config/spec.ts'

/** One text for each way in which two configurations may write an address. */
function addressName({ path, authority }: Target): string {
  return path ?? authority.toLowerCase()
}

/** Reads gRPC server streams into Kafka. The alias is the JVM connector that this source replaces. */
export const grpcSource: SourcePlugin = {
  class: 'io.tributary.connect.grpc.GrpcSourceConnector',
  aliases: ['io.conduktor.connect.grpc.GrpcSourceConnector'],
  version: manifest.version,
  taskClass: 'io.tributary.connect.grpc.GrpcSourceTask',
  metricPrefix: 'grpc',
  metricLabels: (props) => ({ server: serverOf(parseConfig(grpcSpec, props)) }),
  // grpc.connection.timeout.ms limits the connection only. A quiet stream may take any time to answer.
  reconnectPolicy: (props) => reconnect.policy(parseConfig(grpcSpec, props)),
  handOver: (props) => ({ maxConnectionAgeMs: parseConfig(grpcSpec, props)['grpc.max.connection.age.ms'] }),
  preview: (props) => ({ sources: addressesOf(parseConfig(grpcSpec, props)).map(addressName) }),
  connector: new GrpcSourceConnector(),
  createTask: () => readerTask(createStreamReader, ['takeOver', 'position', 'completed', 'caution', 'redeliver']),
}
