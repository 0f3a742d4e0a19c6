/** One or two refusals may pass by themselves: a token is being renewed, or the server is starting. */
const LIMIT = 3

/** Counts the refusals of the credentials in a row. */
export class Refusals {
  #inARow = 0

  /** Refusals since the last call of `accepted`. */
  get inARow(): number {
    return this.#inARow
  }

  /** The server accepted the credentials, or failed before it checked them. The next refusal is the first of a row. */
  accepted(): void {
    this.#inARow = 0
  }

  /** The server refused the credentials. Returns true from the third refusal in a row on: a user must change something. */
  refused(): boolean {
    return ++this.#inARow >= LIMIT
  }
}
