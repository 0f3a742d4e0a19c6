const SECONDS = 10

/**
 * Events a second over the last ten seconds, or since the start where that is sooner. The answer does not depend on who asked
 * before. Costs one addition a batch and holds eleven numbers.
 */
export class RateWindow {
  readonly #startedAt: number
  /** Events of one second each; `#second` is the newest one, in s since the epoch. */
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

  /** Events a second at `nowMs`. */
  rate(nowMs: number): number {
    const second = this.#advance(nowMs)
    const oldest = (second - SECONDS + 1) * 1000
    const spanMs = Math.max(1000, nowMs - Math.max(oldest, this.#startedAt))
    return (this.#counts.reduce((sum, count) => sum + count, 0) * 1000) / spanMs
  }

  /** Empties the seconds that have passed. A clock that was set back counts into the newest second. */
  #advance(nowMs: number): number {
    const second = Math.max(this.#second, Math.floor(nowMs / 1000))
    const passed = Math.min(second - this.#second, SECONDS)
    for (let i = 0; i < passed; i++) this.#counts[(second - i) % SECONDS] = 0
    this.#second = second
    return second
  }
}
