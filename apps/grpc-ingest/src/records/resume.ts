import type { SourceOffset, TaskStats } from '@tributary/connect-api'
import {
  countBetween,
  plus,
  type RateLimitedLog,
  sequenceNumber,
  type SequenceRange,
  SequenceTracker,
} from '@tributary/push-source'

/** A value of the resume field: an integer of any size, or a token. */
export type ResumeValue = bigint | string

export interface ResumeOptions {
  /** The last committed value; null for none. */
  readonly committed: ResumeValue | null
  /** A number that is not above the last one is a duplicate. */
  readonly monotonic: boolean
  /** Numbers grow by one, so a skipped number is a gap. */
  readonly contiguous: boolean
  readonly stats: TaskStats
  readonly log: RateLimitedLog
}

/**
 * The resume position of a stream. It starts at the last committed value and follows the received messages, so that a
 * reconnect continues after the last received message and a restart after the last committed one. A token is only
 * remembered. Numbers are compared: duplicates are recognized (`sequence_duplicate`) and missing numbers are counted
 * (`sequence_gap`). The request says where to continue, so a lower number never means that the server restarted its numbering.
 */
export class Resume {
  readonly #options: ResumeOptions
  /** null: numbers are only remembered, too. */
  readonly #tracker: SequenceTracker | null
  #last: ResumeValue | null = null

  constructor(options: ResumeOptions) {
    const { committed, monotonic, contiguous } = options
    this.#options = options
    this.#tracker = monotonic ? new SequenceTracker({ contiguous, resets: false }) : null
    this.#restore(committed)
  }

  /** The last received value, or the committed one while nothing was received. */
  get last(): ResumeValue | null {
    return this.#last
  }

  /**
   * Continues after the last value that the predecessor committed while this run was connected already. Returns false
   * if this run cannot find out which of its messages the predecessor delivered.
   */
  takeOver(committed: ResumeValue | null): boolean {
    this.#restore(committed)
    // A token may look like a number; it is not compared as one.
    return committed === null || (this.#tracker !== null && typeof committed === 'bigint')
  }

  /**
   * Takes the value of a message, null when it has none. False means that the message is a duplicate and must be
   * dropped.
   */
  accept(value: ResumeValue | null): boolean {
    const number = typeof value === 'bigint' ? sequenceNumber(value) : null
    const judgement = number === null || this.#tracker === null ? null : this.#tracker.accept(number)
    if (judgement === 'duplicate') {
      this.#options.stats.duplicates++
      this.#options.log.warn('sequence_duplicate', { sequence: value, last_received: this.#last })
      return false
    }
    if (judgement === 'fill') return true
    if (judgement?.kind === 'skipped') this.#gap(judgement)
    if (value !== null) this.#last = value
    return true
  }

  #restore(value: ResumeValue | null): void {
    this.#last = value
    this.#tracker?.restore(sequenceNumber(value))
  }

  #gap({ from, to }: SequenceRange): void {
    const { stats, log } = this.#options
    const missing = countBetween(from, to)
    stats.sequenceGaps++
    stats.sequenceGapMessages += Number(missing)
    log.warn('sequence_gap', { from, to, gap_size: missing, last_received: plus(from, -1), current: plus(to, 1) })
  }
}

/** The value to put into the request: the last one, or with `next` the one after it. A token has no next value. */
export function valueToRequest(last: ResumeValue, next: boolean): ResumeValue {
  const number = typeof last === 'string' ? numberIn(last) : last
  return next && number !== null ? number + 1n : last
}

/**
 * The `resume` value of a stored offset, which was written by this connector or altered through REST; null for none.
 */
export function committedValue(offset: SourceOffset | null): ResumeValue | null {
  const value = offset?.['resume']
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  return String(value)
}

/** The number in a text that somebody wrote into an offset; null when it is not a number. */
function numberIn(token: string): bigint | null {
  return /^-?\d+$/.test(token) ? BigInt(token) : null
}
