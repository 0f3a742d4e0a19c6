import type { Clock } from '@tributary/connect-api'
import type { LogFields, Logger } from '@tributary/telemetry'

/** One line an event each `everyMs`; the next one tells how many were left out. For what a busy stream repeats. */
export class RateLimitedLog {
  readonly #log: Logger
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #events = new Map<string, { nextAt: number; suppressed: number }>()

  constructor(log: Logger, clock: Clock, everyMs = 30_000) {
    this.#log = log
    this.#clock = clock
    this.#everyMs = everyMs
  }

  warn(event: string, fields: LogFields): void {
    const now = this.#clock.monotonic()
    let state = this.#events.get(event)
    if (!state) this.#events.set(event, (state = { nextAt: now, suppressed: 0 }))
    if (now < state.nextAt) {
      state.suppressed++
      return
    }
    this.#log.warn(event, state.suppressed > 0 ? { ...fields, suppressed: state.suppressed } : fields)
    state.nextAt = now + this.#everyMs
    state.suppressed = 0
  }
}
