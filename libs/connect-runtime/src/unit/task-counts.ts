import type { RateWindow } from '../model/rate-window.ts'
import type { CreatedTask } from './task-factory.ts'

/** Everything that a task counts, and where a run keeps the count. */
const COUNTS = {
  messagesReceived: ({ stats }: CreatedTask) => stats.messagesReceived,
  bytesReceived: ({ stats }: CreatedTask) => stats.bytesReceived,
  messagesDropped: ({ stats }: CreatedTask) => stats.messagesDropped,
  messagesNotJson: ({ stats }: CreatedTask) => stats.messagesNotJson,
  messagesSpilled: ({ stats }: CreatedTask) => stats.messagesSpilled,
  duplicates: ({ stats }: CreatedTask) => stats.duplicates,
  sequenceGaps: ({ stats }: CreatedTask) => stats.sequenceGaps,
  sequenceGapMessages: ({ stats }: CreatedTask) => stats.sequenceGapMessages,
  gapsFilled: ({ stats }: CreatedTask) => stats.gapsFilled,
  gapMessagesFilled: ({ stats }: CreatedTask) => stats.gapMessagesFilled,
  recordsPolled: ({ run }: CreatedTask) => run.progress.recordsPolled,
  recordsProduced: ({ run }: CreatedTask) => run.progress.recordsProduced,
  recordsWritten: ({ run }: CreatedTask) => run.progress.recordsWritten,
  recordsFiltered: ({ run }: CreatedTask) => run.progress.recordsFiltered,
  recordsCommitted: ({ run }: CreatedTask) => run.progress.recordsCommitted,
  recordsAbandoned: ({ run }: CreatedTask) => run.progress.abandoned,
  recordsSkipped: ({ errors }: CreatedTask) => errors.skipped,
  recordsDeadLettered: ({ errors }: CreatedTask) => errors.deadLettered,
  reconnects: ({ run }: CreatedTask) => run.connection.reconnects,
}

/** Times of last events, in ms since the epoch; 0 before the first. */
const TIMES = {
  lastMessageAt: ({ stats }: CreatedTask) => stats.lastMessageAt,
  lastRecordAt: ({ run }: CreatedTask) => run.progress.lastRecordAt,
}

export type TaskCount = keyof typeof COUNTS
export type TaskTime = keyof typeof TIMES

/**
 * The counts of a task. Runs that follow each other with overlap share their counts, so that a hand-over resets no metric. A run
 * that starts alone, as after a restart, counts from 0, as Kafka Connect's tasks do.
 */
export class TaskCounts {
  readonly #current: () => CreatedTask | null
  /** Counts and times of the runs before the current one. */
  readonly #before = new Map<TaskCount | TaskTime, number>()
  /** The predecessor's window: its records count towards the rate for ten seconds. */
  #rateBefore: RateWindow | null = null

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

  /** Records per second that the broker acknowledged, averaged over the last ten seconds. */
  rate(nowMs: number): number {
    return (this.#rateBefore?.rate(nowMs) ?? 0) + (this.#current()?.run.progress.rate.rate(nowMs) ?? 0)
  }

  /** Adds the counts of the current run to those before it. Call this before its successor becomes the current run. */
  goOn(): void {
    const now = [
      ...namesOf(COUNTS).map((name) => [name, this.count(name)] as const),
      ...namesOf(TIMES).map((name) => [name, this.time(name)] as const),
    ]
    for (const [name, value] of now) this.#before.set(name, value)
    this.#rateBefore = this.#current()?.run.progress.rate ?? null
  }

  /** Resets the counts: the next run starts alone. */
  beginAnew(): void {
    this.#before.clear()
    this.#rateBefore = null
  }
}

function namesOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[]
}
