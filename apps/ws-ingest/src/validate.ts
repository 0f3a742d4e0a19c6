import {
  ConfigError,
  type FieldError,
  maxTasksOf,
  type OffsetEntry,
  parseConfig,
  type Props,
} from '@tributary/connect-api'
import { registryError } from '@tributary/converters/body'
import {
  checkTls,
  deniedServer,
  dial,
  type DialOptions,
  endpointOf,
  isUntrusted,
  reasonOf,
  sequenceNumber,
} from '@tributary/push-source'
import { shownUrl, tls, urlsOf, type WebSocketConfig, websocketSpec, withoutUserInfo } from './config/config.ts'
import { backfillTls } from './config/sequence-keys.ts'
import { readWebSocketTls } from './connection/dialer.ts'
import { compileProtocol } from './connection/feed-protocol.ts'
import { HandshakeTemplate } from './connection/handshake.ts'
import { recordErrors } from './record/record-plan.ts'
import { backfillErrors } from './sequence/backfill.ts'
import { wsErrors } from './errors.ts'

/** Limit in ms, so that the validate route answers soon whatever websocket.connection.timeout.ms is. */
const TIME_LIMIT_MS = 5000

/**
 * Every error that the declared checks of the spec cannot find. Throws ConfigError if the configuration does not parse.
 */
export async function configErrors(props: Props, signal: AbortSignal): Promise<FieldError[]> {
  const config = parseConfig(websocketSpec, props)
  const errors = [
    ...urlErrors(props),
    ...protocolErrors(config, props),
    ...recordErrors(config, props),
    ...backfillErrors(config),
  ]
  return [...errors, ...(await connectionErrors(config, props, signal))]
}

/** Each URL needs a task and source partition of its own. */
function urlErrors(props: Props): FieldError[] {
  const urls = urlsOf(props)
  const errors: FieldError[] = []
  const maxTasks = maxTasksOf(props)
  if (urls.length > maxTasks) errors.push({ field: 'tasks.max', message: tooFewTasks(urls.length, maxTasks) })
  if (new Set(urls.map(withoutUserInfo)).size < urls.length) {
    const field = 'websocket.additional.urls'
    errors.push({ field, message: `Invalid value [hidden] for configuration ${field}: a URL is there twice` })
  }
  return errors
}

function protocolErrors(config: WebSocketConfig, props: Props): FieldError[] {
  const errors: FieldError[] = []
  compileProtocol(config, props, ({ field, message }) => errors.push({ field: field ?? 'websocket.url', message }))
  return errors
}

export function tooFewTasks(urls: number, maxTasks: number): string {
  return `Invalid value ${maxTasks} for configuration tasks.max: each of the ${urls} URLs is a task, so it must be at least ${urls}`
}

/**
 * Checks headers and query, TLS files, and whether the certificate of each server is trusted. No opening handshake is
 * made, because a server may limit connections. An unreachable server is an outage, not a configuration error: the task
 * will wait for the server, so a connector can be created before its server.
 */
async function connectionErrors(config: WebSocketConfig, props: Props, signal: AbortSignal): Promise<FieldError[]> {
  const found = [
    handshakeErrors(config, props),
    await checkTls(tls.settings(config), signal),
    await checkTls(backfillTls.settings(config), signal),
    (await registryError(props)) ?? [],
  ]
  const errors = found.flat().map(fieldError)
  if (errors.length > 0) return errors
  const proxy = config['websocket.proxy.url']
  const options = {
    alpn: 'http/1.1',
    tls: await readWebSocketTls(config),
    proxy: proxy === null ? null : { url: new URL(proxy) },
  }
  const denied = await deniedServers(config, props)
  if (denied.length > 0) return denied
  const until = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)])
  const untrusted = await Promise.all(urlsOf(props).map((url) => untrustedServer(url, options, until)))
  signal.throwIfAborted()
  return untrusted.flatMap((error) => error ?? [])
}

/** Servers that the worker denies to connectors, as far as their hosts are no templates. */
async function deniedServers(config: WebSocketConfig, props: Props): Promise<FieldError[]> {
  const keys = ['websocket.proxy.url', 'backfill.url', 'backfill.proxy.url'] as const
  const named = [
    ...urlsOf(props).map((url) => ['websocket.url', url] as const),
    ...keys.flatMap((key) => (config[key] ? [[key, config[key]] as const] : [])),
  ].map(async ([field, text]) => {
    const url = URL.parse(text)
    const error = url === null || url.host.includes('{{') ? null : await deniedServer(endpointOf(url))
    return error === null ? [] : [{ field, message: error.message }]
  })
  return (await Promise.all(named)).flat()
}

function handshakeErrors(config: WebSocketConfig, props: Props): ConfigError[] {
  try {
    new HandshakeTemplate(config, props)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return [error]
    throw error
  }
}

function fieldError({ field, message }: ConfigError): FieldError {
  return { field: field ?? 'websocket.url', message }
}

/** null: the certificate is trusted, the URL is not wss://, its host is a template, or the server is unreachable. */
async function untrustedServer(text: string, options: DialOptions, signal: AbortSignal): Promise<FieldError | null> {
  const url = URL.parse(text)
  if (url?.protocol !== 'wss:' || url.host.includes('{{')) return null
  try {
    const socket = await dial(endpointOf(url), options, signal)
    socket.destroy()
    return null
  } catch (error) {
    if (!isUntrusted(error)) return null
    const message = `Cannot connect to ${shownUrl(text)}: ${reasonOf(error)}`
    const named = (error as { code?: unknown }).code === 'ERR_TLS_CERT_ALTNAME_INVALID'
    return { field: named ? 'websocket.tls.server.name' : 'websocket.tls.ca.cert', message }
  }
}

/**
 * Throws ConfigError for offsets that no task of the connector could have written. The offset of a URL that is no
 * longer configured can only be deleted.
 */
export function checkOffsets(props: Props, offsets: readonly OffsetEntry[], written: Props): void {
  const config = parseConfig(websocketSpec, props)
  const urls = urlsOf(written).map(withoutUserInfo)
  for (const { partition, offset } of offsets) {
    const { websocket_url: url, stream } = partition
    if (!isText(url)) throw invalid('a source partition has the field websocket_url')
    if (stream !== undefined && !isText(stream)) throw invalid('stream must be a string')
    if (offset === null) continue
    if (!urls.includes(url)) throw invalid('websocket_url is none of the URLs that this connector reads')
    if (stream !== undefined && !config['sequence.key.field']) {
      throw invalid('stream needs sequence.key.field in the configuration')
    }
    checkOffset(offset, config)
  }
}

function checkOffset(offset: NonNullable<OffsetEntry['offset']>, config: WebSocketConfig): void {
  const { session_id: session, sequence, stream_sequence: number, stream_digests: digests } = offset
  if (isSet(session) && !isText(session)) throw invalid('session_id must be a string')
  if (isSet(sequence) && !(Number.isSafeInteger(sequence) && Number(sequence) >= 0)) {
    throw invalid('sequence must be a whole number from 0')
  }
  if (isSet(digests) && !isText(digests)) throw invalid('stream_digests must be a string')
  if (!isSet(number)) return
  if (!config['sequence.field']) throw invalid('stream_sequence needs sequence.field in the configuration')
  if (typeof number === 'string' || sequenceNumber(number) === null) {
    throw invalid('stream_sequence must be a whole number')
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isSet<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null
}

function invalid(reason: string): ConfigError {
  return wsErrors.WEBSOCKET_OFFSET(`Invalid offset for a WebSocket source: ${reason}`)
}
