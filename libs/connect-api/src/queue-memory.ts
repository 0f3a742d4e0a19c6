import { type MemoryShare, queuedCost } from './memory-budget.ts'

/** Cost of a poll, in bytes of the budget, that a task may always take: polls of single messages would cost too much CPU. */
const MIN_POLL_COST = 32 * 1024

/** Cost of messages that may join the queue before they are counted: one read may hold many times its size, compressed. */
const MAX_UNCOUNTED_COST = 128 * 1024

/** What records cost of the budget from poll to acknowledgement: `inFlightCost`, or `packedCost`. */
export type RecordCost = (records: number, bytes: number) => number

/** What waits in a queue: records, the objects that hold them, and their bytes. A `RecordQueue` is one. */
export interface QueueSize {
  readonly size: number
  readonly items: number
  readonly bytes: number
}

/** Counts what a queue has of the process's memory, and says when the task must wait. Once a read of the transport, and once a poll. */
export class QueueMemory {
  readonly #queue: QueueSize
  readonly #share: MemoryShare
  readonly #recordCost: RecordCost
  readonly #onWait: () => void
  readonly #onSpace: () => void
  #uncounted = 0

  constructor(queue: QueueSize, share: MemoryShare, recordCost: RecordCost, onWait: () => void, onSpace: () => void) {
    this.#queue = queue
    this.#share = share
    this.#recordCost = recordCost
    this.#onWait = onWait
    this.#onSpace = onSpace
  }

  /** The task must take no messages from its transport. */
  get waiting(): boolean {
    return this.#share.waiting
  }

  /** Memory is short: what can be written to disk should be. */
  get pressed(): boolean {
    return this.#share.queuePressed
  }

  /** An item of `bytes` bytes has joined the queue. */
  pushed(bytes: number): void {
    this.#uncounted += queuedCost(1, bytes)
    if (this.#uncounted >= MAX_UNCOUNTED_COST) this.count()
  }

  /** Call it after the messages of one read, and after each other change of the queue. */
  count(): void {
    this.#uncounted = 0
    const { items, bytes } = this.#queue
    this.#share.set('queue', queuedCost(items, bytes))
    if (!this.#share.exceeded || this.#share.waiting) return
    this.#share.waitForSpace(this.#onSpace)
    this.#onWait()
  }

  /**
   * A poll begins. Returns how many messages it may take: at most `max`, and as records half of what the task may have. Infinity
   * stays, as it empties the queue for a caller that makes no records.
   */
  polls(max: number): number {
    const { size, bytes } = this.#queue
    this.#share.set('polled', 0)
    if (max === Infinity) return max
    const cost = this.#recordCost(1, size === 0 ? 0 : bytes / size)
    return Math.min(max, Math.max(1, Math.floor(Math.max(this.#share.allowed / 2, MIN_POLL_COST) / cost)))
  }

  /** A poll took messages of `bytes` bytes. They cost at once what their records will, so that other tasks poll less. */
  polled(messages: number, bytes: number): void {
    this.#share.set('polled', this.#recordCost(messages, bytes))
    this.count()
  }

  /** Nothing is in memory any more. */
  close(): void {
    this.#share.set('queue', 0)
    this.#share.set('polled', 0)
  }
}
