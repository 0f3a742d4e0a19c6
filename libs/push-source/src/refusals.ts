/** A token that is renewed meanwhile, or a server that starts, heals a refusal; the third in a row is nobody's to heal but a user's. */
const LIMIT = 3

/** Counts how often in a row a server refused the credentials. */
export class Refusals {
  #inARow = 0

  /** Refusals since the credentials were accepted last. */
  get inARow(): number {
    return this.#inARow
  }

  /** The server accepted the credentials, or did not come to judge them: the next refusal is the first of a row. */
  accepted(): void {
    this.#inARow = 0
  }

  /** The server refused them. True: the third time in a row, so a user must change something. */
  refused(): boolean {
    return ++this.#inARow >= LIMIT
  }
}
