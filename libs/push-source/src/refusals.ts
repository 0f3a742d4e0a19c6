/** A token that is renewed meanwhile, or a server that starts, heals a refusal; the third in a row is nobody's to heal but a user's. */
const LIMIT = 3

/** Counts how often in a row a server refused the credentials. */
export class Refusals {
  #inARow = 0

  /** The server accepted the credentials. */
  accepted(): void {
    this.#inARow = 0
  }

  /** The server refused them. True: the third time in a row, so a user must change something. */
  refused(): boolean {
    return ++this.#inARow >= LIMIT
  }
}
