/** The rejection of an abandoned `run`. The operation itself may still complete. */
export class AbandonedError extends Error {
  override readonly name = 'AbandonedError'
}

/** Tracks operations under way. A caller can wait until all of them have ended, and abandon the rest. */
export class UnderWay {
  /** Rejects an operation's `run`. */
  readonly #open = new Set<(error: Error) => void>()
  #waiting: (() => void)[] = []

  /** Runs `operation` and tracks it until it settles or is abandoned. */
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

  /** Resolves when no operation is under way, or after `timeoutMs`. */
  async ended(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    const timer = setTimeout(resolve, timeoutMs)
    await promise
    clearTimeout(timer)
  }

  /** Rejects every `run` under way. */
  abandon(why: string): void {
    for (const reject of this.#open) reject(new AbandonedError(why))
  }
}
