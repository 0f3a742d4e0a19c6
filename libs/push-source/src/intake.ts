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

/** What can be told to wait: a connection. */
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
  readonly stats: TaskStats
  readonly clock: Clock
  readonly busyLog: RateLimitedLog
}

/**
 * One connection's way into the intake, from `Intake.open`. A source gives its messages and its end to this object only, so the end
 * of an old connection cannot be taken for the end of the next one.
 */
export interface IntakeConnection<T> {
  /** Takes one message of `bytes` bytes. `received` follows once for all messages that came together. */
  push(message: T, bytes: number): void
  /** Counts what came together: `messages` messages of `bytes` bytes in all. */
  received(messages: number, bytes: number): void
  /** What is to be paused while the queue is full. It is paused at once if the queue is full already. */
  attach(transport: Pausable): void
  /** The connection is over: once the queue is empty, `take` throws `error`. Ignored after the next `open`. */
  ended(error: Error): void
}

/**
 * From a transport to the task's poll: a queue of at most `maxRecords` messages and `maxBytes`. A full queue pauses the transport,
 * so the sender waits. With `drop`, further messages are counted and thrown away instead; with a spill they go to disk before the
 * queue gets full. The end of a connection waits in the queue behind its last message. With a backlog on disk `take` throws the end
 * at once, so that the next connection need not wait for Kafka.
 */
export class Intake<T> {
  readonly #options: IntakeOptions<T>
  readonly #queue: RecordQueue<T>
  readonly #drops: boolean
  readonly #spill: Spill<T> | null
  #transport: Pausable | null = null
  /** The connection of the last `open`. */
  #current: IntakeConnection<T> | null = null
  #ended: Error | null = null
  #draining = false

  constructor(options: IntakeOptions<T>) {
    const { maxRecords, maxBytes, overflow, stats, clock, busyLog } = options
    this.#options = options
    this.#drops = overflow === 'drop'
    this.#queue = new RecordQueue({
      maxRecords,
      maxBytes,
      onFull: () => this.#full(),
      onSpace: () => this.#transport?.resume(),
    })
    stats.queueCapacity = maxRecords
    stats.queueMaxBytes = maxBytes
    this.#spill =
      typeof overflow === 'string' ? null : new Spill({ ...overflow, queue: this.#queue, stats, clock, busyLog })
  }

  get draining(): boolean {
    return this.#draining
  }

  /** The error that ended the present connection; null while it lives. */
  get ended(): Error | null {
    return this.#ended
  }

  /**
   * Opens the intake for a new connection; called before that connection can bring anything. From now on the former connection's
   * end is ignored. Its messages are not: nothing that a transport handed over is lost.
   */
  open(): IntakeConnection<T> {
    this.#ended = null
    this.#transport = null
    if (!this.#draining) this.#queue.reopen()
    const connection: IntakeConnection<T> = {
      push: (message, bytes) => this.#push(message, bytes),
      received: (messages, bytes) => this.#received(messages, bytes),
      attach: (transport) => {
        if (connection === this.#current) this.#attach(transport)
      },
      ended: (error) => {
        if (connection === this.#current) this.#end(error)
      },
    }
    this.#current = connection
    return connection
  }

  #attach(transport: Pausable): void {
    this.#transport = transport
    if (this.#queue.full && !this.#drops) transport.pause()
  }

  #push(message: T, bytes: number): void {
    if (this.#drops && this.#atBound()) this.#drop()
    else this.#queue.push(message, bytes)
  }

  #received(messages: number, bytes: number): void {
    const { stats, clock } = this.#options
    stats.messagesReceived += messages
    stats.bytesReceived += bytes
    stats.lastMessageAt = clock.now()
    this.#spill?.pushed()
    this.#gauge()
    if (stats.queueSize * 100 > stats.queueCapacity * HIGH_UTILIZATION_PERCENT) this.#highUtilization()
  }

  #end(error: Error): void {
    if (this.#ended !== null) return
    this.#ended = error
    this.#transport = null
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
    if (!this.#drops) this.#transport?.pause()
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
