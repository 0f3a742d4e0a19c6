import type { CreatedTask } from './task-factory.ts'

/** Everything that a task counts, and where its present run keeps it. */
const COUNTS = {
  messagesReceived: ({ stats }: CreatedTask) => stats.messagesReceived,
  bytesReceived: ({ stats }: CreatedTask) => stats.bytesReceived,
  messagesDropped: ({ stats }: CreatedTask) => stats.messagesDropped,
  messagesSpilled: ({ stats }: CreatedTask) => stats.messagesSpilled,
  duplicates: ({ stats }: CreatedTask) => stats.duplicates,
  sequenceGaps: ({ stats }: CreatedTask) => stats.sequenceGaps,
  sequenceGapMessages: ({ stats }: CreatedTask) => stats.sequenceGapMessages,
  gapsFilled: ({ stats }: CreatedTask) => stats.gapsFilled,
  gapMessagesFilled: ({ stats }: CreatedTask) => stats.gapMessagesFilled,
  recordsPolled: ({ run }: CreatedTask) => run.progress.recordsPolled,
  recordsProduced: ({ run }: CreatedTask) => run.progress.recordsProduced,
  recordsCommitted: ({ run }: CreatedTask) => run.progress.recordsCommitted,
  recordsAbandoned: ({ run }: CreatedTask) => run.progress.abandoned,
  recordsSkipped: ({ errors }: CreatedTask) => errors.skipped,
  recordsDeadLettered: ({ errors }: CreatedTask) => errors.deadLettered,
  reconnects: ({ run }: CreatedTask) => run.connection.reconnects,
}

/** Times of the last of something, ms since the epoch; 0 before the first. */
const TIMES = {
  lastMessageAt: ({ stats }: CreatedTask) => stats.lastMessageAt,
  lastRecordAt: ({ run }: CreatedTask) => run.progress.lastRecordAt,
}

export type TaskCount = keyof typeof COUNTS
export type TaskTime = keyof typeof TIMES

const RATE_MS = 1000

/**
 * What a task has done, in numbers that only grow while its runs follow each other with overlap: to whoever reads the
 * metrics they are one. A run that begins alone, after a restart, counts from 0, as Kafka Connect's do.
 */
export class TaskCounts {
  readonly #current: () => CreatedTask | null
  readonly #before = new Map<TaskCount | TaskTime, number>()
  #rate = { at: 0, records: 0, perSecond: 0 }

  /** `current`: the run that counts now. */
  constructor(current: () => CreatedTask | null) {
    this.#current = current
  }

  count(name: TaskCount): number {
    const current = this.#current()
    return (this.#before.get(name) ?? 0) + (current === null ? 0 : COUNTS[name](current))
  }

  time(name: TaskTime): number {
    const current = this.#current()
    return Math.max(this.#before.get(name) ?? 0, current === null ? 0 : TIMES[name](current))
  }

  /** Records that the broker acknowledged, a second, since about a second ago or longer. */
  rate(nowMs: number): number {
    const elapsed = nowMs - this.#rate.at
    if (elapsed < RATE_MS) return this.#rate.perSecond
    const records = this.count('recordsProduced')
    // Before the first look there is nothing to compare with; fewer than then are those of another run.
    const known = this.#rate.at > 0 && records >= this.#rate.records
    const perSecond = known ? ((records - this.#rate.records) * 1000) / elapsed : 0
    this.#rate = { at: nowMs, records, perSecond }
    return perSecond
  }

  /** The present run has ended, and another goes on where it stopped: to be called before that is the present one. */
  goOn(): void {
    const now = [
      ...namesOf(COUNTS).map((name) => [name, this.count(name)] as const),
      ...namesOf(TIMES).map((name) => [name, this.time(name)] as const),
    ]
    for (const [name, value] of now) this.#before.set(name, value)
  }

  /** The next run begins alone. */
  beginAnew(): void {
    this.#before.clear()
  }
}

function namesOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[]
}
