import type { IncomingHttpHeaders } from 'node:http2'
import { type Clock, type MemoryShare, packedCost, type TaskStats } from '@tributary/connect-api'
import { Intake, type IntakeConnection, type RateLimitedLog } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { flow, type GrpcConfig } from '../config/spec.ts'
import { completedError, StreamCompleted } from './completion.ts'
import type { StatusErrors } from './status-errors.ts'
import { type Connection, MessageStream, type StreamRequest } from './message-stream.ts'
import { eachOf, type GrpcStatus, type MessageRun, splitRun } from '../transport/index.ts'
import { grpcErrors } from '../errors.ts'

export interface StreamIntakeOptions {
  readonly config: GrpcConfig
  readonly statusErrors: StatusErrors
  readonly stats: TaskStats
  readonly memory: MemoryShare
  readonly clock: Clock
  readonly log: Logger
  readonly busyLog: RateLimitedLog
  /** See IntakeOptions of push-source. */
  readonly offer: (() => boolean) | undefined
}

/**
 * Moves messages from the stream to the bounded queue. A full queue pauses the stream, which closes its HTTP/2 window.
 */
export class StreamIntake {
  readonly #options: StreamIntakeOptions
  readonly #intake: Intake<MessageRun>
  /** Messages are dropped one by one. */
  readonly #drops: boolean
  #stream: MessageStream | null = null
  /** Messages received on the present stream. */
  #received = 0
  /** When the present stream was accepted, monotonic ms; null before. */
  #acceptedAt: number | null = null
  /** The present stream has ended with StreamCompleted, and no message of it was dropped. */
  #completed = false

  constructor(options: StreamIntakeOptions) {
    const { config, stats, memory, clock, busyLog } = options
    this.#options = options
    this.#intake = new Intake({
      ...flow.options(config),
      stats,
      memory,
      clock,
      busyLog,
      recordCost: packedCost,
      split: splitRun,
      offer: options.offer,
    })
    this.#drops = config['overflow.policy'] === 'drop'
  }

  get connected(): boolean {
    return this.#stream?.answered ?? false
  }

  /** Whether the end of a drained intake is also the end of a completed stream, which `take` cannot throw then. */
  get completed(): boolean {
    return this.#completed
  }

  /**
   * Starts a call on its own connection and waits for the response headers. Rejects with the error for the end of the
   * call.
   */
  async open(connection: Connection, request: StreamRequest, signal: AbortSignal): Promise<IncomingHttpHeaders> {
    this.close()
    this.#received = 0
    this.#acceptedAt = null
    this.#completed = false
    const intake = this.#intake.open()
    let end: Error | null = null
    const idleTimeoutMs = this.#options.config['grpc.idle.timeout.ms']
    try {
      this.#stream = new MessageStream(connection, request, idleTimeoutMs, {
        onMessages: (messages) => this.#receive(messages, intake),
        onEnd: (status) => {
          end = this.#ended(status, intake)
        },
      })
      intake.attach({ pause: () => this.#stream?.pause(), resume: () => this.#stream?.resume() })
      const headers = await this.#stream.headers(signal)
      this.#acceptedAt = this.#options.clock.monotonic()
      return headers
    } catch (error) {
      this.close()
      throw end ?? error
    }
  }

  /** Takes as many messages as a poll may have, in order; [] after `waitMs` without one, null at the end of a drained intake. */
  take(waitMs: number, signal: AbortSignal): Promise<MessageRun[] | null> {
    return this.#intake.take(this.#options.config['max.poll.records'], waitMs, signal)
  }

  /** As `take`, for `offer`: without a wait, and while `take` waits. */
  takeNow(): MessageRun[] {
    return this.#intake.takeNow(this.#options.config['max.poll.records'])
  }

  /** Drops the queued messages. The stream then does not count as read to its end. */
  async discard(signal: AbortSignal): Promise<void> {
    this.#completed = false
    await this.#intake.take(Infinity, 0, signal)
  }

  /** Ends the intake: queues the messages that have arrived, then cancels the call. */
  drain(): void {
    this.#intake.drain()
    this.#stream?.finish()
  }

  /** Ends the present stream at once. */
  close(): void {
    this.#stream?.close()
    this.#stream = null
  }

  #receive(messages: MessageRun, intake: IntakeConnection<MessageRun>): void {
    const { count, size } = messages
    if (this.#drops) for (const run of eachOf(messages)) intake.push(run, run.size)
    else intake.push(messages, size, count)
    if (this.#received === 0) {
      this.#options.statusErrors.healthy()
      // Logged once for each stream: operators look for it to see that messages come, not to count them.
      this.#options.log.info('message_received', { first_of_stream: true })
    }
    this.#received += count
    intake.received(count, size)
  }

  /** The stream has ended: logs it, ends the queue with the error, and returns the error. */
  #ended(status: GrpcStatus, intake: IntakeConnection<MessageRun>): Error {
    const { log, statusErrors, config, clock } = this.#options
    this.#stream = null
    const counts = { messages_received: this.#received }
    if (this.#intake.draining) {
      log.info('connection_closed', { reason: 'stopping', ...counts })
      return grpcErrors.GRPC_STREAM_ENDED('the stream was ended because the task is stopping')
    }
    const error =
      completedError(status, config) ??
      statusErrors.errorOf(status, {
        heard: this.#received > 0,
        lastedMs: this.#acceptedAt === null ? 0 : clock.monotonic() - this.#acceptedAt,
      })
    if (status.status === 'OK') log.info('stream_completed', counts)
    else {
      log.error('stream_error', {
        status_code: status.status,
        status_description: status.message,
        error_message: error.message,
      })
    }
    log.info('connection_closed', { status_code: status.status, ...counts })
    this.#completed = error instanceof StreamCompleted
    intake.ended(error)
    return error
  }
}
