/** Runs asynchronous operations one after the other, in the order in which they were asked for. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve()

  /** Settles as `operation` does. An operation that fails does not keep the next one from running. */
  run<T>(operation: () => Promise<T>): Promise<T> {
    const next = this.#last.then(operation, operation)
    this.#last = next.catch(() => undefined)
    return next
  }

  /** Resolves once everything asked for so far is over. */
  async idle(): Promise<void> {
    await this.#last
  }
}
