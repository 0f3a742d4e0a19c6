import { type Clock, RecordQueue, type TaskStats } from '@tributary/connect-api'
import type { RateLimitedLog } from './rate-limited-log.ts'

const HIGH_UTILIZATION_PERCENT = 80

/** What happens to a message that comes while the queue is full. */
export type OverflowPolicy = 'pause' | 'drop'

/** What can be told to wait: the present connection. */
export interface Pausable {
  pause(): void
  resume(): void
}

export interface IntakeOptions {
  /** Messages held at most (≥ 1). */
  readonly maxRecords: number
  /** Bytes held at most (≥ 1). */
  readonly maxBytes: number
  readonly overflow: OverflowPolicy
  /** The present connection; null between two. */
  readonly transport: () => Pausable | null
  readonly stats: TaskStats
  readonly clock: Clock
  readonly busyLog: RateLimitedLog
}

/**
 * From a transport to the task's poll: messages in, at most `maxRecords` of them and `maxBytes`. A full queue pauses the
 * transport, so that the sender waits; with `drop` new messages are counted instead. The end of a connection waits in the
 * queue behind its last message.
 */
export class Intake<T> {
  readonly #options: IntakeOptions
  readonly #queue: RecordQueue<T>
  readonly #drops: boolean
  #draining = false

  constructor(options: IntakeOptions) {
    const { maxRecords, maxBytes, overflow, stats, transport } = options
    this.#options = options
    this.#drops = overflow === 'drop'
    this.#queue = new RecordQueue({
      maxRecords,
      maxBytes,
      onFull: () => this.#full(),
      onSpace: () => transport()?.resume(),
    })
    stats.queueCapacity = maxRecords
    stats.queueMaxBytes = maxBytes
  }

  get draining(): boolean {
    return this.#draining
  }

  /** A transport that is there now: it begins paused when there is no room. */
  opened(): void {
    this.#queue.reopen()
    if (this.#queue.full && !this.#drops) this.#options.transport()?.pause()
  }

  /** Takes one message of `bytes` bytes; `received` follows once for all that came together. */
  push(message: T, bytes: number): void {
    if (this.#drops && this.#atBound()) this.#drop()
    else this.#queue.push(message, bytes)
  }

  /** Counts what came together: `messages` of `bytes` bytes in all. */
  received(messages: number, bytes: number): void {
    const { stats, clock } = this.#options
    stats.messagesReceived += messages
    stats.bytesReceived += bytes
    stats.lastMessageAt = clock.now()
    this.#gauge()
    if (stats.queueSize * 100 > stats.queueCapacity * HIGH_UTILIZATION_PERCENT) this.#highUtilization()
  }

  /** The connection is over: once empty, `take` throws `error`. */
  ended(error: Error): void {
    this.#queue.end(error)
  }

  /** Up to `max` messages in order, [] after `waitMs` without one, null at the end of a drained intake. */
  async take(max: number, waitMs: number, signal: AbortSignal): Promise<T[] | null> {
    try {
      const messages = await this.#queue.take(max, waitMs, signal)
      this.#gauge()
      return messages
    } catch (error) {
      if (this.#draining && !signal.aborted) return null
      throw error
    }
  }

  /** No more will come: `take` answers what is queued, then null. */
  drain(): void {
    this.#draining = true
    this.#queue.end()
    this.#gauge()
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
    if (!this.#drops) this.#options.transport()?.pause()
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
}
