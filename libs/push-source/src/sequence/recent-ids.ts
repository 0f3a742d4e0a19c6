/**
 * The ids of the last messages: at least `window` of them, at most twice as many. Two generations, the older of which is
 * dropped whole when the younger is full, cost one insertion an id and no deletion.
 */
export class RecentIds {
  readonly #window: number
  #young = new Set<string | number>()
  #old = new Set<string | number>()

  /** `window` ≥ 1 */
  constructor(window: number) {
    this.#window = window
  }

  /** Remembers an id; false when it was remembered already. */
  add(id: string | number): boolean {
    if (this.#young.has(id) || this.#old.has(id)) return false
    this.#young.add(id)
    if (this.#young.size >= this.#window) {
      this.#old = this.#young
      this.#young = new Set()
    }
    return true
  }

  /** The latest first, at most `window`. */
  latest(): (string | number)[] {
    return [...this.#old, ...this.#young].reverse().slice(0, this.#window)
  }
}
