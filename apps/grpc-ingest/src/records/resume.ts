import type { SourceOffset, TaskStats } from '@tributary/connect-api'
import {
  countBetween,
  plus,
  type RateLimitedLog,
  sequenceNumber,
  type SequenceRange,
  SequenceTracker,
} from '@tributary/push-source'

/** The value of the resume field: a number (of any size), or a token. */
export type ResumeValue = bigint | string

export interface ResumeOptions {
  /** The last committed value; null: none. */
  readonly committed: ResumeValue | null
  /** A number not above the last one came before. */
  readonly monotonic: boolean
  /** Numbers grow by one. */
  readonly contiguous: boolean
  readonly stats: TaskStats
  readonly log: RateLimitedLog
}

/**
 * Where the stream stands. Starts at the last committed value and follows what is received, so that a reconnect goes on
 * after the last received message, and a restart after the last committed one. A token is only remembered; for numbers,
 * what came before is told apart (`sequence_duplicate`), and what is missing is counted (`sequence_gap`). The server was told
 * where to go on, so that a lower number is never a new beginning.
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

  /** The last value received, or committed when nothing was received yet. */
  get last(): ResumeValue | null {
    return this.#last
  }

  /**
   * Goes on after what another run has committed, when this one was connected meanwhile. False: this run cannot tell which of
   * the messages that it holds the other one delivered.
   */
  takeOver(committed: ResumeValue | null): boolean {
    this.#restore(committed)
    // A token may look like a number, and is not compared as one.
    return committed === null || (this.#tracker !== null && typeof committed === 'bigint')
  }

  /** Takes a message's value, null when it has none. False: a duplicate, to be dropped. */
  accept(value: ResumeValue | null): boolean {
    const number = typeof value === 'bigint' ? sequenceNumber(value) : null
    const judgement = number === null || this.#tracker === null ? null : this.#tracker.accept(number)
    if (judgement === 'duplicate') {
      this.#options.stats.duplicates++
      this.#options.log.warn('sequence_duplicate', { sequence: value, last_received: this.#last })
      return false
    }
    if (judgement === 'late') return true
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

/** The value to ask the server for: the last one, or with `next` the one after it. A token has no next one. */
export function valueToAskFor(last: ResumeValue, next: boolean): ResumeValue {
  const number = typeof last === 'string' ? numberIn(last) : last
  return next && number !== null ? number + 1n : last
}

/** The `resume` of a stored offset, written by us or altered by REST; null: none. */
export function committedValue(offset: SourceOffset | null): ResumeValue | null {
  const value = offset?.['resume']
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  return String(value)
}

/** A number that somebody wrote as text into an offset; null: no number. */
function numberIn(token: string): bigint | null {
  return /^-?\d+$/.test(token) ? BigInt(token) : null
}
