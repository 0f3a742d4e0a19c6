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
