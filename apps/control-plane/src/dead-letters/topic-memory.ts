import { sleep } from '@tributary/async'
import type { DeadLetterStore } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import type { FollowedTopics } from './followed-topics.ts'

const LOOK_MS = 1000

/** Writes the names of the dead-letter topics, so that they are followed when no connector names them any more. */
export class TopicMemory {
  readonly #followed: Pick<FollowedTopics, 'unremembered'>
  readonly #store: DeadLetterStore
  readonly #log: Logger

  constructor(followed: Pick<FollowedTopics, 'unremembered'>, store: DeadLetterStore, log: Logger) {
    this.#followed = followed
    this.#store = store
    this.#log = log
  }

  /** Until the signal aborts. */
  lead(term: AbortSignal): void {
    void this.#remember(term)
  }

  async #remember(term: AbortSignal): Promise<void> {
    while (!term.aborted) {
      const topics = this.#followed.unremembered()
      try {
        if (topics.length > 0) await this.#store.write({ topics })
      } catch (error) {
        if (!term.aborted) this.#log.warn('dead_letter_topics_unwritten', { error })
      }
      await sleep(LOOK_MS, term).catch(() => undefined)
    }
  }
}
