import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { MAX_TIMER_MS } from '@tributary/async'
import {
  dial,
  endpointOf,
  HandshakeRefused,
  Redirects,
  type TlsOptions,
  withoutClientCertificate,
} from '@tributary/push-source'
import { shownUrl } from '../config/config.ts'
import { type ConnectionListener, LiveConnection, type WebSocketConnection } from './connection.ts'
import { connectError } from './errors.ts'
import { FeedSocket, type FeedSocketOptions } from './feed-socket.ts'

export interface OpenOptions {
  /** `ws://` or `wss://`, without user and fragment. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Offered in order of preference. */
  readonly subprotocols: readonly string[]
  /** true: like headers, subprotocols are sent only to the configured server. */
  readonly subprotocolsMayBeSecret?: boolean
  readonly tls: TlsOptions
  /** `http://` or `https://`; null: connect directly to the server. */
  readonly proxyUrl: string | null
  /** Whether to offer permessage-deflate. */
  readonly compression: boolean
  readonly followRedirects: boolean
  readonly utf8Validation: boolean
  readonly maxMessageBytes: number
  /** Limit in ms for everything up to the handshake response; 0: no limit. */
  readonly timeoutMs: number
}

export type OpenWebSocket = (
  options: OpenOptions,
  listener: ConnectionListener,
  signal: AbortSignal,
) => Promise<WebSocketConnection>

/**
 * Connects and completes the opening handshake. No message is delivered before the caller's code after the `await` has
 * run up to its next wait. Rejects with NotConnectedError, with ConfigError if a retry cannot help, or with the
 * signal's reason.
 */
export const openWebSocket: OpenWebSocket = async (options, listener, signal) => {
  signal.throwIfAborted()
  const { timeoutMs } = options
  const timeout = new AbortController()
  const timer =
    timeoutMs > 0
      ? setTimeout(
          () => timeout.abort(new Error(`no connection within ${timeoutMs} ms`)),
          Math.min(timeoutMs, MAX_TIMER_MS),
        )
      : undefined
  try {
    return await openOrFollow(options, listener, AbortSignal.any([signal, timeout.signal]))
  } catch (error) {
    signal.throwIfAborted()
    throw connectError(shownUrl(options.url), error)
  } finally {
    clearTimeout(timer)
  }
}

async function openOrFollow(
  options: OpenOptions,
  listener: ConnectionListener,
  signal: AbortSignal,
): Promise<WebSocketConnection> {
  let { headers, subprotocols, tls } = options
  let url = new URL(options.url)
  const redirects = new Redirects(url)
  for (;;) {
    try {
      return await openOnce({ ...options, headers, subprotocols, tls }, url, listener, signal)
    } catch (error) {
      if (!options.followRedirects || !(error instanceof HandshakeRefused)) throw error
      const next = redirected(url, error)
      if (next === null) throw error
      const refusal = redirects.refusal(next)
      if (refusal !== null) throw error.after(refusal)
      // Headers may be secrets, and a certificate names the client. Both are meant only for the configured server.
      if (next.host !== url.host) {
        headers = {}
        tls = withoutClientCertificate(tls)
        if (options.subprotocolsMayBeSecret) subprotocols = []
      }
      url = next
    }
  }
}

async function openOnce(
  options: OpenOptions,
  url: URL,
  listener: ConnectionListener,
  signal: AbortSignal,
): Promise<WebSocketConnection> {
  const proxy = options.proxyUrl === null ? null : { url: new URL(options.proxyUrl) }
  const tcp = await dial(endpointOf(url), { tls: options.tls, alpn: 'http/1.1', proxy }, signal)
  return upgrade({ ...options, url, shownUrl: shownUrl(url.href) }, tcp, listener, signal)
}

/** The URL that a 3xx response redirects to; null if there is none, or if it leads from TLS to plain text. */
function redirected(from: URL, error: HandshakeRefused): URL | null {
  if (error.location === null) return null
  if (error.status < 300 || error.status > 399) return null
  const to = URL.parse(error.location, from.href)
  if (to === null || !/^(?:ws|http)s?:$/.test(to.protocol)) return null
  to.protocol = to.protocol.replace('http', 'ws')
  to.hash = ''
  return from.protocol === 'wss:' && to.protocol !== 'wss:' ? null : to
}

/** Characters of the body of a refusal that are read. */
const MAX_BODY_LENGTH = 2048
/** Limit in ms for reading the body. */
const BODY_TIMEOUT_MS = 1000
const PROTOCOL_HEADER = 'sec-websocket-protocol'

export interface UpgradeOptions extends FeedSocketOptions {
  readonly subprotocols: readonly string[]
  /** URL for errors, without secrets. */
  readonly shownUrl: string
}

/**
 * Performs the opening handshake (RFC 6455, section 4) on a TCP or TLS connection. Destroys the connection on failure.
 */
export function upgrade(
  options: UpgradeOptions,
  tcp: Socket,
  listener: ConnectionListener,
  signal: AbortSignal,
): Promise<WebSocketConnection> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocketConnection>()
  const { subprotocols, shownUrl } = options
  const offered = subprotocols.length > 0 ? { 'Sec-WebSocket-Protocol': subprotocols.join(', ') } : {}
  keepReading(tcp)
  const socket = new FeedSocket({ ...options, headers: { ...options.headers, ...offered } }, tcp)
  let chosen = ''
  const fail = (error: unknown): void => {
    signal.removeEventListener('abort', aborted)
    reject(error)
    // Without this, `ws` would continue a handshake whose response it has already received.
    socket.terminate()
    tcp.destroy()
  }
  const aborted = (): void => fail(signal.reason)
  signal.addEventListener('abort', aborted, { once: true })
  tcp.on('error', fail)
  socket.on('error', fail)
  if (signal.aborted) aborted()
  socket.on('upgrade', ({ headers }) => {
    chosen = headers[PROTOCOL_HEADER] ?? ''
    if (chosen !== '' && !subprotocols.includes(chosen)) {
      fail(new Error(`the server chose the subprotocol "${chosen}", which was not offered`))
    }
    // `ws` rejects a server that chooses no subprotocol, which RFC 6455 allows. The choice is therefore checked here.
    delete headers[PROTOCOL_HEADER]
  })
  socket.on('unexpected-response', (_request, response) => {
    // The server has refused, whether or not its body can be read.
    signal.removeEventListener('abort', aborted)
    for (const emitter of [socket, tcp]) emitter.off('error', fail).on('error', () => {})
    void readBody(response, signal).then((body) => fail(new HandshakeRefused('The server', response, body)))
  })
  socket.on('open', () => {
    signal.removeEventListener('abort', aborted)
    socket.off('error', fail)
    tcp.off('error', fail)
    resolve(new LiveConnection({ socket, tcp, subprotocol: chosen, shownUrl, listener }))
  })
  return promise
}

/** The beginning of a body: as much as arrives in time. */
async function readBody(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  addAbortSignal(AbortSignal.any([signal, AbortSignal.timeout(BODY_TIMEOUT_MS)]), response)
  let body = ''
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      body += chunk as string
      if (body.length > MAX_BODY_LENGTH) break
    }
  } catch {
    // The status is enough; a truncated body is used as far as it was read.
    return body
  }
  return body
}

type WriteCallback = (error?: Error | null) => void

/**
 * Keeps a socket readable after a failed write. Node would destroy the socket and with it all data that has arrived but
 * is not read yet, for example during a pause. If a server sends its last messages and closes while we answer its ping,
 * these messages would be lost. The end of the readable side reports the end of the connection in any case, after the
 * last byte.
 */
export function keepReading(socket: Socket): void {
  const write = socket._write.bind(socket)
  socket._write = (chunk, encoding, done: WriteCallback) => write(chunk, encoding, () => done())
  const writev = socket._writev?.bind(socket)
  if (writev) socket._writev = (chunks, done: WriteCallback) => writev(chunks, () => done())
}
