/** Counts what is under way, for one who waits until all of it has ended. */
export class UnderWay {
  #count = 0
  #waiting: (() => void)[] = []

  /** Runs `operation`, which is under way until it settles. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    this.#count++
    try {
      return await operation()
    } finally {
      this.#count--
      if (this.#count === 0) for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  /** Resolves once nothing is under way, or after `timeoutMs`. */
  async ended(timeoutMs: number): Promise<void> {
    if (this.#count === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    const timer = setTimeout(resolve, timeoutMs)
    await promise
    clearTimeout(timer)
  }
}
