import type { Clock } from '@tributary/connect-api'
import { type LogFields, type Logger, oncePer } from '@tributary/telemetry'

const PERIOD_MS = 30_000

/** Logs a repeated warning once in 30 s, by event. The line has the number of lines suppressed before it (`suppressed`). */
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
