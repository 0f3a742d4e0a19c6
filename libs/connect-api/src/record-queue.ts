export interface RecordQueueOptions {
  /** Records held at most (≥ 1). */
  readonly maxRecords: number
  /** Bytes held at most (≥ 1), as counted by the caller of `push`. */
  readonly maxBytes: number
  /** Called once when the queue is full: pause the transport. */
  readonly onFull?: () => void
  /** Called once when a full queue has drained to half: resume the transport. */
  readonly onSpace?: () => void
}

/**
 * The bounded queue between a source's callback and its `poll`. One producer, one consumer.
 *
 * `push` never refuses: what the transport already holds in its hand when it is told to pause is kept, so nothing is
 * dropped; the overshoot is what one read of the transport delivers. Full means `maxRecords` or `maxBytes` reached.
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
  get full(): boolean {
    return this.#full
  }

  /** Adds an item of `bytes` bytes. False: the queue is full now, and `onFull` was called. */
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

  /** No more items will come. Once empty, `take` throws `error`, or answers null when there is none. */
  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    if (this.#wake) this.#wakeUp()
  }

  /** Forgets an earlier `end`, for the next connection. Items stay. */
  reopen(): void {
    this.#ended = false
    this.#error = undefined
  }

  /**
   * Takes up to `max` items, in order; waits up to `timeoutMs` for the first. [] after the wait; null at the end of input.
   * Rejects with the signal's reason when aborted while waiting, with the error given to `end` once empty.
   */
  async take(max: number, timeoutMs: number, signal: AbortSignal): Promise<T[] | null> {
    if (this.size === 0 && !this.#ended) await this.#wait(timeoutMs, signal)
    if (this.size > 0) return this.#shift(max)
    if (!this.#ended) return []
    if (this.#error !== undefined) throw this.#error
    return null
  }

  /** The first items, `maxBytes` of them or a little more, at least one if there is any; they stay queued. */
  peek(maxBytes: number): T[] {
    let bytes = 0
    let to = this.#head
    while (to < this.#items.length && bytes < maxBytes) bytes += this.#sizes[to++]!
    return this.#items.slice(this.#head, to)
  }

  /** Forgets the first `count` items, which are kept elsewhere now. */
  discard(count: number): void {
    this.#shift(count)
  }

  /** Drops what is queued and answers how many items that were. */
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
