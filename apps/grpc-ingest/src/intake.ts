import type { IncomingHttpHeaders } from 'node:http2'
import { type Clock, NotConnectedError, RecordQueue, type TaskStats } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import type { RateLimitedLog } from './rate-limited-log.ts'
import type { GrpcConfig } from './spec.ts'
import type { Statuses } from './statuses.ts'
import { type Connection, MessageStream, type StreamRequest } from './stream.ts'
import type { GrpcStatus } from './transport/index.ts'

const HIGH_UTILIZATION_PERCENT = 80

export interface IntakeOptions {
  readonly config: GrpcConfig
  readonly statuses: Statuses
  readonly stats: TaskStats
  readonly clock: Clock
  readonly log: Logger
  readonly busyLog: RateLimitedLog
}

/**
 * From the stream to the queue: raw messages in, at most `grpc.message.queue.size` of them and `queue.max.bytes`. A full
 * queue pauses the stream, which closes its HTTP/2 window; with `overflow.policy=drop` new messages are counted instead.
 * The end of the stream waits in the queue behind its last message.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #queue: RecordQueue<Buffer>
  readonly #drops: boolean
  #stream: MessageStream | null = null
  #draining = false
  /** Messages of the present stream. */
  #received = 0

  constructor(options: IntakeOptions) {
    const { config, stats } = options
    this.#options = options
    this.#drops = config['overflow.policy'] === 'drop'
    this.#queue = new RecordQueue({
      maxRecords: config['grpc.message.queue.size'],
      maxBytes: config['queue.max.bytes'],
      onFull: () => this.#full(),
      onSpace: () => this.#stream?.resume(),
    })
    stats.queueCapacity = this.#queue.maxRecords
    stats.queueMaxBytes = this.#queue.maxBytes
  }

  get connected(): boolean {
    return this.#stream?.answered ?? false
  }

  /** Starts a call on a connection of its own and waits for its answer. Rejects with what its end means. */
  async open(connection: Connection, request: StreamRequest, signal: AbortSignal): Promise<IncomingHttpHeaders> {
    this.close()
    this.#queue.reopen()
    this.#received = 0
    let end: Error | null = null
    const idleTimeoutMs = this.#options.config['grpc.idle.timeout.ms']
    try {
      this.#stream = new MessageStream(connection, request, idleTimeoutMs, {
        onMessages: (messages) => this.#receive(messages),
        onEnd: (status) => {
          end = this.#ended(status)
        },
      })
      if (this.#queue.full && !this.#drops) this.#stream.pause()
      return await this.#stream.headers(signal)
    } catch (error) {
      this.close()
      throw end ?? error
    }
  }

  /** Up to `max` messages in order, [] after `waitMs` without one, null at the end of a drained intake. */
  async take(max: number, waitMs: number, signal: AbortSignal): Promise<Buffer[] | null> {
    try {
      const messages = await this.#queue.take(max, waitMs, signal)
      this.#gauge()
      return messages
    } catch (error) {
      if (this.#draining && !signal.aborted) return null
      throw error
    }
  }

  /** Ends intake: what has arrived is queued, then the call is cancelled. */
  drain(): void {
    this.#draining = true
    this.#stream?.finish()
    this.#queue.end()
    this.#gauge()
  }

  /** Ends the present stream at once. */
  close(): void {
    this.#stream?.close()
    this.#stream = null
  }

  #receive(messages: Buffer[]): void {
    const { stats, statuses, clock, log } = this.#options
    let bytes = 0
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i]!
      bytes += message.length
      if (this.#drops && this.#atBound()) this.#drop()
      else this.#queue.push(message, message.length)
    }
    if (this.#received === 0) {
      statuses.healthy()
      // Once a stream: the documents look for it to see that messages come, not to count them.
      log.info('message_received', { first_of_stream: true })
    }
    this.#received += messages.length
    stats.messagesReceived += messages.length
    stats.bytesReceived += bytes
    stats.lastMessageAt = clock.now()
    this.#gauge()
    if (stats.queueSize * 100 > stats.queueCapacity * HIGH_UTILIZATION_PERCENT) this.#highUtilization()
  }

  #atBound(): boolean {
    return this.#queue.size >= this.#queue.maxRecords || this.#queue.bytes >= this.#queue.maxBytes
  }

  #drop(): void {
    const { stats, busyLog } = this.#options
    stats.messagesDropped++
    busyLog.warn('message_dropped', {
      reason: 'queue_full',
      queue_size: this.#queue.size,
      queue_capacity: this.#queue.maxRecords,
      utilization_percent: 100,
      messages_dropped_total: stats.messagesDropped,
      intentional: true,
    })
  }

  #full(): void {
    if (!this.#drops) this.#stream?.pause()
    this.#options.busyLog.warn('queue_full', {
      queue_size: this.#queue.size,
      queue_capacity: this.#queue.maxRecords,
      queue_bytes: this.#queue.bytes,
      queue_max_bytes: this.#queue.maxBytes,
      action: this.#drops ? 'drop' : 'pause',
    })
  }

  #highUtilization(): void {
    const { stats, busyLog } = this.#options
    busyLog.warn('queue_high_utilization', {
      queue_size: stats.queueSize,
      queue_capacity: stats.queueCapacity,
      utilization_percent: Math.round((stats.queueSize * 100) / stats.queueCapacity),
      threshold_percent: HIGH_UTILIZATION_PERCENT,
    })
  }

  #gauge(): void {
    this.#options.stats.queueSize = this.#queue.size
    this.#options.stats.queueBytes = this.#queue.bytes
  }

  /** The stream is over: says so, lets the queue end with what that means, and answers it. */
  #ended(status: GrpcStatus): Error {
    const { log, statuses } = this.#options
    this.#stream = null
    const counts = { messages_received: this.#received }
    if (this.#draining) {
      log.info('connection_closed', { reason: 'stopping', ...counts })
      return new NotConnectedError('GRPC_STREAM_ENDED', 'the stream was ended because the task is stopping')
    }
    const error = statuses.errorOf(status)
    if (status.status === 'OK') log.info('stream_completed', counts)
    else {
      log.error('stream_error', {
        status_code: status.status,
        status_description: status.message,
        error_message: error.message,
      })
    }
    log.info('connection_closed', { status_code: status.status, ...counts })
    this.#queue.end(error)
    return error
  }
}
