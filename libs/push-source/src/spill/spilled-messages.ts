import { type MemoryShare, RecordQueue, type SourceRecord } from '@tributary/connect-api'
import { QueueMemory } from '../queue-memory.ts'
import { RateLimitedLog } from '../rate-limited-log.ts'
import { Spill } from './spill.ts'
import type { SpillParts } from './spill-parts.ts'

/** The messages that an earlier run left in a folder, for a recovery task: it delivers them, and receives no new ones. */
export class SpilledMessages<T> {
  readonly #spill: Spill<T>
  readonly #memory: QueueMemory<T>

  constructor(parts: Omit<SpillParts<T>, 'queue' | 'memory' | 'busyLog'> & { readonly memory: MemoryShare }) {
    const queue = new RecordQueue<T>({ maxRecords: 1, maxBytes: 1 })
    const nothing = (): void => {}
    this.#memory = new QueueMemory(queue, parts.memory, nothing, nothing)
    const busyLog = new RateLimitedLog(parts.log, parts.clock)
    this.#spill = new Spill({ ...parts, queue, memory: this.#memory, busyLog })
  }

  /** The next messages in order, at most `max`; null if there are no more, or if another owner holds the folder. */
  take(max: number, signal: AbortSignal): Promise<T[] | null> {
    return this.#spill.take(this.#memory.polls(max), signal)
  }

  /** See `Intake` for this method and the next two. */
  handedOut(records: readonly SourceRecord[]): void {
    this.#spill.handedOut(records)
  }

  delivered(record: SourceRecord): void {
    this.#spill.delivered(record)
  }

  committed(): Promise<void> {
    return this.#spill.committed()
  }

  /** Releases the folder. Undelivered messages stay on disk. */
  close(): Promise<void> {
    return this.#spill.close()
  }
}
