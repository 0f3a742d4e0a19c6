/** One or two refusals may pass by themselves: a token is being renewed, or the server is starting. */
const LIMIT = 3

/** What a connection was when the server ended it. */
export interface ConnectionLife {
  /** Whether any message arrived, be it data or a reply. */
  readonly heard: boolean
  /** ms since the server accepted it; 0 if it never did. */
  readonly lastedMs: number
}

/** Counts the refusals of the credentials in a row. */
export class Refusals {
  readonly #healthyMs: number
  #inARow = 0

  /** `healthyMs`: a connection that lasted so long was healthy. */
  constructor(healthyMs: number) {
    this.#healthyMs = healthyMs
  }

  /** Refusals since the last call of `accepted`. */
  get inARow(): number {
    return this.#inARow
  }

  /** The server accepted the credentials, or failed before it checked them. The next refusal is the first of a row. */
  accepted(): void {
    this.#inARow = 0
  }

  /**
   * The server refused the credentials. Returns true from the third refusal in a row on: a user must change something. `life`: of
   * the connection that the refusal ended; absent: there was none. Credentials that were good for a healthy connection have
   * expired, and those of the next one may be new: that is no refusal.
   */
  refused(life?: ConnectionLife): boolean {
    if (life !== undefined && (life.heard || life.lastedMs >= this.#healthyMs)) {
      this.accepted()
      return false
    }
    return ++this.#inARow >= LIMIT
  }
}
