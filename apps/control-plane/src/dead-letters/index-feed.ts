import { backoffMs, sleep } from '@tributary/async'
import type { DeadLetterStore, LetterEvent } from '@tributary/connect-storage'
import type { DeadLetterIndex } from '@tributary/dead-letters'
import type { Logger } from '@tributary/telemetry'

const MAX_EVENTS = 1000

/** Gives the events of the store to the index, in their order. */
export class IndexFeed {
  readonly #index: Pick<DeadLetterIndex, 'apply'>
  readonly #log: Logger
  readonly #unlisten: () => void
  readonly #stop = new AbortController()
  #waiting: LetterEvent[] = []
  #running: Promise<void> | null = null

  /** Listens from now on; events that the store has read before are given first. */
  constructor(store: DeadLetterStore, index: Pick<DeadLetterIndex, 'apply'>, log: Logger) {
    this.#index = index
    this.#log = log
    this.#waiting.push(...store.snapshot.events())
    this.#unlisten = store.listen({ event: (event) => this.#add(event) })
    if (this.#waiting.length > 0) this.#run()
  }

  /** Resolves when the index has all events that the store has read so far. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running
  }

  async stop(): Promise<void> {
    this.#unlisten()
    this.#stop.abort()
    await this.#running
  }

  #add(event: LetterEvent): void {
    this.#waiting.push(event)
    this.#run()
  }

  #run(): void {
    this.#running ??= this.#give().finally(() => (this.#running = null))
  }

  async #give(): Promise<void> {
    const { signal } = this.#stop
    // What arrives in one answer of Kafka is given at once.
    await Promise.resolve()
    for (let attempt = 1; this.#waiting.length > 0 && !signal.aborted;) {
      const events = this.#waiting.slice(0, MAX_EVENTS)
      try {
        await this.#index.apply(events)
        this.#waiting = this.#waiting.slice(events.length)
        attempt = 1
      } catch (error) {
        this.#log.error('dead_letter_index_failed', { error })
        await sleep(backoffMs(attempt++, { baseMs: 100, maxMs: 5000 }), signal).catch(() => undefined)
      }
    }
  }
}
