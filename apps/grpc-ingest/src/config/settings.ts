import { hasReferences } from '@tributary/config'
import {
  offsetOrFormer,
  type Predecessor,
  type Props,
  type SourceOffset,
  type SourcePartition,
  writtenText,
} from '@tributary/connect-api'
import {
  type Endpoint,
  endpointOf,
  type ProxyOptions,
  proxyFor,
  readTls,
  type TlsOptions,
  unusableProxy,
} from '@tributary/push-source'
import type { SessionOptions } from '../transport/index.ts'
import { type Metadata, requestMetadata } from './metadata.ts'
import { oauthTls } from './oauth-keys.ts'
import { type GrpcConfig, grpcSpec, METADATA_PREFIX, tls } from './spec.ts'
import { type Target, targetName, targetsOf } from './target.ts'

/** The metadata of each call. Throws ConfigError on its key. */
export function metadataOf(config: GrpcConfig, props: Props): Metadata {
  return requestMetadata(config['grpc.metadata'], grpcSpec.prefixed(props, METADATA_PREFIX))
}

/** `host:port` of the first address: the name of the server in the source partition and in metrics. */
export function serverOf(config: GrpcConfig): string {
  return targetName(config['grpc.server.host'], config['grpc.server.port'])
}

/** The addresses to try, in order. Throws ConfigError. */
export function addressesOf(config: GrpcConfig): readonly Target[] {
  return targetsOf(config['grpc.server.host'], config['grpc.server.port'])
}

/** `package.Service/Method` */
export function methodOf(config: GrpcConfig): string {
  return `${config['grpc.service.name']}/${config['grpc.method.name']}`
}

/**
 * The one source partition of a connector. Without references it equals that of the JVM connector, whose offsets are therefore
 * found. `written`: see TaskContext; absent: the partition of earlier versions.
 */
export function sourcePartitionOf(config: GrpcConfig, written?: Props): SourcePartition {
  const text = (key: ServerKey): string => writtenText(written, key, String(config[key]))
  const [host, port] = [text('grpc.server.host'), text('grpc.server.port')]
  const server = hasReferences(host + port) ? `${host}:${port}` : serverOf(config)
  return { grpc_server: server, grpc_method: `${text('grpc.service.name')}/${text('grpc.method.name')}` }
}

type ServerKey = `grpc.${'server.host' | 'server.port' | 'service.name' | 'method.name'}`

/** Looks the task's offset up. */
export function offsetOf(
  offsets: Pick<Predecessor, 'offset'>,
  config: GrpcConfig,
  written?: Props,
): SourceOffset | null {
  return offsetOrFormer(offsets, sourcePartitionOf(config, written), sourcePartitionOf(config))
}

/** grpc-java has the same minimum. */
const KEEPALIVE_MIN_MS = 10_000

/** ms without data before a PING, as the user wishes; ≤ 0: off. */
export function keepaliveTimeMs(config: GrpcConfig): number {
  const wished = config['grpc.keepalive.time.ms']
  return wished > 0 ? Math.max(wished, KEEPALIVE_MIN_MS) : 0
}

/** The options of a connection to one of the addresses. `environment` may name a proxy. */
export function sessionOptions(
  config: GrpcConfig,
  address: Target,
  secure: SessionOptions['tls'],
  environment: NodeJS.ProcessEnv = process.env,
): Omit<SessionOptions, 'keepaliveTimeMs' | 'connectTimeoutMs'> {
  const authority = config['grpc.authority'] ?? address.authority
  const named = config['grpc.tls.server.name'] ?? config['grpc.authority']?.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  return {
    ...address,
    authority,
    tls: secure === null || named === undefined ? secure : { ...secure, servername: named },
    proxy: proxyOf(config, address, environment),
    keepaliveTimeoutMs: Math.max(1, config['grpc.keepalive.timeout.ms']),
  }
}

function proxyOf(config: GrpcConfig, address: Target, environment: NodeJS.ProcessEnv): ProxyOptions | null {
  if (address.path !== undefined) return null
  const url = config['grpc.proxy.url']
  return url === null ? proxyFor(address, environment) : { url: new URL(url) }
}

/** The proxy to the token endpoint. `grpc.proxy.url` counts as the first variable of the environment. */
export function tokenProxyOf(config: GrpcConfig, to: Endpoint, environment = process.env): ProxyOptions | null {
  const url = config['grpc.proxy.url']
  if (url === null) return proxyFor(to, environment)
  const proxy = proxyFor(to, { ...environment, grpc_proxy: url })
  return proxy === null ? null : { url: proxy.url }
}

/** Why proxies that the environment names are not used, one text for each host. */
export function unusedProxies(config: GrpcConfig, environment = process.env): string[] {
  if (config['grpc.proxy.url'] !== null) return []
  const hosts = addressesOf(config).flatMap(({ host, path }) => (path === undefined ? [host] : []))
  const token = config['grpc.oauth.token.url']
  if (token !== null) hosts.push(endpointOf(new URL(token)).host)
  return [...new Set(hosts)].flatMap((host) => unusableProxy({ host }, environment) ?? [])
}

/** Reads and checks the files for TLS to the token endpoint. Throws ConfigError on the key of a bad file. */
export function readTokenTls(config: GrpcConfig): Promise<TlsOptions> {
  return readTls(oauthTls.settings(config))
}

/** Reads and checks the files for TLS; null without TLS. Throws ConfigError on the key of a bad file. */
export async function readGrpcTls(config: GrpcConfig): Promise<TlsOptions | null> {
  if (!config['grpc.tls.enabled']) return null
  const options = await readTls(tls.settings(config))
  return config['grpc.tls.verify'] ? options : { ...options, rejectUnauthorized: false }
}
