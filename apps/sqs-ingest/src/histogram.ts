/** Counts values by bounds, as a histogram of Prometheus. */
export class Histogram {
  /** Ascending; a value belongs to the first bound that is not below it. */
  readonly #bounds: readonly number[]
  readonly #counts: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    this.sum += value
    this.count++
    let at = 0
    while (at < this.#bounds.length && value > this.#bounds[at]!) at++
    this.#counts[at]!++
  }

  /** `[le, values up to it]` for each bound, `+Inf` at the end. */
  cumulative(): [string, number][] {
    let sum = 0
    return [...this.#bounds.map(String), '+Inf'].map((le, at) => [le, (sum += this.#counts[at]!)])
  }
}

/** ms of a message in the connector. The alert of the operators' guide is at 5,000. */
export const PROCESSING_BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000]
