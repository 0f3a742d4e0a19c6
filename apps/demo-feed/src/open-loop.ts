import { setTimeout as sleep } from 'node:timers/promises'

/** ms since the epoch, with fractions. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

/**
 * The times at which messages are due: a steady rate that does not depend on the client (an open loop). Message `i` is
 * due in the ms that contains its share of a second, because a timer is no more exact.
 */
export class OpenLoop {
  readonly #startMs: number
  readonly #ratePerSecond: number

  /** `ratePerSecond` > 0. */
  constructor(ratePerSecond: number, startMs = nowMs()) {
    this.#ratePerSecond = ratePerSecond
    this.#startMs = startMs
  }

  /** The time at which message `index` (from 0) is due, in ms since the epoch. */
  dueAt(index: number): number {
    return this.#startMs + Math.floor((index * 1000) / this.#ratePerSecond)
  }

  /** Waits until message `index` is due. Rejects when aborted. */
  async due(index: number, signal: AbortSignal): Promise<void> {
    for (let wait = this.dueAt(index) - nowMs(); wait > 0; wait = this.dueAt(index) - nowMs()) {
      await sleep(Math.ceil(wait), undefined, { signal })
    }
  }
}
