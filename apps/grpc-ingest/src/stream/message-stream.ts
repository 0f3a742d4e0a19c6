import type { IncomingHttpHeaders } from 'node:http2'
import { abortable, MAX_TIMER_MS } from '@tributary/async'
import {
  type CallListener,
  type GrpcStatus,
  localStatus,
  type MessageRun,
  type ServerStreamCall,
} from '../transport/index.ts'

/** The part of GrpcSession that a stream needs to run one call. */
export interface Connection {
  call(
    request: StreamRequest,
    listener: CallListener,
  ): Pick<ServerStreamCall, 'pause' | 'resume' | 'send' | 'finish' | 'abandon'>
  close(): void
}

export interface StreamRequest {
  /** `/package.Service/Method` */
  readonly path: string
  readonly metadata: Readonly<Record<string, string>>
  readonly message: Uint8Array
  /** The client's side stays open. */
  readonly keepOpen?: boolean
  /** A message to send again and again, which needs `keepOpen`; `everyMs` > 0. */
  readonly repeat?: { readonly message: Uint8Array; readonly everyMs: number } | null
  /** 0: none */
  readonly deadlineMs: number
  readonly maxMessageBytes: number
}

export interface StreamListener {
  onMessages(messages: MessageRun): void
  /** Called once, after the last message, whether the server has answered or not. Not called after `close`. */
  onEnd(status: GrpcStatus): void
}

/** Silence is noticed between one and one and a quarter times the idle timeout. */
const TICKS = 4
/** The next tick may come at once, so it does not count. */
const BEFORE_FIRST_TICK = -1

/** A call and its connection, which is closed with it. It watches the call for silence. */
export class MessageStream {
  readonly #connection: Connection
  readonly #call: ReturnType<Connection['call']>
  readonly #listener: StreamListener
  readonly #answer = Promise.withResolvers<IncomingHttpHeaders>()
  readonly #idleTimer: NodeJS.Timeout | undefined
  readonly #repeatTimer: NodeJS.Timeout | undefined
  #silentTicks = 0
  #paused = false
  #answered = false

  /** `idleTimeoutMs` 0: silence is never an error. */
  constructor(connection: Connection, request: StreamRequest, idleTimeoutMs: number, listener: StreamListener) {
    this.#connection = connection
    this.#listener = listener
    // A caller of `headers` gets the status; without one the rejection must not end the process.
    this.#answer.promise.catch(() => {})
    this.#call = connection.call(request, {
      onHeaders: (headers) => {
        this.#answered = true
        this.#answer.resolve(headers)
      },
      onMessages: (messages) => {
        this.#silentTicks = BEFORE_FIRST_TICK
        listener.onMessages(messages)
      },
      onEnd: (status) => this.#ended(status),
    })
    const { repeat } = request
    if (repeat) {
      this.#repeatTimer = setInterval(() => this.#call.send(repeat.message), Math.min(repeat.everyMs, MAX_TIMER_MS))
    }
    if (idleTimeoutMs > 0) {
      const tickMs = Math.min(Math.ceil(idleTimeoutMs / TICKS), MAX_TIMER_MS)
      this.#idleTimer = setInterval(() => this.#tick(idleTimeoutMs), tickMs)
    }
  }

  /** Whether the server has answered with headers, and perhaps with messages. */
  get answered(): boolean {
    return this.#answered
  }

  /**
   * Resolves to the response headers when they arrive. Rejects when the stream ends before, or with the reason of the
   * signal.
   */
  headers(signal: AbortSignal): Promise<IncomingHttpHeaders> {
    return abortable(this.#answer.promise, signal)
  }

  pause(): void {
    this.#paused = true
    this.#call.pause()
  }

  resume(): void {
    this.#paused = false
    // Messages that were not read during the pause are no silence of the server.
    this.#silentTicks = BEFORE_FIRST_TICK
    this.#call.resume()
  }

  /** Delivers the messages that have arrived, then ends as cancelled by this client. */
  finish(): void {
    this.#call.finish(localStatus('CANCELLED', 'cancelled by us'))
  }

  /** Ends at once. The listener is not called any more. */
  close(): void {
    clearInterval(this.#idleTimer)
    clearInterval(this.#repeatTimer)
    this.#call.abandon()
    this.#connection.close()
  }

  #ended(status: GrpcStatus): void {
    clearInterval(this.#idleTimer)
    clearInterval(this.#repeatTimer)
    this.#connection.close()
    this.#answer.reject(new Error(`${status.status}: ${status.message}`))
    this.#listener.onEnd(status)
  }

  /**
   * Silence is counted in ticks, because setting a timer again for each message would cost more than reading the
   * message.
   */
  #tick(idleTimeoutMs: number): void {
    if (this.#paused) return
    this.#silentTicks++
    if (this.#silentTicks < TICKS) return
    this.#call.finish(localStatus('UNAVAILABLE', `no message came for ${idleTimeoutMs} ms (grpc.idle.timeout.ms)`))
  }
}
