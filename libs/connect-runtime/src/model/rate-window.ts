const SECONDS = 10

/**
 * Measures events per second over the last ten seconds, or since the start of a younger window. Reading the rate does not change
 * it. Costs one addition per batch and holds eleven numbers.
 */
export class RateWindow {
  readonly #startedAt: number
  /** One count per second. `#second` is the newest second, in s since the epoch. */
  readonly #counts: number[] = new Array<number>(SECONDS).fill(0)
  #second = 0

  /** `startedAt`: ms since the epoch. */
  constructor(startedAt: number) {
    this.#startedAt = startedAt
  }

  add(count: number, nowMs: number): void {
    const second = this.#advance(nowMs)
    this.#counts[second % SECONDS]! += count
  }

  /** Events per second at `nowMs`. */
  rate(nowMs: number): number {
    const second = this.#advance(nowMs)
    const oldest = (second - SECONDS + 1) * 1000
    const spanMs = Math.max(1000, nowMs - Math.max(oldest, this.#startedAt))
    return (this.#counts.reduce((sum, count) => sum + count, 0) * 1000) / spanMs
  }

  /** Sets the counts of the new seconds to 0. When the clock was set back, events count into the newest second. */
  #advance(nowMs: number): number {
    const second = Math.max(this.#second, Math.floor(nowMs / 1000))
    const passed = Math.min(second - this.#second, SECONDS)
    for (let i = 0; i < passed; i++) this.#counts[(second - i) % SECONDS] = 0
    this.#second = second
    return second
  }
}
