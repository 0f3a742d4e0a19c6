import { Alarm, backoffMs, type Clock } from '@tributary/async'

/** SQS takes ten entries in one request. */
const BATCH = 10
/** Waits after a request that failed as a whole, in ms. */
const RETRY = { baseMs: 200, maxMs: 10_000 }

export interface EntryBatchesOptions<E> {
  readonly clock: Clock
  /** An entry waits at most this long for others of its batch, in ms. */
  readonly maxAgeMs: number
  /** Most requests under way (≥ 1). With 1 the entries reach SQS in their order. */
  readonly maxConcurrent: number
  /** An entry does not wait for others while no request is under way: for queues whose next messages wait for this one. */
  readonly eager: boolean
  /** Sends 1 to 10 entries. Resolves with those that SQS did not take and that are to be sent again. A rejection sends all again, later. */
  readonly send: (entries: readonly E[]) => Promise<readonly E[]>
}

/** Collects entries for a batch request of SQS: ten at once, or what there is after `maxAgeMs`. */
export class EntryBatches<E> {
  readonly #options: EntryBatchesOptions<E>
  readonly #alarm: Alarm
  #waiting: E[] = []
  #active = 0
  /** When the first of `#waiting` came, about; ms of the monotonic clock. */
  #oldestAt = 0
  #failures = 0
  #notBefore = -Infinity
  #flush: PromiseWithResolvers<void> | null = null

  constructor(options: EntryBatchesOptions<E>) {
    this.#options = options
    this.#alarm = new Alarm(options.clock, () => this.#pump())
  }

  /** Entries that SQS has not answered for. */
  get pending(): number {
    return this.#waiting.length + this.#active * BATCH
  }

  add(entries: readonly E[]): void {
    if (this.#waiting.length < BATCH) this.#oldestAt = this.#options.clock.monotonic()
    for (const entry of entries) this.#waiting.push(entry)
    this.#pump()
  }

  /** Sends what waits without waiting for more. Resolves once SQS has answered for all entries. */
  flush(): Promise<void> {
    this.#flush ??= Promise.withResolvers()
    const { promise } = this.#flush
    this.#pump()
    return promise
  }

  /** Sends nothing more. */
  close(): void {
    this.#alarm.close()
    this.#waiting = []
    this.#endFlush()
  }

  #pump(): void {
    const { clock, maxAgeMs, maxConcurrent } = this.#options
    const now = clock.monotonic()
    if (this.#waiting.length > 0 && now < this.#notBefore) return this.#alarm.set(this.#notBefore)
    while (this.#active < maxConcurrent && this.#ready(now)) void this.#send(this.#waiting.splice(0, BATCH))
    if (this.#waiting.length > 0 && this.#active < maxConcurrent) this.#alarm.set(this.#oldestAt + maxAgeMs)
    if (this.#waiting.length === 0 && this.#active === 0) this.#endFlush()
  }

  #ready(now: number): boolean {
    const { length } = this.#waiting
    if (length >= BATCH) return true
    const { maxAgeMs, eager } = this.#options
    return length > 0 && (this.#flush !== null || now - this.#oldestAt >= maxAgeMs || (eager && this.#active === 0))
  }

  async #send(batch: E[]): Promise<void> {
    this.#active++
    try {
      const again = await this.#options.send(batch)
      this.#failures = 0
      if (again.length > 0) this.#sendLater(again)
    } catch {
      // The sender has counted and logged the error.
      this.#sendLater(batch)
    }
    this.#active--
    this.#pump()
  }

  #sendLater(entries: readonly E[]): void {
    const { clock } = this.#options
    this.#failures++
    this.#notBefore = clock.monotonic() + backoffMs(this.#failures, RETRY)
    this.#waiting.unshift(...entries)
    this.#oldestAt = clock.monotonic()
  }

  #endFlush(): void {
    this.#flush?.resolve()
    this.#flush = null
  }
}
