import type { Clock } from '@tributary/connect-api'
import { type LogFields, type Logger, oncePer } from '@tributary/telemetry'

const PERIOD_MS = 30_000

/** Warnings that a busy stream repeats: one line an event each 30 s, which tells how many were left out before it. */
export class RateLimitedLog {
  readonly #log: Logger
  readonly #limit: (event: string) => number | null

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#limit = oncePer(PERIOD_MS, () => clock.monotonic())
  }

  warn(event: string, fields: LogFields): void {
    const suppressed = this.#limit(event)
    if (suppressed !== null) this.#log.warn(event, suppressed > 0 ? { ...fields, suppressed } : fields)
  }
}
