import {
  type Clock,
  inFlightCost,
  type MemoryShare,
  type Polled,
  QueueMemory,
  type RecordCost,
  RecordQueue,
  type RecordQueueOptions,
  type TaskStats,
} from '@tributary/connect-api'
import type { RateLimitedLog } from './rate-limited-log.ts'
import { Spill } from './spill/spill.ts'
import type { SpillOptions } from './spill/spill-parts.ts'

const HIGH_UTILIZATION_PERCENT = 80

/**
 * What a full queue leads to. `pause`: the connection is paused, so the sender waits. `drop`: new messages are counted and
 * discarded. Options of a spill: messages go to disk, and the connection is paused only when the disk bound is reached or the disk
 * fails.
 */
export type OverflowPolicy<T> = 'pause' | 'drop' | SpillOptions<T>

/** A connection that can be paused. */
export interface Pausable {
  pause(): void
  resume(): void
}

export interface IntakeOptions<T> {
  /** Most messages in memory (≥ 1). */
  readonly maxRecords: number
  /** Most bytes of messages in memory (≥ 1). */
  readonly maxBytes: number
  readonly overflow: OverflowPolicy<T>
  readonly stats: TaskStats
  /** What the task may have of the process's memory. At this limit `overflow` decides too. */
  readonly memory: MemoryShare
  readonly clock: Clock
  readonly busyLog: RateLimitedLog
  /** What the records of the messages will cost. Default: `inFlightCost`. */
  readonly recordCost?: RecordCost | undefined
  /** See RecordQueueOptions: for items that hold several messages. */
  readonly split?: RecordQueueOptions<T>['split']
  /**
   * Called once after the messages of a read while `take` waits. True: the caller has used `takeNow`, and the wait goes on. False, and
   * absent: `take` returns. Not called with a spill.
   */
  readonly offer?: (() => boolean) | undefined
}

/**
 * The entry of one connection to the intake, from `Intake.open`. A source passes the messages and the end of a connection to this
 * object only. So the intake cannot mistake the end of an old connection for the end of the next one.
 */
export interface IntakeConnection<T> {
  /**
   * Queues an item of `bytes` bytes: a message, or `count` of them that are kept together. `received` follows once for all
   * messages that arrived together. With a spill, and where messages may be dropped, each is an item of its own.
   */
  push(message: T, bytes: number, count?: number): void
  /** Counts messages that arrived together: their number, and their bytes in all. */
  received(messages: number, bytes: number): void
  /** Names the connection to pause while the queue is full. If the queue is full already, the connection is paused at once. */
  attach(transport: Pausable): void
  /** The connection has ended: `take` throws `error` once the queue is empty. Ignored after the next `open`. */
  ended(error: Error): void
}

/**
 * The bounded queue between a connection and the `poll` of a task. `OverflowPolicy` says what happens when the queue is full. The
 * end of a connection waits in the queue behind its last message. With a backlog on disk, `take` throws the end at once, so that
 * the source can connect again before Kafka has the backlog.
 */
export class Intake<T> {
  readonly #options: IntakeOptions<T>
  readonly #queue: RecordQueue<T>
  readonly #memory: QueueMemory
  readonly #drops: boolean
  readonly #spill: Spill<T> | null
  #transport: Pausable | null = null
  /** The connection of the last `open`. */
  #current: IntakeConnection<T> | null = null
  #ended: Error | null = null
  #draining = false
  readonly #offer: (() => boolean) | null

  constructor(options: IntakeOptions<T>) {
    const { maxRecords, maxBytes, overflow, stats, memory, clock, busyLog, split } = options
    this.#options = options
    this.#offer = typeof overflow === 'string' ? (options.offer ?? null) : null
    this.#drops = overflow === 'drop'
    this.#queue = new RecordQueue({
      maxRecords,
      maxBytes,
      onFull: () => this.#queueFull(),
      onSpace: () => this.#goOn(),
      wakesLater: this.#offer !== null,
      ...(split === undefined ? {} : { split }),
    })
    this.#memory = new QueueMemory(
      this.#queue,
      memory,
      options.recordCost ?? inFlightCost,
      () => this.#waitForMemory(),
      () => this.#goOn(),
    )
    stats.queueCapacity = maxRecords
    stats.queueMaxBytes = maxBytes
    this.#spill =
      typeof overflow === 'string'
        ? null
        : new Spill({ ...overflow, queue: this.#queue, memory: this.#memory, stats, clock, busyLog })
  }

  get draining(): boolean {
    return this.#draining
  }

  /** The error that ended the current connection; null while the connection is open. */
  get ended(): Error | null {
    return this.#ended
  }

  /**
   * Opens the intake for a new connection. Call it before that connection can deliver a message. From now on the end of the
   * previous connection is ignored. Its messages are still accepted, so none is lost.
   */
  open(): IntakeConnection<T> {
    this.#ended = null
    this.#transport = null
    if (!this.#draining) this.#queue.reopen()
    const connection: IntakeConnection<T> = {
      push: (message, bytes, count) => this.#push(message, bytes, count),
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
    if (this.#full && !this.#drops) transport.pause()
  }

  #push(message: T, bytes: number, count = 1): void {
    if (this.#drops && this.#atBound()) return this.#drop(count)
    this.#queue.push(message, bytes, count)
    this.#memory.pushed(bytes)
  }

  #received(messages: number, bytes: number): void {
    const { stats, clock } = this.#options
    stats.messagesReceived += messages
    stats.bytesReceived += bytes
    stats.lastMessageAt = clock.now()
    this.#memory.count()
    this.#spill?.pushed()
    this.#gauge()
    if (stats.queueSize * 100 > stats.queueCapacity * HIGH_UTILIZATION_PERCENT) this.#highUtilization()
    if (this.#offer === null) return
    while (this.#queue.waiting && this.#queue.size > 0) if (!this.#offer()) this.#queue.wake()
  }

  #end(error: Error): void {
    if (this.#ended !== null) return
    this.#ended = error
    this.#transport = null
    this.#queue.end(error)
  }

  /** The next items in order, of at most `max` messages; [] after `waitMs` without one; null at the end of a drained intake. */
  async take(max: number, waitMs: number, signal: AbortSignal): Promise<T[] | null> {
    const most = this.#memory.polls(max)
    try {
      const answer = this.#spill
        ? await this.#takeSpilled(this.#spill, most, waitMs, signal)
        : await this.#takeFromMemory(most, waitMs, signal)
      this.#gauge()
      return answer
    } catch (error) {
      if (this.#draining && !signal.aborted) return null
      throw error
    }
  }

  /** The next items in order, of at most `max` messages, for `offer`: without a wait, and while `take` waits. */
  takeNow(max: number): T[] {
    const messages = this.#queue.takeNow(this.#memory.polls(max))
    this.#memory.polled(this.#queue.takenRecords, this.#queue.takenBytes)
    this.#gauge()
    return messages
  }

  /** The records that poll made of the last `take`, as the array that `poll` returns. Call it before `poll` returns. */
  handedOut(polled: readonly Polled[]): void {
    this.#spill?.handedOut(polled)
  }

  /** Kafka has acknowledged the records of one `handedOut`; call it from `commitBatch`. */
  delivered(polled: readonly Polled[]): void {
    this.#spill?.delivered(polled)
  }

  /** The offsets of the delivered records are committed; call it from `commit`. Deletes their messages from disk. */
  async committed(): Promise<void> {
    await this.#spill?.committed()
  }

  /** No more messages will arrive: `take` returns the queued messages, then null. */
  drain(): void {
    this.#draining = true
    this.#queue.end()
    this.#gauge()
  }

  /** Call it after the last `take`. A spill keeps the undelivered messages on disk for the next run. Idempotent. */
  async close(): Promise<void> {
    await this.#spill?.close()
    this.#memory.close()
  }

  async #takeSpilled(spill: Spill<T>, max: number, waitMs: number, signal: AbortSignal): Promise<T[] | null> {
    if (this.#ended && !this.#draining && spill.backlog) throw this.#ended
    const spilled = await spill.take(max, signal)
    if (spilled !== null) return spilled
    const messages = await this.#takeFromMemory(max, waitMs, signal)
    spill.takenFromMemory(messages ?? [])
    return messages
  }

  async #takeFromMemory(max: number, waitMs: number, signal: AbortSignal): Promise<T[] | null> {
    const messages = await this.#queue.take(max, waitMs, signal)
    const taken = (messages?.length ?? 0) > 0
    this.#memory.polled(taken ? this.#queue.takenRecords : 0, taken ? this.#queue.takenBytes : 0)
    return messages
  }

  /** Nothing more may be received: the queue is full, or the task has too much of the process's memory. */
  get #full(): boolean {
    return this.#queue.full || this.#memory.waiting
  }

  #goOn(): void {
    if (!this.#full) this.#transport?.resume()
  }

  #atBound(): boolean {
    const { size, bytes, maxRecords, maxBytes } = this.#queue
    return size >= maxRecords || bytes >= maxBytes || this.#memory.waiting
  }

  #drop(count: number): void {
    const { stats, busyLog } = this.#options
    stats.messagesDropped += count
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

  #waitForMemory(): void {
    const { memory, busyLog } = this.#options
    if (!this.#drops) this.#transport?.pause()
    busyLog.warn('memory_budget_used', {
      task_bytes: memory.used,
      budget_used_bytes: memory.budget.used,
      budget_bytes: memory.budget.limit,
      action: this.#drops ? 'drop' : 'pause',
    })
  }

  #queueFull(): void {
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

  /** With a spill, a stop leaves queued messages on disk for the next run, so the gauge shows 0. */
  #gauge(): void {
    const { stats } = this.#options
    const kept = this.#draining && this.#spill?.keeps
    stats.queueSize = kept ? 0 : this.#queue.size
    stats.queueBytes = kept ? 0 : this.#queue.bytes
  }
}
