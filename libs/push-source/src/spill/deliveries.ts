import type { SourceRecord } from '@tributary/connect-api'
import type { SpillPosition } from './position-file.ts'

/** What one poll took: from disk, then `position` is behind it, or from memory, then they are nowhere else. */
export type Taken<T> =
  | { readonly position: SpillPosition; readonly messages: null }
  | { readonly position: null; readonly messages: readonly T[] }

interface Delivery<T> {
  readonly taken: Taken<T>
  delivered: boolean
}

/**
 * What was handed out, in order, until Kafka has it: up to where may the disk forget, and what would be lost with the memory? A
 * message may have become several records or none, so what counts is the last record of each poll, whose batch is acknowledged
 * as a whole.
 */
export class Deliveries<T> {
  readonly #waiting: Delivery<T>[] = []
  readonly #byLastRecord = new Map<SourceRecord, Delivery<T>>()

  /** Answers the position when it may be forgotten at once: nothing became of the messages, and nothing before them waits. */
  handedOut(records: readonly SourceRecord[], taken: Taken<T>): SpillPosition | null {
    const last = records.at(-1)
    if (last === undefined && this.#waiting.length === 0) return taken.position
    const delivery = { taken, delivered: last === undefined }
    this.#waiting.push(delivery)
    if (last) this.#byLastRecord.set(last, delivery)
    return null
  }

  /** Called for every record of the task. */
  delivered(record: SourceRecord): void {
    const delivery = this.#byLastRecord.get(record)
    if (!delivery) return
    delivery.delivered = true
    this.#byLastRecord.delete(record)
    // Nothing on disk waits for these to be committed, and they hold memory.
    while (this.#waiting[0]?.delivered && this.#waiting[0].taken.position === null) this.#waiting.shift()
  }

  /** Up to where all is delivered now, taken once; null when nothing has changed on disk. */
  take(): SpillPosition | null {
    let position: SpillPosition | null = null
    while (this.#waiting[0]?.delivered) position = this.#waiting.shift()!.taken.position ?? position
    return position
  }

  /**
   * What is neither surely with Kafka nor on disk, in order: all from the first poll that Kafka has not, as offsets, too, are
   * committed up to there.
   */
  onlyInMemory(): T[] {
    const first = this.#waiting.findIndex(({ delivered }) => !delivered)
    return first < 0 ? [] : this.#waiting.slice(first).flatMap(({ taken }) => taken.messages ?? [])
  }
}
