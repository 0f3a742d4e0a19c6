import { MAX_TIMER_MS } from '@tributary/async'
/** Longest time in ms between two reports of a connection that is too old. */
export const AGAIN_MS = 30_000
export interface ConnectionAgeOptions {
  /** ms since the present connection was made; null while there is none. */
  readonly ageMs: () => number | null
  /** > 0 */
  readonly maxAgeMs: number
  /** Called when the connection has reached `maxAgeMs`, and every 30 s or sooner while that connection lives. */
  readonly onOld: () => void
}

/** Watches the age of a run's connection. Nobody reports a new connection: it cannot be too old before the next check. */
export class ConnectionAge {
  readonly #options: ConnectionAgeOptions
  #timer: NodeJS.Timeout | null = null

  constructor(options: ConnectionAgeOptions) {
    this.#options = options
    this.#checkAfter(options.maxAgeMs)
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #check(): void {
    const { ageMs, maxAgeMs, onOld } = this.#options
    const remainingMs = maxAgeMs - (ageMs() ?? 0)
    if (remainingMs > 0) return this.#checkAfter(remainingMs)
    this.#checkAfter(Math.min(maxAgeMs, AGAIN_MS))
    onOld()
  }

  #checkAfter(ms: number): void {
    this.#timer = setTimeout(() => this.#check(), Math.min(ms, MAX_TIMER_MS)).unref()
  }
}
