/** What `run` rejects with when it is no longer waited for; the operation itself may still come to its end. */
export class AbandonedError extends Error {
  override readonly name = 'AbandonedError'
}

/** Knows what is under way, for one who waits until all of it has ended, and gives up the rest. */
export class UnderWay {
  /** How to reject each of them. */
  readonly #open = new Set<(error: Error) => void>()
  #waiting: (() => void)[] = []

  /** Runs `operation`, which is under way until it settles or is abandoned. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#open.add(reject)
    operation().then(resolve, reject)
    try {
      return await promise
    } finally {
      this.#open.delete(reject)
      if (this.#open.size === 0) for (const wake of this.#waiting.splice(0)) wake()
    }
  }

  /** Resolves once nothing is under way, or after `timeoutMs`. */
  async ended(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    const timer = setTimeout(resolve, timeoutMs)
    await promise
    clearTimeout(timer)
  }

  /** What is under way now rejects. */
  abandon(why: string): void {
    for (const reject of this.#open) reject(new AbandonedError(why))
  }
}
