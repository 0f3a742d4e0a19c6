import { type Clock, RecordQueue, type SourceRecord, type TaskStats } from '@tributary/connect-api'
import type { RateLimitedLog } from './rate-limited-log.ts'
import { Spill } from './spill/spill.ts'
import type { SpillOptions } from './spill/spill-parts.ts'

const HIGH_UTILIZATION_PERCENT = 80

/**
 * What happens to a message that comes while the queue is full: `pause` lets the sender wait, `drop` counts it, and with
 * options of a spill it goes to disk, where the sender waits only once that is full too.
 */
export type OverflowPolicy<T> = 'pause' | 'drop' | SpillOptions<T>

/** What can be told to wait: the present connection. */
export interface Pausable {
  pause(): void
  resume(): void
}

export interface IntakeOptions<T> {
  /** Messages held in memory at most (≥ 1). */
  readonly maxRecords: number
  /** Bytes held in memory at most (≥ 1). */
  readonly maxBytes: number
  readonly overflow: OverflowPolicy<T>
  /** The present connection; null between two. */
  readonly transport: () => Pausable | null
  readonly stats: TaskStats
  readonly clock: Clock
  readonly busyLog: RateLimitedLog
}

/**
 * From a transport to the task's poll: messages in, at most `maxRecords` of them and `maxBytes`. A full queue pauses the
 * transport, so that the sender waits; with `drop` new messages are counted instead, with a spill they go to disk before it
 * comes to that. The end of a connection waits in the queue behind its last message; with a backlog on disk it is told at
 * once, so that the next connection need not wait for Kafka.
 */
export class Intake<T> {
  readonly #options: IntakeOptions<T>
  readonly #queue: RecordQueue<T>
  readonly #drops: boolean
  readonly #spill: Spill<T> | null
  #ended: Error | null = null
  #draining = false

  constructor(options: IntakeOptions<T>) {
    const { maxRecords, maxBytes, overflow, stats, clock, busyLog, transport } = options
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
    this.#spill =
      typeof overflow === 'string' ? null : new Spill({ ...overflow, queue: this.#queue, stats, clock, busyLog })
  }

  get draining(): boolean {
    return this.#draining
  }

  /** A transport that is there now: it begins paused when there is no room. */
  opened(): void {
    this.#ended = null
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
    this.#spill?.pushed()
    this.#gauge()
    if (stats.queueSize * 100 > stats.queueCapacity * HIGH_UTILIZATION_PERCENT) this.#highUtilization()
  }

  /** The connection is over: once empty, `take` throws `error`. */
  ended(error: Error): void {
    this.#ended = error
    this.#queue.end(error)
  }

  /** Up to `max` messages in order, [] after `waitMs` without one, null at the end of a drained intake. */
  async take(max: number, waitMs: number, signal: AbortSignal): Promise<T[] | null> {
    try {
      const answer = this.#spill
        ? await this.#takeSpilled(this.#spill, max, waitMs, signal)
        : await this.#queue.take(max, waitMs, signal)
      this.#gauge()
      return answer
    } catch (error) {
      if (this.#draining && !signal.aborted) return null
      throw error
    }
  }

  /** What became of the messages of the last `take`: the records that poll is about to hand out, perhaps none. */
  handedOut(records: readonly SourceRecord[]): void {
    this.#spill?.handedOut(records)
  }

  /** From `commitRecord`: Kafka has the record. */
  delivered(record: SourceRecord): void {
    this.#spill?.delivered(record)
  }

  /** From `commit`: what was delivered is not needed on disk any more. */
  async committed(): Promise<void> {
    await this.#spill?.committed()
  }

  /** No more will come: `take` answers what is queued, then null. */
  drain(): void {
    this.#draining = true
    this.#queue.end()
    this.#gauge()
  }

  /** After the last `take`: what nobody took is kept on disk for the next run, where there is a spill. Idempotent. */
  async close(): Promise<void> {
    await this.#spill?.close()
  }

  async #takeSpilled(spill: Spill<T>, max: number, waitMs: number, signal: AbortSignal): Promise<T[] | null> {
    if (this.#ended && !this.#draining && spill.backlog) throw this.#ended
    const spilled = await spill.take(max, signal)
    if (spilled !== null) return spilled
    const messages = await this.#queue.take(max, waitMs, signal)
    spill.takenFromMemory(messages ?? [])
    return messages
  }

  #atBound(): boolean {
    return this.#queue.size >= this.#queue.maxRecords || this.#queue.bytes >= this.#queue.maxBytes
  }

  #drop(): void {
    const { stats, busyLog } = this.#options
    stats.messagesDropped++
    busyLog.warn('message_dropped', {
      message: 'Queue full, dropping message',
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

  /** What a stop does not deliver, and the spill keeps, is not given up: it is not counted then. */
  #gauge(): void {
    const { stats } = this.#options
    const kept = this.#draining && this.#spill?.keeps
    stats.queueSize = kept ? 0 : this.#queue.size
    stats.queueBytes = kept ? 0 : this.#queue.bytes
  }
}
