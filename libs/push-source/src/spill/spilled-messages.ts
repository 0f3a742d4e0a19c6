import { RecordQueue, type SourceRecord } from '@tributary/connect-api'
import { RateLimitedLog } from '../rate-limited-log.ts'
import { Spill } from './spill.ts'
import type { SpillParts } from './spill-parts.ts'

/** What is left in a folder, and nothing else: for the task that hands it out where nobody takes anything in any more. */
export class SpilledMessages<T> {
  readonly #spill: Spill<T>

  constructor(parts: Omit<SpillParts<T>, 'queue' | 'busyLog'>) {
    const queue = new RecordQueue<T>({ maxRecords: 1, maxBytes: 1 })
    this.#spill = new Spill({ ...parts, queue, busyLog: new RateLimitedLog(parts.log, parts.clock) })
  }

  /** Up to `max` messages in order; null when there are no more, or while someone else has the folder. */
  take(max: number, signal: AbortSignal): Promise<T[] | null> {
    return this.#spill.take(max, signal)
  }

  /** As of `Intake`. */
  handedOut(records: readonly SourceRecord[]): void {
    this.#spill.handedOut(records)
  }

  delivered(record: SourceRecord): void {
    this.#spill.delivered(record)
  }

  committed(): Promise<void> {
    return this.#spill.committed()
  }

  /** What was not delivered stays. */
  close(): Promise<void> {
    return this.#spill.close()
  }
}
