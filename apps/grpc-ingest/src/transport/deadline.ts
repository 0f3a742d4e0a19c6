import { MAX_TIMER_MS } from '@tributary/async'

/** The most digits of a `grpc-timeout` allow this much (PROTOCOL-HTTP2, "TimeoutValue"). */
const MAX_VALUE = 99_999_999
const UNITS = [
  ['m', 1],
  ['S', 1000],
  ['M', 60_000],
  ['H', 3_600_000],
] as const

/** A deadline in ms (> 0) as `grpc-timeout`: the finest unit in which it has 8 digits, 11,415 years at most. */
export function timeoutHeader(ms: number): string {
  for (const [unit, unitMs] of UNITS) {
    const value = Math.ceil(ms / unitMs)
    if (value <= MAX_VALUE) return `${value}${unit}`
  }
  return `${MAX_VALUE}H`
}

/** Calls back once after `ms`, which may be longer than a timer of Node can wait (24.8 days). */
export class Deadline {
  readonly #over: () => void
  #remainingMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number, over: () => void) {
    this.#remainingMs = ms
    this.#over = over
    this.#wait()
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  #wait(): void {
    const stepMs = Math.min(this.#remainingMs, MAX_TIMER_MS)
    this.#remainingMs -= stepMs
    this.#timer = setTimeout(() => (this.#remainingMs > 0 ? this.#wait() : this.#over()), stepMs)
  }
}
