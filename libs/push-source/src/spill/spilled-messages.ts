import {
  inFlightCost,
  type MemoryShare,
  type Polled,
  QueueMemory,
  type RecordCost,
  RecordQueue,
} from '@tributary/connect-api'
import { RateLimitedLog } from '../rate-limited-log.ts'
import { Spill } from './spill.ts'
import type { SpillParts } from './spill-parts.ts'

export type SpilledMessagesParts<T> = Omit<SpillParts<T>, 'queue' | 'memory' | 'busyLog'> & {
  readonly memory: MemoryShare
  /** See IntakeOptions. */
  readonly recordCost?: RecordCost
}

/** The messages that an earlier run left in a folder, for a recovery task: it delivers them, and receives no new ones. */
export class SpilledMessages<T> {
  readonly #spill: Spill<T>
  readonly #memory: QueueMemory

  constructor(parts: SpilledMessagesParts<T>) {
    const queue = new RecordQueue<T>({ maxRecords: 1, maxBytes: 1 })
    const nothing = (): void => {}
    this.#memory = new QueueMemory(queue, parts.memory, parts.recordCost ?? inFlightCost, nothing, nothing)
    const busyLog = new RateLimitedLog(parts.log, parts.clock)
    this.#spill = new Spill({ ...parts, queue, memory: this.#memory, busyLog })
  }

  /** The next messages in order, at most `max`; null if there are no more, or if another owner holds the folder. */
  take(max: number, signal: AbortSignal): Promise<T[] | null> {
    return this.#spill.take(this.#memory.polls(max), signal)
  }

  /** See `Intake` for this method and the next two. */
  handedOut(polled: readonly Polled[]): void {
    this.#spill.handedOut(polled)
  }

  delivered(polled: readonly Polled[]): void {
    this.#spill.delivered(polled)
  }

  committed(): Promise<void> {
    return this.#spill.committed()
  }

  /** Releases the folder. Undelivered messages stay on disk. */
  close(): Promise<void> {
    return this.#spill.close()
  }
}
