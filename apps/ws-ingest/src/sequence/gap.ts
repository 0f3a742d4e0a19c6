import { stringifyJson } from '@tributary/config'
import { OPTIONAL_STRING_SCHEMA, type SourcePartition, type SourceRecord, type TaskStats } from '@tributary/connect-api'
import type { RateLimitedLog, SequenceNumber, SequenceRange } from '@tributary/push-source'

/**
 * How a gap was found. `missing`: numbers were skipped. `reset`: the server counts anew, so that what it sent last in the old
 * numbering is unknown. `reconnected`, `restarted`: messages without numbers that were sent while no connection was there.
 */
export type GapReason = 'missing' | 'reset' | 'reconnected' | 'restarted'

/** Messages that did not come. */
export interface Gap {
  readonly reason: GapReason
  /** Key of the stream; null where there is only one. */
  readonly stream: string | null
  /** Source partition of the stream. */
  readonly partition: SourcePartition
  /** First missing number; null where there are no numbers. */
  readonly from: SequenceNumber | null
  /** Last missing number, and how many there are; null where nobody can know. */
  readonly to: SequenceNumber | null
  readonly count: SequenceNumber | null
  /** ms since the epoch; when the connection was lost, null when unknown, and when the next one streamed. */
  readonly lostAt: number | null
  readonly detectedAt: number
  /** The message at which it was found came before, by its id, and is to be left out. */
  readonly duplicate: boolean
}

/** What is to be done with a message: null, take it; `duplicate`, leave it out; or a gap before it, which says so itself. */
export type Verdict = null | 'duplicate' | Gap

/** A gap, and the index among a batch's records before which the missing ones belong. */
export interface PlacedGap {
  readonly at: number
  readonly gap: Gap
}

/** The records of a batch, and what is missing between them. */
export interface Built {
  readonly records: SourceRecord[]
  readonly gaps: readonly PlacedGap[]
}

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

/** `opened`: found. `filled`: all of it came, late or by a backfill. `partly_filled`: a backfill brought some of it. */
export type GapState = 'opened' | 'filled' | 'partly_filled'

export interface GapRecordsOptions {
  readonly topic: string
  readonly connector: string
  readonly task: number
  /** Without what may be secret in it. */
  readonly url: string
  readonly sessionId: string
  readonly now: () => number
}

/** The records of `gap.topic`: JSON as text, keyed by stream, so that the last one of a gap stands behind its first. */
export class GapRecords {
  readonly #options: GapRecordsOptions

  constructor(options: GapRecordsOptions) {
    this.#options = options
  }

  /**
   * `missing`: what has not come of it. `streamSequence`: where the stream stands at this place among its records, for the
   * source offset; `sequence` of that is given by the place.
   */
  record(
    gap: Gap,
    state: GapState,
    missing: readonly SequenceRange[],
    streamSequence: SequenceNumber | null,
  ): SourceRecord {
    const { topic, connector, task, url, sessionId, now } = this.#options
    const at = state === 'opened' ? gap.detectedAt : now()
    const value = {
      connector,
      task,
      url,
      stream: gap.stream,
      reason: gap.reason,
      state,
      from: gap.from,
      to: gap.to,
      count: gap.count,
      missing,
      lost_at: gap.lostAt === null ? null : new Date(gap.lostAt).toISOString(),
      detected_at: new Date(gap.detectedAt).toISOString(),
      ...(state === 'opened' ? {} : { filled_at: new Date(at).toISOString() }),
    }
    return {
      sourcePartition: gap.partition,
      sourceOffset: {
        session_id: sessionId,
        sequence: 0,
        ...(streamSequence === null ? {} : { stream_sequence: streamSequence }),
      },
      topic,
      partition: undefined,
      key: gap.stream,
      keySchema: gap.stream === null ? null : OPTIONAL_STRING_SCHEMA,
      value: stringifyJson(value),
      valueSchema: OPTIONAL_STRING_SCHEMA,
      headers: undefined,
      timestamp: at,
    }
  }
}
