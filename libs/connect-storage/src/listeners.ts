import type { Logger } from '@tributary/telemetry'

/** Listeners of a store. One that throws is logged; the others are still told. */
export class Listeners<L> {
  readonly #log: Logger
  readonly #listeners = new Set<L>()

  constructor(log: Logger) {
    this.#log = log
  }

  /** Answers the function that removes it again. */
  add(listener: L): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  tell(call: (listener: L) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener)
      } catch (error) {
        this.#log.error('store_listener_failed', { error: (error as Error).stack })
      }
    }
  }
}
