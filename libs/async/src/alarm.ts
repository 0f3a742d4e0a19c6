import type { Clock } from './clock.ts'

/** Calls `ring` at the earliest time that was set since the last ring. One timer for any number of things that fall due. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  readonly #ended = new AbortController()
  #at = Infinity

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings at `at` (ms of the monotonic clock) or before. */
  set(at: number): void {
    if (at >= this.#at || this.#ended.signal.aborted) return
    this.#at = at
    void this.#wait(at)
  }

  /** Rings no more. Idempotent. */
  close(): void {
    this.#at = Infinity
    this.#ended.abort(new Error('the alarm is closed'))
  }

  async #wait(at: number): Promise<void> {
    try {
      await this.#clock.sleep(Math.max(0, at - this.#clock.monotonic()), this.#ended.signal)
    } catch {
      // Only `close` ends the sleep.
      return
    }
    // A timer may fire some tenths of a ms early, and an earlier time may have been set.
    if (at !== this.#at) return
    this.#at = Infinity
    this.#ring()
  }
}
