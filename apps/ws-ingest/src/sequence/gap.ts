import { stringifyJson } from '@tributary/config'
import { OPTIONAL_STRING_SCHEMA, type SourcePartition, type SourceRecord, type TaskStats } from '@tributary/connect-api'
import type { RateLimitedLog, SequenceNumber, SequenceRange } from '@tributary/push-source'

/**
 * How a gap was found. `missing`: sequence numbers were skipped. `reset`: the server restarted its numbering, so the
 * last message of the old numbering is unknown. `reconnected`, `restarted`: a feed without numbers was not connected
 * for a while.
 */
export type GapReason = 'missing' | 'reset' | 'reconnected' | 'restarted'

/** Messages that were not received. */
export interface Gap {
  readonly reason: GapReason
  /** Key of the stream; null if the feed has only one stream. */
  readonly stream: string | null
  /** Source partition of the stream. */
  readonly partition: SourcePartition
  /** First missing number; null if there are no numbers. */
  readonly from: SequenceNumber | null
  /** Last missing number, and the number of missing messages; null if unknown. */
  readonly to: SequenceNumber | null
  readonly count: SequenceNumber | null
  /** Loss of the connection, null if unknown, and detection of the gap; in ms since the epoch. */
  readonly lostAt: number | null
  readonly detectedAt: number
  /** The message that revealed the gap is a duplicate by its id, and must be left out. */
  readonly duplicate: boolean
}

/**
 * What to do with a message. null: accept it. `duplicate`: leave it out. A gap precedes the message; see
 * `Gap.duplicate`.
 */
export type Verdict = null | 'duplicate' | Gap

/** A gap, and the index in a batch before which it lies. */
export interface PlacedGap {
  readonly at: number
  readonly gap: Gap
}

/** The records of a batch, and the gaps between them (`at` is an index of `records`). */
export interface BuiltBatch {
  readonly records: SourceRecord[]
  readonly gaps: readonly PlacedGap[]
}

/** Counts and logs gaps and duplicates; each event is logged at most once in 30 s. */
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

  /** A lower number, accepted: the message is another one than before, or nobody remembers the one before. */
  repeated(stream: string | null, sequence: SequenceNumber, last: SequenceNumber | null): void {
    this.#log.warn('sequence_repeated', { ...(stream === null ? {} : { stream }), sequence, last_received: last })
  }

  duplicateId(id: string | number): void {
    this.#stats.duplicates++
    this.#log.warn('duplicate_id', { id })
  }

  unreadable(field: string): void {
    this.#log.warn('sequence_unreadable', { field, reason: 'not an integer' })
  }

  /** A missing message has arrived. */
  messageFilled(): void {
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

  /** Ids are too long for the whole of `dedupe.window`. */
  windowCut(): void {
    this.#log.warn('dedupe_window_cut', { setting: 'dedupe.window' })
  }

  backfillFailed({ stream, from, to }: Gap, error: string): void {
    this.#log.warn('backfill_failed', { ...(stream === null ? {} : { stream }), from, to, error })
  }
}

/**
 * `opened`: found. `filled`: all missing messages have arrived, from the feed or from a backfill. `partly_filled`: a
 * backfill returned some of them.
 */
export type GapState = 'opened' | 'filled' | 'partly_filled'

export interface GapRecordsOptions {
  readonly topic: string
  readonly connector: string
  readonly task: number
  /** URL without secrets. */
  readonly url: string
  readonly sessionId: string
  readonly now: () => number
}

/** Builds the records of `gap.topic`: JSON text, keyed by stream, so that the records of a gap stay in order. */
export class GapRecords {
  readonly #options: GapRecordsOptions

  constructor(options: GapRecordsOptions) {
    this.#options = options
  }

  /**
   * `missing`: numbers of the gap that are still missing. `streamSequence`: highest number of the stream at this place,
   * for the source offset; `digests`: those that belong to it. The caller sets `sequence` of the offset.
   */
  record(
    gap: Gap,
    state: GapState,
    missing: readonly SequenceRange[],
    streamSequence: SequenceNumber | null,
    digests: string,
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
        ...(digests === '' ? {} : { stream_digests: digests }),
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
