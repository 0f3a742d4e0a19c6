import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { MAX_TIMER_MS } from '@tributary/async'
import { shownUrl } from '../config/config.ts'
import { type ConnectionListener, LiveConnection, type WebSocketConnection } from './connection.ts'
import { dial, endpointOf, type TlsOptions } from './dial.ts'
import { connectError, HandshakeRefused } from './errors.ts'
import { FeedSocket, type FeedSocketOptions } from './feed-socket.ts'

const MAX_REDIRECTS = 5

export interface OpenOptions {
  /** `ws://` or `wss://`, without user and fragment. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Offered, the preferred one first. */
  readonly subprotocols: readonly string[]
  /** Offered only to the server that was configured, as headers are. */
  readonly subprotocolsMayBeSecret?: boolean
  readonly tls: TlsOptions
  /** `http://` or `https://`; null: straight to the server. */
  readonly proxyUrl: string | null
  /** Is permessage-deflate offered? */
  readonly compression: boolean
  readonly followRedirects: boolean
  readonly utf8Validation: boolean
  readonly maxMessageBytes: number
  /** ms for everything up to the handshake's answer; 0: no limit. */
  readonly timeoutMs: number
}

export type OpenWebSocket = (
  options: OpenOptions,
  listener: ConnectionListener,
  signal: AbortSignal,
) => Promise<WebSocketConnection>

/**
 * Connects. No message comes before the caller's code behind the `await` has run up to its own next wait. Rejects with
 * NotConnectedError, ConfigError for what no second try heals, or the signal's reason.
 */
export const openWebSocket: OpenWebSocket = async (options, listener, signal) => {
  signal.throwIfAborted()
  const { timeoutMs } = options
  const late = new AbortController()
  const timer =
    timeoutMs > 0
      ? setTimeout(
          () => late.abort(new Error(`no connection within ${timeoutMs} ms`)),
          Math.min(timeoutMs, MAX_TIMER_MS),
        )
      : undefined
  try {
    return await openOrFollow(options, listener, AbortSignal.any([signal, late.signal]))
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
  let { headers, subprotocols } = options
  let url = new URL(options.url)
  for (let redirects = 0; ; redirects++) {
    try {
      return await openOnce({ ...options, headers, subprotocols }, url, listener, signal)
    } catch (error) {
      if (!options.followRedirects || redirects === MAX_REDIRECTS) throw error
      const next = redirected(url, error)
      if (next === null) throw error
      // They may be secrets, and are meant for the server that was configured.
      if (next.host !== url.host) {
        headers = {}
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
  const tcp = await dial(endpointOf(url), { tls: options.tls, proxy }, signal)
  return upgrade({ ...options, url, shownUrl: shownUrl(url.href) }, tcp, listener, signal)
}

/** Where a refusal sends us; null: nowhere. From TLS to plain text is not a way. */
function redirected(from: URL, error: unknown): URL | null {
  if (!(error instanceof HandshakeRefused) || error.location === null) return null
  if (error.status < 300 || error.status > 399) return null
  const to = URL.parse(error.location, from.href)
  if (to === null || !/^(?:ws|http)s?:$/.test(to.protocol)) return null
  to.protocol = to.protocol.replace('http', 'ws')
  to.hash = ''
  return from.protocol === 'wss:' && to.protocol !== 'wss:' ? null : to
}

/** Bytes of a refusal that are read for its words. */
const MAX_WORDS = 2048
/** ms that they may take to come. */
const WORDS_TIMEOUT_MS = 1000
const PROTOCOL_HEADER = 'sec-websocket-protocol'

export interface UpgradeOptions extends FeedSocketOptions {
  readonly subprotocols: readonly string[]
  /** The address as errors may show it. */
  readonly shownUrl: string
}

/** The opening handshake (RFC 6455, section 4) over a connection that is there; takes it over, also when it fails. */
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
  let protocol = ''
  const fail = (error: unknown): void => {
    signal.removeEventListener('abort', aborted)
    reject(error)
    // `ws` would go on with a handshake whose answer it has in its hands.
    socket.terminate()
    tcp.destroy()
  }
  const aborted = (): void => fail(signal.reason)
  signal.addEventListener('abort', aborted, { once: true })
  tcp.on('error', fail)
  socket.on('error', fail)
  if (signal.aborted) aborted()
  socket.on('upgrade', ({ headers }) => {
    protocol = headers[PROTOCOL_HEADER] ?? ''
    if (protocol !== '' && !subprotocols.includes(protocol)) {
      fail(new Error(`the server chose the subprotocol "${protocol}", which was not offered`))
    }
    // `ws` refuses a server that chooses none, which RFC 6455 allows, so the choice is judged here.
    delete headers[PROTOCOL_HEADER]
  })
  socket.on('unexpected-response', (_request, response) => {
    // From here on it is a refusal, whatever becomes of its body.
    signal.removeEventListener('abort', aborted)
    for (const emitter of [socket, tcp]) emitter.off('error', fail).on('error', () => {})
    void wordsOf(response, signal).then((words) => fail(new HandshakeRefused('The server', response, words)))
  })
  socket.on('open', () => {
    signal.removeEventListener('abort', aborted)
    socket.off('error', fail)
    tcp.off('error', fail)
    resolve(new LiveConnection({ socket, tcp, protocol, shownUrl, listener }))
  })
  return promise
}

/** The beginning of a body: what came of it in time. */
async function wordsOf(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  addAbortSignal(AbortSignal.any([signal, AbortSignal.timeout(WORDS_TIMEOUT_MS)]), response)
  let words = ''
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      words += chunk as string
      if (words.length > MAX_WORDS) break
    }
  } catch {
    // The status says what matters; a body that broke off has no more to tell.
    return words
  }
  return words
}

type Written = (error?: Error | null) => void

/**
 * Makes a socket outlive a write that fails. Node would destroy it, and with it all that has arrived and was not read
 * yet, such as what waits behind a pause: a server that sends its last messages and goes, while we answer its ping, would
 * lose them. The end of what can be read tells of the end in any case, after the last byte.
 */
export function keepReading(socket: Socket): void {
  const write = socket._write.bind(socket)
  socket._write = (chunk, encoding, done: Written) => write(chunk, encoding, () => done())
  const writev = socket._writev?.bind(socket)
  if (writev) socket._writev = (chunks, done: Written) => writev(chunks, () => done())
}
