import { backoffMs, KAFKA_JITTER } from '@tributary/async'

/** The waits of a loop of tries: `baseMs`, doubling to `maxMs`, with Kafka's jitter (KIP-580). */
export class Backoff {
  readonly #baseMs: number
  readonly #maxMs: number
  #attempts = 0

  constructor(baseMs = 100, maxMs = 5000) {
    this.#baseMs = baseMs
    this.#maxMs = maxMs
  }

  /** Number of waits since the last reset. */
  get attempts(): number {
    return this.#attempts
  }

  /** The next wait in ms. */
  next(): number {
    return backoffMs(++this.#attempts, { baseMs: this.#baseMs, maxMs: this.#maxMs, jitter: KAFKA_JITTER })
  }

  /** A try succeeded: the next wait is the first one again. */
  reset(): void {
    this.#attempts = 0
  }
}
