import type { Polled } from '@tributary/connect-api'
import type { SpillPosition } from './position-file.ts'

/** The messages of one poll. From disk: `position` is the end of them in the log. From memory: no other copy exists. */
export type Taken<T> =
  | { readonly position: SpillPosition; readonly messages: null }
  | { readonly position: null; readonly messages: readonly T[] }

interface Delivery<T> {
  readonly taken: Taken<T>
  delivered: boolean
}

/**
 * The polls whose records Kafka has not acknowledged yet, in order. They say which part of the log may be deleted, and which
 * messages would be lost with the memory. A message may become several records or none, so a poll is acknowledged as a whole.
 */
export class Deliveries<T> {
  readonly #waiting: Delivery<T>[] = []
  /** By the records that the poll returned. */
  readonly #byPoll = new Map<readonly Polled[], Delivery<T>>()

  /** Returns a position if the log may be deleted up to it at once: the messages made no record, and no earlier poll waits. */
  handedOut(polled: readonly Polled[], taken: Taken<T>): SpillPosition | null {
    const isEmpty = polled.length === 0
    if (isEmpty && this.#waiting.length === 0) return taken.position
    const delivery = { taken, delivered: isEmpty }
    this.#waiting.push(delivery)
    if (!isEmpty) this.#byPoll.set(polled, delivery)
    return null
  }

  /** Kafka has acknowledged the records of a poll. Called for every poll of the task. */
  delivered(polled: readonly Polled[]): void {
    const delivery = this.#byPoll.get(polled)
    if (!delivery) return
    delivery.delivered = true
    this.#byPoll.delete(polled)
    // A poll from memory has no position to commit, and its messages occupy memory.
    while (this.#waiting[0]?.delivered && this.#waiting[0].taken.position === null) this.#waiting.shift()
  }

  /** The end of the delivered part of the log. Each position is returned once; null: no new one. */
  take(): SpillPosition | null {
    let position: SpillPosition | null = null
    while (this.#waiting[0]?.delivered) position = this.#waiting.shift()!.taken.position ?? position
    return position
  }

  /**
   * The messages that are not on disk and that Kafka may not have, in order. They begin with the first poll that is not delivered:
   * offsets are committed up to that poll, so a restarted source continues there.
   */
  onlyInMemory(): T[] {
    const first = this.#waiting.findIndex(({ delivered }) => !delivered)
    return first < 0 ? [] : this.#waiting.slice(first).flatMap(({ taken }) => taken.messages ?? [])
  }
}
