import {
  ConfigError,
  type ConnectError,
  type FieldError,
  NotConnectedError,
  parseConfig,
  type Props,
} from '@tributary/connect-api'
import { checkTls, deniedServer, endpointOf, isUntrusted } from '@tributary/push-source'
import type { Metadata } from './config/metadata.ts'
import { HOST_KEY, type Target } from './config/target.ts'
import { accessTokenOf } from './stream/access-token.ts'
import { type GrpcConnection, openConnection } from './stream/connection.ts'
import type { Root } from './schema/index.ts'
import { addressesOf, metadataOf, methodOf, readGrpcTls, serverOf } from './config/settings.ts'
import { oauthTls } from './config/oauth-keys.ts'
import { type GrpcConfig, grpcSpec, tls } from './config/spec.ts'
import { StatusErrors } from './stream/status-errors.ts'
import { checkPlan } from './stream/stream-plan.ts'
import { CallError, type SessionOptions } from './transport/index.ts'

/** The validate route must answer within some seconds, whatever grpc.connection.timeout.ms allows. */
const TIME_LIMIT_MS = 5000

/**
 * Checks what the spec cannot express: metadata, TLS files, descriptor or reflection, method, request, fields. Returns
 * all errors, each on its key. A server that cannot be reached is an outage and not an error of the configuration: the
 * task will wait for it, so a connector can be created before its server is up.
 */
export async function validateGrpc(props: Props, signal: AbortSignal): Promise<FieldError[]> {
  const errors: FieldError[] = []
  const config = parseConfig(grpcSpec, props)
  const metadata = await collect(errors, () => metadataOf(config, props))
  const addresses = await collect(errors, () => addressesOf(config))
  const tlsErrors = [
    ...(config['grpc.tls.enabled'] ? await checkTls(tls.settings(config), signal) : []),
    ...(await checkTls(oauthTls.settings(config), signal)),
  ]
  errors.push(...tlsErrors.flatMap((error) => fieldError(error) ?? []))
  errors.push(...(await deniedServers(config, addresses ?? [])))
  if (metadata === undefined || addresses === undefined || errors.length > 0) return errors
  const options = await readGrpcTls(config)
  for (const error of await checkPlan(config, () => reflectOnce(config, metadata, options, signal), signal)) {
    const found = fieldError(error)
    if (found) errors.push(found)
  }
  return errors
}

/** Servers that the worker denies to connectors. */
async function deniedServers(config: GrpcConfig, addresses: readonly Target[]): Promise<FieldError[]> {
  const hosts = ['grpc.proxy.url', 'grpc.oauth.token.url'] as const
  const found = [
    ...addresses.map((address) => [HOST_KEY, address] as const),
    ...hosts.flatMap((key) => (config[key] === null ? [] : [[key, endpointOf(new URL(config[key]))] as const])),
  ].map(async ([field, { host, path }]) => {
    const error = await deniedServer({ host, path })
    return error === null ? [] : [{ field, message: error.message }]
  })
  return (await Promise.all(found)).flat()
}

async function reflectOnce(
  config: GrpcConfig,
  metadata: Metadata,
  options: SessionOptions['tls'],
  signal: AbortSignal,
): Promise<Root> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)])
  const token = accessTokenOf(config)
  let connection: GrpcConnection | undefined
  try {
    const complete = (await token?.addTo(metadata, until)) ?? metadata
    connection = await openConnection({ config, metadata: complete, tls: options, keepaliveTimeMs: 0 }, until)
    return await connection.reflect(
      new StatusErrors(`${serverOf(config)} ${methodOf(config)}`, config['grpc.reconnect.healthy.ms']),
      until,
    )
  } finally {
    connection?.close()
    token?.close()
  }
}

async function collect<T>(errors: FieldError[], read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    const found = fieldError(error)
    if (found === null) throw error
    errors.push(found)
    return undefined
  }
}

/** The error on its key; null for an outage. Throws any other error. */
function fieldError(error: unknown): FieldError | null {
  if (error instanceof ConfigError) return { field: error.field ?? 'grpc.service.name', message: error.message }
  if (error instanceof DOMException && error.name === 'TimeoutError') return null
  if (!(error instanceof NotConnectedError)) throw error
  return errorOfOutage(error)
}

/**
 * The errors that look like an outage but are the user's to fix: a certificate that is not trusted, refused
 * credentials.
 */
function errorOfOutage({ code, message, cause }: ConnectError): FieldError | null {
  if (isUntrusted(cause))
    return { field: code === 'GRPC_OAUTH' ? 'grpc.oauth.tls.ca.cert' : 'grpc.tls.ca.cert', message }
  if (
    cause instanceof CallError &&
    !cause.local &&
    (cause.status === 'UNAUTHENTICATED' || cause.status === 'PERMISSION_DENIED')
  ) {
    return { field: 'grpc.metadata', message }
  }
  return null
}
