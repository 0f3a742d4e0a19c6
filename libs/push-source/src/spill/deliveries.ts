import type { SourceRecord } from '@tributary/connect-api'
import type { SpillPosition } from './position-file.ts'

interface Delivery {
  /** Behind the last message that the records are of. */
  readonly position: SpillPosition
  delivered: boolean
}

/**
 * What was read from disk and handed out, in order, until Kafka has it: up to where may the disk forget? A message may have
 * become several records or none, so what counts is the last record of each poll, whose batch is acknowledged as a whole.
 */
export class Deliveries {
  readonly #waiting: Delivery[] = []
  readonly #byLastRecord = new Map<SourceRecord, Delivery>()

  /** Answers the position when it may be forgotten at once: nothing became of the messages, and nothing before them waits. */
  handedOut(records: readonly SourceRecord[], position: SpillPosition): SpillPosition | null {
    const last = records.at(-1)
    if (last === undefined && this.#waiting.length === 0) return position
    const delivery = { position, delivered: last === undefined }
    this.#waiting.push(delivery)
    if (last) this.#byLastRecord.set(last, delivery)
    return null
  }

  /** Called for every record of the task, from disk or not. */
  delivered(record: SourceRecord): void {
    if (this.#byLastRecord.size === 0) return
    const delivery = this.#byLastRecord.get(record)
    if (!delivery) return
    delivery.delivered = true
    this.#byLastRecord.delete(record)
  }

  /** Up to where all is delivered now, taken once; null when nothing has changed. */
  take(): SpillPosition | null {
    let position: SpillPosition | null = null
    while (this.#waiting[0]?.delivered) position = this.#waiting.shift()!.position
    return position
  }
}
