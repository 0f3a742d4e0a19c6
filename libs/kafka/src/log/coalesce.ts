/**
 * One operation for all who need it at the same time. Whoever asks while it runs shares the run that begins after it, as the
 * one under way may have begun before what they ask about happened.
 */
export class SharedRun<T> {
  readonly #operation: () => Promise<T>
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<T> | null = null

  constructor(operation: () => Promise<T>) {
    this.#operation = operation
  }

  /** The outcome of a run that begins after this call. */
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
 * Lets many go on one after the other, some in each turn of the event loop, so that what they do next does not add up to a
 * standstill. A number, not a time: where a process gets little of a processor its turns are long, and must still bring it on.
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
