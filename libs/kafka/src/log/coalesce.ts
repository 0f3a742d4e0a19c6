/**
 * Shares one operation among callers that need it at the same time. A caller that asks during a run shares the next
 * run, because the present one may have begun before the event that the caller asks about.
 */
export class SharedRun<T> {
  readonly #operation: () => Promise<T>
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<T> | null = null

  constructor(operation: () => Promise<T>) {
    this.#operation = operation
  }

  /** The result of a run that begins after this call. */
  ask(): Promise<T> {
    return (this.#next ??= this.#afterRunning())
  }

  async #afterRunning(): Promise<T> {
    await this.#running
    this.#next = null
    const run = this.#operation()
    this.#running = run.catch(() => undefined)
    return run
  }
}

/**
 * Lets waiting callers continue one after the other, a limited number in each turn of the event loop, so that their
 * next steps do not add up to a standstill. The limit is a number, not a time: a process with little of a processor has
 * long turns and must still make progress.
 */
export class Turns {
  readonly #perTurn: number
  #count = 0
  #last: Promise<void> = Promise.resolve()

  constructor(perTurn: number) {
    this.#perTurn = perTurn
  }

  /** Resolves in the order of the calls. */
  next(): Promise<void> {
    const turn = this.#last
    if (++this.#count % this.#perTurn === 0)
      this.#last = turn.then(() => new Promise((resolve) => setImmediate(resolve)))
    return turn
  }
}
