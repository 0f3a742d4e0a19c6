/**
 * An even sample of what comes within a window of time: each of `n` is in it with the same probability, `size / n`. Costs nothing for
 * those that are passed over (Li, "Reservoir-sampling algorithms of time complexity O(n(1+log(N/n)))", algorithm L).
 */
export class WindowSample<T> {
  /** How many came. */
  seen = 0
  readonly #size: number
  readonly #random: () => number
  #items: { readonly at: number; readonly item: T }[] = []
  /** The next one to take, counted from 0. */
  #next = 0
  #weight = 1

  /** `size`: at least 1. `random`: in [0, 1). */
  constructor(size: number, random: () => number = Math.random) {
    this.#size = size
    this.#random = random
  }

  /**
   * `count` come at once. `make` is called for those that are taken, with their place among these, from 0, and with the one that has to
   * leave.
   */
  offer(count: number, make: (index: number, leaves: T | null) => T): void {
    const end = this.seen + count
    while (this.#next < end) {
      const at = this.#next
      const full = this.#items.length === this.#size
      const slot = full ? Math.floor(this.#random() * this.#size) : this.#items.length
      this.#items[slot] = { at, item: make(at - this.seen, this.#items[slot]?.item ?? null) }
      this.#skip()
    }
    this.seen = end
  }

  /** The sample, in the order in which it came. The window begins anew. */
  take(): T[] {
    const items = this.#items.sort((a, b) => a.at - b.at).map(({ item }) => item)
    this.#items = []
    this.seen = 0
    this.#next = 0
    this.#weight = 1
    return items
  }

  #skip(): void {
    this.#next++
    if (this.#items.length < this.#size) return
    this.#weight *= Math.exp(Math.log(1 - this.#random()) / this.#size)
    this.#next += Math.floor(Math.log(1 - this.#random()) / Math.log1p(-this.#weight))
  }
}
