import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import type { ConnectionListener, WebSocketConnection } from './connection.ts'
import { FeedSocket, type FeedSocketOptions } from './feed-socket.ts'
import { HandshakeRefused } from './handshake-refused.ts'
import { keepReading } from './keep-reading.ts'
import { LiveConnection } from './live-connection.ts'

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
