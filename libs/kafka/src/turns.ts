/**
 * Lets many go on one after the other, each in a turn of the event loop of its own, so that what they do next does not add up
 * to a standstill. Who comes alone does not wait.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  next(): Promise<void> {
    const turn = this.#last
    this.#last = turn.then(() => new Promise((resolve) => setImmediate(resolve)))
    return turn
  }
}
