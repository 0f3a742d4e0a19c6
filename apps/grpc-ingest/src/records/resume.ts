import type { SourceOffset, TaskStats } from '@tributary/connect-api'
import {
  contentDigest,
  countBetween,
  type Judgement,
  plus,
  type RateLimitedLog,
  sequenceNumber,
  type SequenceRange,
  SequenceTracker,
} from '@tributary/push-source'
import { grpcErrors } from '../errors.ts'

/** A value of the resume field: an integer of any size, or a token. */
export type ResumeValue = bigint | string

/** What a stored offset says about the position of a stream. */
export interface CommittedPosition {
  /** The last committed value; null for none. */
  readonly value: ResumeValue | null
  /** The digests of the messages up to this value, or with it; '' for none. */
  readonly digests: string
}

/**
 * What becomes of a message that the server may have sent before, but nobody remembers. `deliver`: it is delivered, perhaps twice.
 * `fail`: the task fails. `drop`: a message with a lower number is a duplicate.
 */
export type OnDoubt = 'deliver' | 'fail' | 'drop'

export interface ResumeOptions {
  readonly committed: CommittedPosition
  /** Numbers only grow. False: they are only remembered, as tokens are. */
  readonly monotonic: boolean
  /** Numbers grow by one, so a skipped number is a gap. */
  readonly contiguous: boolean
  readonly onDoubt: OnDoubt
  readonly stats: TaskStats
  readonly log: RateLimitedLog
}

/** Messages whose digests are remembered: 80 kB. */
const WINDOW = 10_000

/**
 * The resume position of a stream. It starts at the last committed value and follows the received messages, so that a
 * reconnect continues after the last received message and a restart after the last committed one. A token is only
 * remembered. Numbers are compared: duplicates are recognized by number and content (`sequence_duplicate`), missing numbers are
 * counted, and so is a new numbering of the server (`sequence_gap`).
 */
export class Resume {
  readonly #options: ResumeOptions
  /** null: numbers are only remembered, too. */
  readonly #tracker: SequenceTracker | null
  #last: ResumeValue | null = null
  /** The predecessor read the stream beside this run, and no message of this run has passed its position yet. */
  #overlapping = false
  /** What this run asked the server to go on after while the predecessor still read. A lower number is of a new numbering. */
  #askedAfter: ResumeValue | null = null

  constructor(options: ResumeOptions) {
    const { committed, monotonic, contiguous, onDoubt } = options
    this.#options = options
    this.#tracker = monotonic
      ? new SequenceTracker({
          contiguous,
          resets: onDoubt !== 'drop',
          zeroIsNone: true,
          failsInDoubt: onDoubt === 'fail',
          window: WINDOW,
        })
      : null
    this.#restore(committed)
  }

  /** The last received value, or the committed one while nothing was received. */
  get last(): ResumeValue | null {
    return this.#last
  }

  /** The digests that belong to `last`, for the offset; '' for none. */
  get digests(): string {
    return this.#tracker?.digests ?? ''
  }

  /**
   * Continues after the last value that the predecessor committed while this run was connected already. Returns false
   * if this run cannot find out which of its messages the predecessor delivered.
   */
  takeOver(committed: CommittedPosition): boolean {
    this.#askedAfter = this.#last
    this.#restore(committed)
    const { value } = committed
    this.#overlapping = true
    // A token may look like a number; it is not compared as one.
    return value === null || (this.#tracker !== null && typeof value === 'bigint')
  }

  /** A new stream begins, after `last`. */
  reconnected(): void {
    this.#overlapping = false
  }

  /**
   * Takes a message and its value, null when it has none. False means that the message is a duplicate and must be
   * dropped. Throws ConfigError where `onDoubt` is `fail`.
   */
  accept(value: ResumeValue | null, message: Uint8Array): boolean {
    const tracker = this.#tracker
    const number = typeof value === 'bigint' && tracker !== null ? sequenceNumber(value) : null
    if (number === null || tracker === null) {
      if (value !== null) this.#last = value
      return true
    }
    const before = tracker.last
    const overlapping = this.#overlapping && !(typeof this.#askedAfter === 'bigint' && number < this.#askedAfter)
    const judgement = tracker.accept(number, contentDigest(message), overlapping)
    if (judgement !== null && !this.#judged(judgement, value as bigint)) return false
    if (tracker.last !== before) {
      this.#last = value
      this.#overlapping = false
    }
    return true
  }

  #judged(judgement: Exclude<Judgement, null>, value: bigint): boolean {
    const { stats, log, onDoubt } = this.#options
    if (judgement === 'duplicate') {
      stats.duplicates++
      log.warn('sequence_duplicate', { sequence: value, last_received: this.#last })
      return false
    }
    if (judgement === 'fill') return true
    const doubtful = judgement === 'doubtful' || (typeof judgement === 'object' && judgement.kind === 'reset' && !judgement.certain) // prettier-ignore
    if (doubtful && onDoubt === 'fail') {
      throw grpcErrors.GRPC_SEQUENCE_RESET(
        `the server sent ${value} after ${this.#last}, and nobody remembers whether this message was delivered before: ` +
          'if the server has restarted its numbering, or repeats messages, set sequence.reset=deliver to deliver such messages, perhaps twice',
        { field: 'sequence.reset' },
      )
    }
    if (typeof judgement === 'string') log.warn('sequence_repeated', { sequence: value, last_received: this.#last })
    else if (judgement.kind === 'skipped') this.#gap(judgement)
    else {
      stats.sequenceGaps++
      log.warn('sequence_gap', { reason: 'reset', last_received: judgement.last, current: value })
    }
    return true
  }

  #restore({ value, digests }: CommittedPosition): void {
    this.#last = value
    this.#tracker?.restore(sequenceNumber(value), digests)
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

/** The position in a stored offset, which was written by this connector or altered through REST. */
export function committedPosition(offset: SourceOffset | null): CommittedPosition {
  const digests = offset?.['digests']
  return { value: committedValue(offset?.['resume']), digests: typeof digests === 'string' ? digests : '' }
}

function committedValue(value: SourceOffset[string] | undefined): ResumeValue | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  return String(value)
}

/** The number in a text that somebody wrote into an offset; null when it is not a number. */
function numberIn(token: string): bigint | null {
  return /^-?\d+$/.test(token) ? BigInt(token) : null
}
