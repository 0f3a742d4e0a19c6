/**
 * The ids of the latest messages, at least `window` and at most twice as many. The ids are in two generations. When the young one
 * is full, the old one is dropped as a whole. So an id costs one insertion and no deletion.
 */
export class RecentIds {
  readonly #window: number
  #young = new Set<string | number>()
  #old = new Set<string | number>()

  /** `window`: number of ids to remember at least (≥ 1). */
  constructor(window: number) {
    this.#window = window
  }

  /** Remembers an id; false if the id is remembered already. */
  add(id: string | number): boolean {
    if (this.#young.has(id) || this.#old.has(id)) return false
    this.#young.add(id)
    if (this.#young.size >= this.#window) {
      this.#old = this.#young
      this.#young = new Set()
    }
    return true
  }

  /** At most `window` ids, the latest first. */
  latest(): (string | number)[] {
    return [...this.#old, ...this.#young].reverse().slice(0, this.#window)
  }
}
