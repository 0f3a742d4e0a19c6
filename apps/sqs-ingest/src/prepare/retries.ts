import { Alarm, backoffMs, type Clock } from '@tributary/async'
import type { Delivery } from '../settle/delivery.ts'

/** The JVM connector's jitter and longest wait. */
const JITTER = { from: 0.7, to: 1.3 }
const MAX_MS = 600_000
/** First wait after an outage of a system that a message points to. */
const OUTAGE = { baseMs: 1000, maxMs: 60_000 }

/** Messages whose conversion failed, until it is tried again. */
export class Retries {
  readonly #clock: Clock
  readonly #backoffMs: number
  readonly #alarm: Alarm
  readonly #dueAt = new Map<Delivery, number>()

  /** `onDue` gets each message when its wait is over. `firstWaitMs`: `retry.backoff.ms`. */
  constructor(clock: Clock, firstWaitMs: number, onDue: (delivery: Delivery) => void) {
    this.#clock = clock
    this.#backoffMs = firstWaitMs
    this.#alarm = new Alarm(clock, () => this.#ring(onDue))
  }

  get size(): number {
    return this.#dueAt.size
  }

  /** Tries the message again after a wait that doubles with its failures, or with the outages that it met. */
  add(delivery: Delivery, why: 'failure' | 'outage'): void {
    const options = why === 'failure' ? { baseMs: this.#backoffMs, maxMs: MAX_MS, jitter: JITTER } : OUTAGE
    const waitMs = Math.max(1, backoffMs(why === 'failure' ? delivery.failures : delivery.outages, options))
    const at = this.#clock.monotonic() + Math.min(waitMs, MAX_MS)
    this.#dueAt.set(delivery, at)
    this.#alarm.set(at)
  }

  delete(delivery: Delivery): void {
    this.#dueAt.delete(delivery)
  }

  close(): void {
    this.#alarm.close()
    this.#dueAt.clear()
  }

  #ring(onDue: (delivery: Delivery) => void): void {
    const now = this.#clock.monotonic()
    const due: Delivery[] = []
    let next = Infinity
    for (const [delivery, at] of this.#dueAt) {
      if (at <= now) due.push(delivery)
      else next = Math.min(next, at)
    }
    if (next < Infinity) this.#alarm.set(next)
    for (const delivery of due) {
      this.#dueAt.delete(delivery)
      onDue(delivery)
    }
  }
}
