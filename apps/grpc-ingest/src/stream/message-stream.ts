import type { IncomingHttpHeaders } from 'node:http2'
import { MAX_TIMER_MS } from '@tributary/async'
import { type CallListener, type GrpcStatus, localStatus, type ServerStreamCall } from '../transport/index.ts'

/** What is needed of a connection to run one call on it; GrpcSession is one. */
export interface Connection {
  call(
    request: StreamRequest,
    listener: CallListener,
  ): Pick<ServerStreamCall, 'pause' | 'resume' | 'finish' | 'abandon'>
  close(): void
}

export interface StreamRequest {
  /** `/package.Service/Method` */
  readonly path: string
  readonly metadata: Readonly<Record<string, string>>
  readonly message: Uint8Array
  /** 0: none */
  readonly deadlineMs: number
  readonly maxMessageBytes: number
}

export interface StreamListener {
  onMessages(messages: Buffer[]): void
  /** Once, after the last message, answered or not; not after `close`. */
  onEnd(status: GrpcStatus): void
}

/** Silence is noticed between the idle timeout and a quarter more. */
const TICKS = 4

/** A call with its connection, which ends with it, watched for silence. */
export class MessageStream {
  readonly #connection: Connection
  readonly #call: ReturnType<Connection['call']>
  readonly #listener: StreamListener
  readonly #answer = Promise.withResolvers<IncomingHttpHeaders>()
  readonly #idleTimer: NodeJS.Timeout | undefined
  #silentTicks = 0
  #paused = false
  #answered = false

  /** `idleTimeoutMs` 0: silence is fine. */
  constructor(connection: Connection, request: StreamRequest, idleTimeoutMs: number, listener: StreamListener) {
    this.#connection = connection
    this.#listener = listener
    // Whoever waits for the answer gets the status; nobody has to.
    this.#answer.promise.catch(() => {})
    this.#call = connection.call(request, {
      onHeaders: (headers) => {
        this.#answered = true
        this.#answer.resolve(headers)
      },
      onMessages: (messages) => {
        this.#silentTicks = 0
        listener.onMessages(messages)
      },
      onEnd: (status) => this.#ended(status),
    })
    if (idleTimeoutMs > 0) {
      const tickMs = Math.min(Math.ceil(idleTimeoutMs / TICKS), MAX_TIMER_MS)
      this.#idleTimer = setInterval(() => this.#tick(idleTimeoutMs), tickMs)
    }
  }

  /** The server has answered: headers came, and with them perhaps messages. */
  get answered(): boolean {
    return this.#answered
  }

  /** The answer's headers, as soon as they come; rejects when the stream ends before, or with the signal's reason. */
  async headers(signal: AbortSignal): Promise<IncomingHttpHeaders> {
    signal.throwIfAborted()
    const abort = (): void => this.#answer.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await this.#answer.promise
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  pause(): void {
    this.#paused = true
    this.#call.pause()
  }

  resume(): void {
    this.#paused = false
    // What we did not read while paused is no silence of the server.
    this.#silentTicks = 0
    this.#call.resume()
  }

  /** Hands out what has arrived, then ends as cancelled by us. */
  finish(): void {
    this.#call.finish(localStatus('CANCELLED', 'cancelled by us'))
  }

  /** Ends at once and silently. */
  close(): void {
    clearInterval(this.#idleTimer)
    this.#call.abandon()
    this.#connection.close()
  }

  #ended(status: GrpcStatus): void {
    clearInterval(this.#idleTimer)
    this.#connection.close()
    this.#answer.reject(new Error(`${status.status}: ${status.message}`))
    this.#listener.onEnd(status)
  }

  /** A timer set anew for each message would cost more than reading it, so silence is counted in ticks. */
  #tick(idleTimeoutMs: number): void {
    if (this.#paused) return
    this.#silentTicks++
    if (this.#silentTicks < TICKS) return
    this.#call.finish(localStatus('UNAVAILABLE', `no message came for ${idleTimeoutMs} ms (grpc.idle.timeout.ms)`))
  }
}
