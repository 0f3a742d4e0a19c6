import type { SourcePartition } from '@tributary/connect-api'
import type { SequenceNumber } from '@tributary/push-source'

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
