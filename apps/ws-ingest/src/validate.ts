import { ConfigError, type FieldError, type Props } from '@tributary/connect-api'
import { checkTls, isUntrusted, reasonOf } from '@tributary/push-source'
import { readWebSocketTls, tlsSettings } from './dialer.ts'
import { Handshake } from './handshake.ts'
import { shownUrl, urlsOf } from './settings.ts'
import type { WebSocketConfig } from './spec.ts'
import { dial, type DialOptions, endpointOf } from './transport/index.ts'

/** The validate route answers within some seconds, whatever websocket.connection.timeout.ms allows. */
const TIME_LIMIT_MS = 5000

/**
 * What the declarative spec cannot tell of the connection: headers and query, TLS files, and whether the certificate of
 * each server is trusted. No handshake is made, as a server may count sessions. A server that cannot be reached is an
 * outage, not an error of the configuration: the task will wait for it, so a connector can be created before its server.
 */
export async function connectionErrors(
  config: WebSocketConfig,
  props: Props,
  signal: AbortSignal,
): Promise<FieldError[]> {
  const errors = [...handshakeErrors(config, props), ...(await checkTls(tlsSettings(config)))].map(fieldError)
  if (errors.length > 0) return errors
  const proxy = config['websocket.proxy.url']
  const options = { tls: await readWebSocketTls(config), proxy: proxy === null ? null : { url: new URL(proxy) } }
  const until = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)])
  const untrusted = await Promise.all(urlsOf(props).map((url) => untrustedServer(url, options, until)))
  signal.throwIfAborted()
  return untrusted.flatMap((error) => error ?? [])
}

function handshakeErrors(config: WebSocketConfig, props: Props): ConfigError[] {
  try {
    new Handshake(config, props)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return [error]
    throw error
  }
}

function fieldError({ field, message }: ConfigError): FieldError {
  return { field: field ?? 'websocket.url', message }
}

/** null for plain text, a host that is a template, an outage. */
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
