export interface RecordQueueOptions {
  /** The limit of records (≥ 1). */
  readonly maxRecords: number
  /** The limit of bytes (≥ 1), as counted by the caller of `push`. */
  readonly maxBytes: number
  /** Called once when the queue becomes full. Pause the transport here. */
  readonly onFull?: () => void
  /** Called once when a full queue has drained to half. Resume the transport here. */
  readonly onSpace?: () => void
}

/**
 * The bounded queue between a source's callback and its `poll`. It has one producer and one consumer.
 *
 * The queue is full when it has reached `maxRecords` or `maxBytes`. `push` never refuses an item: the transport may
 * hold messages already when it is paused, and dropping them would lose them. The queue exceeds its limits at most by
 * what one read of the transport delivers.
 */
export class RecordQueue<T> {
  readonly maxRecords: number
  readonly maxBytes: number
  readonly #onFull: (() => void) | undefined
  readonly #onSpace: (() => void) | undefined
  #items: T[] = []
  #sizes: number[] = []
  #head = 0
  #bytes = 0
  #takenBytes = 0
  #full = false
  #ended = false
  #error: unknown = undefined
  #wake: (() => void) | null = null

  constructor(options: RecordQueueOptions) {
    this.maxRecords = options.maxRecords
    this.maxBytes = options.maxBytes
    this.#onFull = options.onFull
    this.#onSpace = options.onSpace
  }

  get size(): number {
    return this.#items.length - this.#head
  }
  get bytes(): number {
    return this.#bytes
  }
  /** Bytes of the items that the last `take` returned. */
  get takenBytes(): number {
    return this.#takenBytes
  }
  get full(): boolean {
    return this.#full
  }

  /** Adds an item of `bytes` bytes. Returns false when the queue is full; `onFull` was called then. */
  push(item: T, bytes: number): boolean {
    this.#items.push(item)
    this.#sizes.push(bytes)
    this.#bytes += bytes
    if (this.#wake) this.#wakeUp()
    if (!this.#full && (this.size >= this.maxRecords || this.#bytes >= this.maxBytes)) {
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
    if (this.#wake) this.#wakeUp()
  }

  /** Reverses `end`, for the next connection. Queued items stay. */
  reopen(): void {
    this.#ended = false
    this.#error = undefined
  }

  /**
   * Takes up to `max` items in order. Waits up to `timeoutMs` for the first item, then returns []. After `end`, when
   * the queue is empty, returns null or rejects with the error given to `end`. Rejects with the signal's reason when
   * aborted during the wait.
   */
  async take(max: number, timeoutMs: number, signal: AbortSignal): Promise<T[] | null> {
    if (this.size === 0 && !this.#ended) await this.#wait(timeoutMs, signal)
    if (this.size > 0) return this.#shift(max)
    if (!this.#ended) return []
    if (this.#error !== undefined) throw this.#error
    return null
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
    this.#shift(count)
  }

  /** Removes all items and returns their number. */
  clear(): number {
    const count = this.size
    this.#items = []
    this.#sizes = []
    this.#head = 0
    this.#bytes = 0
    this.#release()
    return count
  }

  #shift(max: number): T[] {
    const count = Math.min(max, this.size)
    const from = this.#head
    let bytes = 0
    for (let i = from; i < from + count; i++) bytes += this.#sizes[i]!
    let out: T[]
    if (from === 0 && count === this.#items.length) {
      out = this.#items
      this.#items = []
      this.#sizes = []
    } else {
      out = this.#items.slice(from, from + count)
      this.#head += count
      if (this.#head * 2 >= this.#items.length) {
        this.#items = this.#items.slice(this.#head)
        this.#sizes = this.#sizes.slice(this.#head)
        this.#head = 0
      }
    }
    this.#bytes -= bytes
    this.#takenBytes = bytes
    this.#release()
    return out
  }

  #release(): void {
    if (this.#full && this.size <= this.maxRecords / 2 && this.#bytes <= this.maxBytes / 2) {
      this.#full = false
      this.#onSpace?.()
    }
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  #wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
        this.#wake = null
        resolve()
      }
      const abort = (): void => {
        clearTimeout(timer)
        this.#wake = null
        reject(signal.reason as Error)
      }
      const timer = setTimeout(done, timeoutMs)
      signal.addEventListener('abort', abort, { once: true })
      this.#wake = done
    })
  }
}
