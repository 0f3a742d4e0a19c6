import { once } from 'node:events'
import * as http2 from 'node:http2'
import * as net from 'node:net'
import * as tls from 'node:tls'
import { MAX_TIMER_MS } from '@tributary/async'
import { reasonOf } from '@tributary/push-source'
import { type CallListener, type CallRequest, ServerStreamCall } from './call.ts'
import { Keepalive } from './keepalive.ts'
import { grpcErrors } from '../errors.ts'

/**
 * Bytes of a stream that a server may send before any are read: DEFAULT_FLOW_CONTROL_WINDOW of grpc-java. The default
 * of HTTP/2, 64 KiB, would limit a stream to 64 KiB in each round trip.
 */
export const WINDOW_BYTES = 1024 * 1024
const MIN_WINDOW_BYTES = 64 * 1024

/**
 * The window of a stream whose task may have `fairShare` bytes of the process's memory: while the stream is paused, Node keeps a
 * window full of its messages beside the queue, and nobody counts them.
 */
export function windowBytesFor(fairShare: number): number {
  return Math.floor(Math.min(WINDOW_BYTES, Math.max(MIN_WINDOW_BYTES, fairShare / 4)))
}

export interface SessionOptions {
  readonly host: string
  readonly port: number
  /** null: plaintext HTTP/2 with prior knowledge. */
  readonly tls: tls.SecureContextOptions | null
  /** ms for name lookup, TCP, TLS and HTTP/2 together; 0: no limit. */
  readonly connectTimeoutMs: number
  /** ms without traffic before a PING; ≤ 0: off. */
  readonly keepaliveTimeMs: number
  readonly keepaliveTimeoutMs: number
  /** See WINDOW_BYTES, the default. */
  readonly windowBytes?: number
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
  /** The reason why the connection is gone; null while it exists. */
  lostBecause: string | null = null
  /** The server closed the connection because of too many PINGs (gRFC A8: double the interval). */
  tooManyPings = false

  constructor(socket: net.Socket, options: SessionOptions) {
    this.#windowBytes = options.windowBytes ?? WINDOW_BYTES
    this.#scheme = options.tls ? 'https' : 'http'
    this.#authority = `${net.isIPv6(options.host) ? `[${options.host}]` : options.host}:${options.port}`
    this.#session = http2.connect(`${this.#scheme}://${this.#authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: this.#windowBytes },
      // In MB. Node's default, 10, would reset streams whose window is full.
      maxSessionMemory: 1000,
    })
    this.#keepalive = new Keepalive(this.#session, options.keepaliveTimeMs, options.keepaliveTimeoutMs)
    this.#session.on('error', (error) => {
      this.lostBecause ??= reasonOf(error)
    })
    // Node's session does not end with its socket when TLS fails.
    socket.on('error', (error) => this.#session.destroy(error))
    this.#session.on('goaway', (code: number, _lastStream: number, data?: Buffer) => this.#goaway(code, data))
    this.#session.on('close', () => this.#keepalive.stop())
  }

  /** Resolves when the server has sent its HTTP/2 settings, which shows that it speaks the protocol. */
  async ready(signal: AbortSignal): Promise<void> {
    await once(this.#session, 'remoteSettings', { signal })
    this.#session.setLocalWindowSize(this.#windowBytes)
  }

  /** Starts a call. Throws NotConnectedError when the connection is gone. */
  call(options: CallOptions, listener: CallListener): ServerStreamCall {
    if (this.#session.closed || this.#session.destroyed) {
      const reason = this.lostBecause ?? 'the server closed it'
      throw grpcErrors.GRPC_CONNECT(`The connection to ${this.#authority} is gone: ${reason}`)
    }
    const request = { ...options, scheme: this.#scheme, authority: this.#authority }
    const watched: CallListener = {
      onHeaders: (headers) => listener.onHeaders(headers),
      onMessages: (messages) => {
        this.#keepalive.read()
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
    if (code === http2.constants.NGHTTP2_NO_ERROR) return
    const words = data?.toString() ?? ''
    this.tooManyPings = code === http2.constants.NGHTTP2_ENHANCE_YOUR_CALM && words === 'too_many_pings'
    this.lostBecause ??= `the server sent GOAWAY with code ${code}${words === '' ? '' : ` (${words})`}`
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
  const socket = dial(options)
  socket.once('close', () => closed.abort(new Error('the server closed the connection before it spoke HTTP/2')))
  // With TLS 1.3 the refusal of a client certificate arrives after the handshake, when the socket belongs to HTTP/2
  // already.
  socket.on('error', (error) => closed.abort(error))
  let session: GrpcSession | undefined
  try {
    await once(socket, options.tls ? 'secureConnect' : 'connect', { signal: giveUp })
    if (socket instanceof tls.TLSSocket && socket.alpnProtocol !== 'h2') {
      throw new Error('the server does not offer HTTP/2 over TLS (ALPN protocol h2)')
    }
    session = new GrpcSession(socket, options)
    await session.ready(giveUp)
    return session
  } catch (error) {
    session?.close()
    socket.destroy()
    throw giveUp.aborted && (error as Error).name === 'AbortError' ? giveUp.reason : error
  } finally {
    clearTimeout(timer)
  }
}

function dial({ host, port, tls: security }: SessionOptions): net.Socket {
  // RFC 6066 forbids addresses in the server name indication.
  const name = net.isIP(host) === 0 ? { servername: host } : {}
  const socket = security
    ? tls.connect({ ...security, ...name, host, port, ALPNProtocols: ['h2'] })
    : net.connect({ host, port })
  return socket.setNoDelay(true)
}
