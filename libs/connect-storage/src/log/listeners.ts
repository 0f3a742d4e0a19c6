import type { Logger } from '@tributary/telemetry'

/** The listeners of a store. An exception of one listener is logged, and the other listeners are still called. */
export class Listeners<L> {
  readonly #log: Logger
  readonly #listeners = new Set<L>()

  constructor(log: Logger) {
    this.#log = log
  }

  /** Adds a listener. Returns a function that removes it. */
  add(listener: L): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  notify(call: (listener: L) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener)
      } catch (error) {
        this.#log.error('store_listener_failed', { error: (error as Error).stack })
      }
    }
  }
}
