import { stringifyJson } from '@tributary/config'
import { OPTIONAL_STRING_SCHEMA, type SourceRecord } from '@tributary/connect-api'
import type { SequenceNumber, SequenceRange } from '@tributary/push-source'
import type { Gap } from './gap.ts'

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
