export interface RecordQueueOptions<T> {
  /** The limit of records (≥ 1). */
  readonly maxRecords: number
  /** The limit of bytes (≥ 1), as counted by the caller of `push`. */
  readonly maxBytes: number
  /** Called once when the queue becomes full. Pause the transport here. */
  readonly onFull?: () => void
  /** Called once when a full queue has drained to half. Resume the transport here. */
  readonly onSpace?: () => void
  /** Cuts an item of several records: the first `count` of them, and the rest. Absent: `take` may return more than it should. */
  readonly split?: (item: T, count: number) => readonly [T, T]
  /** True: `push` leaves a waiting `take` alone, and the caller calls `wake` after the items that arrive together. */
  readonly wakesLater?: boolean
}

/**
 * The bounded queue between a source's callback and its `poll`. It has one producer and one consumer.
 *
 * The queue is full when it has reached `maxRecords` or `maxBytes`. `push` never refuses an item: the transport may
 * hold messages already when it is paused, and dropping them would lose them. The queue exceeds its limits at most by
 * what one read of the transport delivers. An item may stand for several records.
 */
export class RecordQueue<T> {
  readonly maxRecords: number
  readonly maxBytes: number
  readonly #onFull: (() => void) | undefined
  readonly #onSpace: (() => void) | undefined
  readonly #split: RecordQueueOptions<T>['split']
  readonly #wakesLater: boolean
  #items: T[] = []
  #sizes: number[] = []
  /** Records of each item. */
  #counts: number[] = []
  #head = 0
  #size = 0
  #bytes = 0
  #takenBytes = 0
  #takenRecords = 0
  #full = false
  #ended = false
  #error: unknown = undefined
  /** The waiting `take`; null: none waits. */
  #waiting: PromiseWithResolvers<void> | null = null
  /** Ends the waits that have begun since it was set. It outlives them, because a timer for each wait would cost more. */
  #timer: NodeJS.Timeout | null = null
  #timerMs = 0
  /** Items were taken without the waiting `take` since its timer was set. */
  #tookNow = false
  /** The signal of the last wait. The queue keeps its listener, because a listener for each wait would cost more. */
  #signal: AbortSignal | null = null

  constructor(options: RecordQueueOptions<T>) {
    this.maxRecords = options.maxRecords
    this.maxBytes = options.maxBytes
    this.#onFull = options.onFull
    this.#onSpace = options.onSpace
    this.#split = options.split
    this.#wakesLater = options.wakesLater ?? false
  }

  /** Records in the queue. */
  get size(): number {
    return this.#size
  }
  get items(): number {
    return this.#items.length - this.#head
  }
  get bytes(): number {
    return this.#bytes
  }
  /** Bytes and records of the items that the last `take` returned. */
  get takenBytes(): number {
    return this.#takenBytes
  }
  get takenRecords(): number {
    return this.#takenRecords
  }
  get full(): boolean {
    return this.#full
  }
  /** Whether a `take` waits for an item. */
  get waiting(): boolean {
    return this.#waiting !== null
  }

  /** Adds an item of `bytes` bytes that stands for `count` records. Returns false when the queue is full; `onFull` was called then. */
  push(item: T, bytes: number, count = 1): boolean {
    this.#items.push(item)
    this.#sizes.push(bytes)
    this.#counts.push(count)
    this.#bytes += bytes
    this.#size += count
    if (this.#waiting !== null && !this.#wakesLater) this.#wakeUp()
    if (!this.#full && (this.#size >= this.maxRecords || this.#bytes >= this.maxBytes)) {
      this.#full = true
      this.#onFull?.()
    }
    return !this.#full
  }

  /**
   * Ends the input. Queued items can still be taken; afterwards `take` throws `error`, or returns null when there is
   * none.
   */
  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    if (this.#waiting !== null) this.#wakeUp()
  }

  /** Reverses `end`, for the next connection. Queued items stay. */
  reopen(): void {
    this.#ended = false
    this.#error = undefined
  }

  /**
   * Takes items of up to `max` records in order. Waits at most `timeoutMs` for the first item, then returns []; the wait may be
   * shorter when another one came before it. After `end`, when the queue is empty, returns null or rejects with the error
   * given to `end`. Rejects with the signal's reason when aborted during the wait.
   */
  async take(max: number, timeoutMs: number, signal: AbortSignal): Promise<T[] | null> {
    if (this.#size === 0 && !this.#ended) await this.#wait(timeoutMs, signal)
    if (this.#size > 0) return this.#shift(this.#itemsOf(max))
    if (!this.#ended) return []
    if (this.#error !== undefined) throw this.#error
    return null
  }

  /**
   * Takes items of up to `max` records in order, without a wait; [] when there is none. A waiting `take` goes on waiting, for up to its
   * timeout from now, or twice that.
   */
  takeNow(max: number): T[] {
    this.#tookNow = true
    return this.#size === 0 ? [] : this.#shift(this.#itemsOf(max))
  }

  /** Ends the wait of `take`, if there is one. */
  wake(): void {
    if (this.#waiting !== null) this.#wakeUp()
  }

  /** Returns the first items without removing them: `maxBytes` or slightly more, at least one item if there is any. */
  peek(maxBytes: number): T[] {
    let bytes = 0
    let to = this.#head
    while (to < this.#items.length && bytes < maxBytes) bytes += this.#sizes[to++]!
    return this.#items.slice(this.#head, to)
  }

  /** Removes the first `count` items, which the caller has stored elsewhere. */
  discard(count: number): void {
    this.#shift(Math.min(count, this.items))
  }

  /** Removes all items and returns the number of their records. */
  clear(): number {
    const count = this.#size
    this.#items = []
    this.#sizes = []
    this.#counts = []
    this.#head = 0
    this.#size = 0
    this.#bytes = 0
    this.#release()
    return count
  }

  /** How many items hold at most `max` records: one at least, which is cut if it holds more. */
  #itemsOf(max: number): number {
    let records = 0
    let to = this.#head
    while (to < this.#items.length && (records += this.#counts[to]!) <= max) to++
    if (to > this.#head) return to - this.#head
    if (this.#split !== undefined && this.#counts[to]! > max) this.#cut(to, max)
    return 1
  }

  /** Cuts an item after `count` records. Each part gets its share of the bytes. */
  #cut(at: number, count: number): void {
    const [size, all] = [this.#sizes[at]!, this.#counts[at]!]
    const first = Math.round((size * count) / all)
    this.#items.splice(at, 1, ...this.#split!(this.#items[at]!, count))
    this.#sizes.splice(at, 1, first, size - first)
    this.#counts.splice(at, 1, count, all - count)
  }

  #shift(count: number): T[] {
    if (this.#items.length === 1 && count === 1) return this.#shiftOnly()
    const from = this.#head
    let bytes = 0
    let records = 0
    for (let i = from; i < from + count; i++) {
      bytes += this.#sizes[i]!
      records += this.#counts[i]!
    }
    let out: T[]
    if (from === 0 && count === this.#items.length) {
      out = this.#items
      this.#items = []
      this.#sizes = []
      this.#counts = []
    } else {
      out = this.#items.slice(from, from + count)
      this.#head += count
      if (this.#head * 2 >= this.#items.length) {
        this.#items = this.#items.slice(this.#head)
        this.#sizes = this.#sizes.slice(this.#head)
        this.#counts = this.#counts.slice(this.#head)
        this.#head = 0
      }
    }
    this.#took(bytes, records)
    return out
  }

  /** Takes the only item. The arrays keep their memory for the next one, since a quiet stream brings items one by one. */
  #shiftOnly(): T[] {
    const out = [this.#items.pop()!]
    this.#took(this.#sizes.pop()!, this.#counts.pop()!)
    return out
  }

  #took(bytes: number, records: number): void {
    this.#bytes -= bytes
    this.#size -= records
    this.#takenBytes = bytes
    this.#takenRecords = records
    this.#release()
  }

  #release(): void {
    if (this.#full && this.#size <= this.maxRecords / 2 && this.#bytes <= this.maxBytes / 2) {
      this.#full = false
      this.#onSpace?.()
    }
  }

  #wakeUp(): void {
    const waiting = this.#waiting
    this.#waiting = null
    this.#timer?.unref()
    waiting?.resolve()
  }

  #wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#listenTo(signal)
    this.#setTimer(timeoutMs)
    this.#waiting = Promise.withResolvers()
    return this.#waiting.promise
  }

  #listenTo(signal: AbortSignal): void {
    if (this.#signal === signal) return
    this.#signal?.removeEventListener('abort', this.#aborted)
    this.#signal = signal
    signal.addEventListener('abort', this.#aborted, { once: true })
  }

  readonly #aborted = (): void => {
    this.#waiting?.reject(this.#signal!.reason)
    this.#waiting = null
    this.#clearTimer()
  }

  #setTimer(timeoutMs: number): void {
    if (this.#timerMs !== timeoutMs) this.#clearTimer()
    this.#timerMs = timeoutMs
    this.#tookNow = false
    this.#timer ??= setTimeout(this.#timeOver, timeoutMs)
    this.#timer.ref()
  }

  readonly #timeOver = (): void => {
    if (this.#tookNow && this.#waiting !== null) {
      this.#tookNow = false
      this.#timer?.refresh()
      return
    }
    this.#timer = null
    this.#wakeUp()
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
