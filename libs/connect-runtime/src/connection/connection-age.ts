import { MAX_TIMER_MS } from '@tributary/async'
/** A connection that could not be replaced when it had its age is tried again to be after so long, in ms. */
const AGAIN_MS = 30_000
export interface ConnectionAgeOptions {
  /** ms since the present connection was made; null while there is none. */
  readonly ageMs: () => number | null
  /** > 0 */
  readonly maxAgeMs: number
  /** The connection has this age; told again and again while it lives. */
  readonly onOld: () => void
}

/** Watches how old a run's connection gets. Needs no word of new connections: none can be older than the last look says. */
export class ConnectionAge {
  readonly #options: ConnectionAgeOptions
  #timer: NodeJS.Timeout | null = null

  constructor(options: ConnectionAgeOptions) {
    this.#options = options
    this.#lookAfter(options.maxAgeMs)
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #look(): void {
    const { ageMs, maxAgeMs, onOld } = this.#options
    const remainingMs = maxAgeMs - (ageMs() ?? 0)
    if (remainingMs > 0) return this.#lookAfter(remainingMs)
    this.#lookAfter(Math.min(maxAgeMs, AGAIN_MS))
    onOld()
  }

  #lookAfter(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.min(ms, MAX_TIMER_MS)).unref()
  }
}
