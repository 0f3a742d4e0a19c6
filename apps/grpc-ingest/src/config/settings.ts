import type { Props, SourcePartition } from '@tributary/connect-api'
import { readTls } from '@tributary/push-source'
import type { SecureContextOptions } from 'node:tls'
import type { SessionOptions } from '../transport/index.ts'
import { type Metadata, requestMetadata } from './metadata.ts'
import { type GrpcConfig, grpcSpec, METADATA_PREFIX, tls } from './spec.ts'

/** The metadata of each call. Throws ConfigError on its key. */
export function metadataOf(config: GrpcConfig, props: Props): Metadata {
  return requestMetadata(config['grpc.metadata'], grpcSpec.prefixed(props, METADATA_PREFIX))
}

/** `host:port`: the name of the server in the source partition and in metrics. */
export function serverOf(config: GrpcConfig): string {
  return `${config['grpc.server.host']}:${config['grpc.server.port']}`
}

/** `package.Service/Method` */
export function methodOf(config: GrpcConfig): string {
  return `${config['grpc.service.name']}/${config['grpc.method.name']}`
}

/** The one source partition of a connector. It equals that of the JVM connector, whose offsets are therefore found. */
export function sourcePartitionOf(config: GrpcConfig): SourcePartition {
  return { grpc_server: serverOf(config), grpc_method: methodOf(config) }
}

/** grpc-java has the same minimum. */
const KEEPALIVE_MIN_MS = 10_000

/** ms without data before a PING, as the user wishes; ≤ 0: off. */
export function keepaliveTimeMs(config: GrpcConfig): number {
  const wished = config['grpc.keepalive.time.ms']
  return wished > 0 ? Math.max(wished, KEEPALIVE_MIN_MS) : 0
}

export function sessionOptions(
  config: GrpcConfig,
  secure: SessionOptions['tls'],
): Omit<SessionOptions, 'keepaliveTimeMs'> {
  return {
    host: config['grpc.server.host'],
    port: config['grpc.server.port'],
    tls: secure,
    connectTimeoutMs: config['grpc.connection.timeout.ms'],
    keepaliveTimeoutMs: Math.max(1, config['grpc.keepalive.timeout.ms']),
  }
}

/** Reads and checks the files for TLS; null without TLS. Throws ConfigError on the key of a bad file. */
export function readGrpcTls(config: GrpcConfig): Promise<SecureContextOptions | null> {
  return config['grpc.tls.enabled'] ? readTls(tls.settings(config)) : Promise.resolve(null)
}
