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
