import type { TaskStats } from '@tributary/connect-api'
import type { RateLimitedLog, SequenceNumber } from '@tributary/push-source'
import type { Gap } from './gap.ts'

/** Counts and logs what sequences show, one line an event each 30 s at most. */
export class SequenceLog {
  readonly #stats: TaskStats
  readonly #log: RateLimitedLog

  constructor(stats: TaskStats, log: RateLimitedLog) {
    this.#stats = stats
    this.#log = log
  }

  gap({ reason, stream, from, to, count, lostAt, detectedAt }: Gap): void {
    this.#stats.sequenceGaps++
    this.#stats.sequenceGapMessages += Number(count ?? 0)
    this.#log.warn('sequence_gap', {
      reason,
      ...(stream === null ? {} : { stream }),
      ...(from === null ? {} : { from }),
      ...(to === null ? {} : { to }),
      ...(count === null ? {} : { gap_size: count }),
      ...(lostAt === null ? {} : { lost_for_ms: detectedAt - lostAt }),
    })
  }

  duplicate(stream: string | null, sequence: SequenceNumber, last: SequenceNumber | null): void {
    this.#stats.duplicates++
    this.#log.warn('sequence_duplicate', { ...(stream === null ? {} : { stream }), sequence, last_received: last })
  }

  duplicateId(id: string | number): void {
    this.#stats.duplicates++
    this.#log.warn('duplicate_id', { id })
  }

  unreadable(field: string): void {
    this.#log.warn('sequence_unreadable', { field, reason: 'not an integer' })
  }

  /** A message that was missing is there. */
  late(): void {
    this.#stats.gapMessagesFilled++
  }

  filled({ stream, from, to, count }: Gap): void {
    this.#stats.gapsFilled++
    this.#log.warn('sequence_gap_filled', { ...(stream === null ? {} : { stream }), from, to, gap_size: count })
  }

  partlyFilled({ stream, from, to, count }: Gap, missing: number): void {
    this.#log.warn('sequence_gap_partly_filled', {
      ...(stream === null ? {} : { stream }),
      from,
      to,
      gap_size: count,
      missing,
    })
  }

  forgotten(count: number): void {
    this.#log.warn('sequence_streams_forgotten', { count, setting: 'sequence.max.streams' })
  }

  backfillFailed({ stream, from, to }: Gap, error: string): void {
    this.#log.warn('backfill_failed', { ...(stream === null ? {} : { stream }), from, to, error })
  }
}
