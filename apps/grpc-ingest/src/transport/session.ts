import { once } from 'node:events'
import * as http2 from 'node:http2'
import * as net from 'node:net'
import * as tls from 'node:tls'
import { MAX_TIMER_MS } from '@tributary/async'
import { dial, type ProxyOptions, type TlsOptions } from '@tributary/push-source'
import { type CallListener, type CallRequest, ServerStreamCall } from './call.ts'
import { CoalescingSocket, SocketReads } from './coalescing-socket.ts'
import { Keepalive } from './keepalive.ts'
import { grpcErrors } from '../errors.ts'
import { plainReason, tlsReason } from './not-http2.ts'
import { CLIENT_LIMITS, reasonOfHttp2, SETTINGS, WINDOW_BYTES } from './limits.ts'

/** ms without a message after which a connection with an error GOAWAY is given up, unless the server closed it before. */
const GOAWAY_SILENCE_MS = 1000
const CLOSED = new Error('the server closed the connection before it spoke HTTP/2')

/** ms of silence before TCP probes the peer. Libuv gives a peer up after ten probes, a second apart. */
const TCP_KEEPALIVE_MS = 30_000

export interface SessionOptions {
  readonly host: string
  readonly port: number
  /** Path of a Unix socket, which is then connected to instead. */
  readonly path?: string
  /** `:authority` of the calls; by default host and port. */
  readonly authority?: string
  /** null: plaintext HTTP/2 with prior knowledge. */
  readonly tls: TlsOptions | null
  /** null: connect directly to the server. */
  readonly proxy?: ProxyOptions | null
  /** ms for name lookup, TCP, TLS and HTTP/2 together; 0: no limit. */
  readonly connectTimeoutMs: number
  /** ms without traffic before a PING; ≤ 0: off. */
  readonly keepaliveTimeMs: number
  readonly keepaliveTimeoutMs: number
  /** See WINDOW_BYTES, the default. */
  readonly windowBytes?: number | undefined
}

export type CallOptions = Omit<CallRequest, 'authority' | 'scheme'>

/**
 * One HTTP/2 session. It is opened for one stream and closed with it, so that each reconnect looks the name up again.
 */
export class GrpcSession {
  readonly #session: http2.ClientHttp2Session
  readonly #keepalive: Keepalive
  readonly #scheme: 'http' | 'https'
  readonly #authority: string
  readonly #windowBytes: number
  #goawayTimer: NodeJS.Timeout | undefined
  /** The reason why the connection is gone, or will be after an error GOAWAY; null while it exists, and if it ended without a word. */
  lostBecause: string | null = null
  /** Called once when the server is about to close the connection, with no error (GOAWAY with NO_ERROR). */
  onEnding: () => void = () => {}
  /** The server closed the connection because of too many PINGs (gRFC A8: double the interval). */
  tooManyPings = false

  constructor(socket: net.Socket, reads: SocketReads, options: SessionOptions) {
    this.#windowBytes = options.windowBytes ?? WINDOW_BYTES
    this.#scheme = options.tls ? 'https' : 'http'
    const { host, port } = options
    this.#authority = options.authority ?? `${net.isIPv6(host) ? `[${host}]` : host}:${port}`
    this.#session = http2.connect(`${this.#scheme}://${this.#authority}`, {
      createConnection: () => new CoalescingSocket(socket, reads),
      settings: { ...SETTINGS, initialWindowSize: this.#windowBytes },
      ...CLIENT_LIMITS,
    })
    this.#keepalive = new Keepalive(this.#session, options.keepaliveTimeMs, options.keepaliveTimeoutMs)
    this.#session.on('error', (error) => {
      this.lostBecause ??= reasonOfHttp2(error)
    })
    this.#session.on('goaway', (code: number, _lastStream: number, data?: Buffer) => this.#goaway(code, data))
    this.#session.on('close', () => {
      this.#keepalive.stop()
      clearTimeout(this.#goawayTimer)
    })
  }

  get lost(): boolean {
    return this.lostBecause !== null || this.#session.destroyed
  }

  /** Resolves when the server has sent its HTTP/2 settings, which shows that it speaks the protocol. */
  async ready(signal: AbortSignal): Promise<void> {
    await once(this.#session, 'remoteSettings', { signal })
    this.#session.setLocalWindowSize(this.#windowBytes)
  }

  /** Starts a call. Throws NotConnectedError when the connection is gone. */
  call(options: CallOptions, listener: CallListener): ServerStreamCall {
    if (this.#session.closed || this.lost) {
      const reason = this.lostBecause ?? 'the server closed it'
      throw grpcErrors.GRPC_CONNECT(`The connection to ${this.#authority} is gone: ${reason}`)
    }
    const request = { ...options, scheme: this.#scheme, authority: this.#authority }
    const watched: CallListener = {
      onHeaders: (headers) => listener.onHeaders(headers),
      onMessages: (messages) => {
        this.#keepalive.read()
        this.#goawayTimer?.refresh()
        listener.onMessages(messages)
      },
      onEnd: (status) => listener.onEnd(status),
    }
    return new ServerStreamCall(this.#session, request, watched, this)
  }

  close(): void {
    this.#keepalive.stop()
    this.#session.destroy()
  }

  #goaway(code: number, data?: Buffer): void {
    if (code === http2.constants.NGHTTP2_NO_ERROR) {
      // A graceful server sends two, the second with the number of the last stream.
      const { onEnding } = this
      this.onEnding = () => {}
      return onEnding()
    }
    const words = data?.toString() ?? ''
    this.tooManyPings = code === http2.constants.NGHTTP2_ENHANCE_YOUR_CALM && words === 'too_many_pings'
    this.lostBecause ??= `the server sent GOAWAY with code ${code}${words === '' ? '' : ` (${words})`}`
    this.#readOn()
  }

  /**
   * After a GOAWAY with an error Node destroys the session, with everything that follows in the socket. The server may have sent
   * messages there, and even the status (RFC 9113, section 6.8), so the session goes on until its socket or its streams have ended.
   */
  #readOn(): void {
    const session = this.#session
    this.#keepalive.stop()
    // Node calls `destroy` right after this event. Only that call is left out.
    session.destroy = () => {
      delete (session as Partial<typeof session>).destroy
      session.close()
    }
    this.#goawayTimer ??= setTimeout(() => session.destroy(), GOAWAY_SILENCE_MS)
  }
}

/**
 * Looks the name up, connects, and waits for the settings of the server. Rejects with the error, or with the reason of
 * the signal.
 */
export async function openSession(options: SessionOptions, signal: AbortSignal): Promise<GrpcSession> {
  const closed = new AbortController()
  const timeout = new AbortController()
  const timer =
    options.connectTimeoutMs > 0
      ? setTimeout(
          () => timeout.abort(new Error(`no connection within ${options.connectTimeoutMs} ms`)),
          Math.min(options.connectTimeoutMs, MAX_TIMER_MS),
        )
      : undefined
  const giveUp = AbortSignal.any([signal, timeout.signal, closed.signal])
  giveUp.throwIfAborted()
  let socket: net.Socket | undefined
  let session: GrpcSession | undefined
  try {
    const reads = new SocketReads()
    socket = await connect(options, reads, giveUp)
    socket.once('close', () => closed.abort(CLOSED))
    // With TLS 1.3 the refusal of a client certificate arrives after the handshake, when the socket belongs to HTTP/2
    // already.
    socket.on('error', (error) => closed.abort(error))
    if (socket instanceof tls.TLSSocket && socket.alpnProtocol !== 'h2') {
      throw new Error('the server does not offer HTTP/2 over TLS (ALPN protocol h2)')
    }
    session = new GrpcSession(socket, reads, options)
    await session.ready(giveUp)
    return session
  } catch (error) {
    session?.close()
    socket?.destroy()
    const ended = giveUp.aborted && (error as Error).name === 'AbortError' ? (giveUp.reason as Error) : error
    signal.throwIfAborted()
    if (timeout.signal.aborted) throw ended
    throw await inWords(ended, options, signal)
  } finally {
    clearTimeout(timer)
  }
}

/** The error, with words on what the server speaks if that is not HTTP/2. */
async function inWords(
  error: unknown,
  { host, port, path, proxy = null, tls: security }: SessionOptions,
  signal: AbortSignal,
): Promise<unknown> {
  const broken = error === CLOSED || (error as NodeJS.ErrnoException).code === 'ERR_HTTP2_ERROR'
  const direct = path === undefined && proxy === null
  const asked = security === null && broken && direct ? await plainReason(host, port, signal) : undefined
  const reason = tlsReason(error) ?? asked
  if (reason !== undefined) return new Error(reason, { cause: error })
  return security === null && error === CLOSED
    ? new Error(`${CLOSED.message}; does it expect TLS (grpc.tls.enabled)?`)
    : error
}

async function connect(options: SessionOptions, { onread }: SocketReads, signal: AbortSignal): Promise<net.Socket> {
  const { tls: security, proxy = null } = options
  const socket = await dial(
    { ...options, secure: security !== null },
    { tls: security ?? {}, alpn: 'h2', proxy, onread },
    signal,
  )
  // TCP's own probes find a dead peer, and keep address translators from forgetting the connection. No gRPC server counts them.
  return socket.setKeepAlive(true, TCP_KEEPALIVE_MS)
}
