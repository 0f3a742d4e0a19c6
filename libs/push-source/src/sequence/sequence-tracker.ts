import { MissingRanges, type SequenceRange } from './missing-ranges.ts'
import { countBetween, plus, type SequenceNumber } from './number.ts'
import { type DigestBudget, RecentDigests } from './recent-digests.ts'

/** The server skipped these numbers. */
export interface Skipped extends SequenceRange {
  readonly kind: 'skipped'
}

/** The server restarted its numbering. How many messages of the old numbering followed `last` is unknown. */
export interface Reset {
  readonly kind: 'reset'
  readonly last: SequenceNumber
  /** The number was received before with another content. False: nobody remembers, so the message may have been received before. */
  readonly certain: boolean
}

/**
 * null: the expected number. `fill`: a number that was missing until now. `duplicate`: a message that was received before. `late`:
 * another message with a number that was received before, and no sign of a new numbering. `doubtful`: perhaps received before; nobody
 * remembers.
 */
export type Judgement = null | 'fill' | 'duplicate' | 'late' | 'doubtful' | Skipped | Reset

export interface SequenceTrackerOptions {
  /** Whether numbers grow by one. False: they grow by any step or stay, so no number is missing and equal numbers prove nothing. */
  readonly contiguous: boolean
  /** False: a lower number is a duplicate whatever its message says. */
  readonly resets: boolean
  /** Whether 0 may stand for no number, as in proto3. Such a message is no new numbering. */
  readonly zeroIsNone?: boolean
  /** Whether a message in doubt leaves no trace, as it will not be delivered: the caller fails. */
  readonly failsInDoubt?: boolean
  /** Most messages whose digests are remembered (≥ 1). */
  readonly window: number
  /** Bounds the digests of all streams of a task. */
  readonly budget?: DigestBudget
}

/** Numbers that are not contiguous: so many lower ones in a row, with none above the last, are a new numbering. */
const LOWER_IN_A_ROW = 100
/** Most filled numbers to remember. */
const MAX_FILLED = 1024

/**
 * Judges the numbers of one stream. A number alone cannot tell a new numbering from messages that are sent again, so the tracker
 * compares digests of the messages. Where it cannot know, the message counts as new: twice is better than never. It is called for
 * every message, so the number after the last one costs comparisons, and an entry in the ring of digests.
 */
export class SequenceTracker {
  readonly #contiguous: boolean
  readonly #resets: boolean
  readonly #zeroIsNone: boolean
  readonly #failsInDoubt: boolean
  readonly #newDigests: () => RecentDigests
  #recent: RecentDigests
  /** The messages of the numbering before, until its last number is passed: they may be sent again. */
  #earlier: RecentDigests | null = null
  /** NaN: no number yet, or the number is in `#lastBig`. V8 overwrites a field that only ever holds numbers in place. */
  #last = NaN
  #lastBig: bigint | null = null
  /** A number up to this one may belong to a message of `#earlier`. Infinity: each number is judged in full. */
  #lookUpTo: number
  #missing: MissingRanges | null = null
  /** Filled numbers. Who fills a gap may send another text than the stream, so these are no sign of a new numbering. */
  readonly #filled = new Set<SequenceNumber>()
  #lowerInARow = 0

  constructor(options: SequenceTrackerOptions) {
    const { contiguous, resets, zeroIsNone = false, failsInDoubt = false, window, budget } = options
    this.#contiguous = contiguous
    this.#resets = resets
    this.#zeroIsNone = zeroIsNone
    this.#failsInDoubt = failsInDoubt
    this.#newDigests = () => new RecentDigests(window, budget)
    this.#recent = this.#newDigests()
    this.#lookUpTo = contiguous ? -Infinity : Infinity
  }

  /** The highest number so far; null before the first. */
  get last(): SequenceNumber | null {
    if (this.#lastBig !== null) return this.#lastBig
    return Number.isNaN(this.#last) ? null : this.#last
  }

  /** The digests of the latest messages, for the offset beside `last`; '' for none. At most 3.7 kB, with contiguous numbers 360 bytes. */
  get digests(): string {
    const { last } = this
    return last === null ? '' : this.#recent.textOf(last, this.#contiguous, this.#missing)
  }

  /** Continues after `last` and its `digests`; null: any first number is expected. */
  restore(last: SequenceNumber | null, digests = ''): void {
    this.#missing = null
    this.#filled.clear()
    this.#lowerInARow = 0
    this.#forgetEarlier()
    this.#setLast(last ?? NaN)
    if (last === null) return this.#recent.clear()
    for (const distance of this.#recent.restore(last, this.#contiguous, digests)) {
      const number = plus(last, -distance)
      this.#missing ??= new MissingRanges()
      this.#missing.add({ from: number, to: number })
    }
  }

  /**
   * Judges and remembers a message by its number and its digest (`contentDigest`). `overlapping`: a predecessor received the same
   * messages on another connection, so a lower number is one of those. The server may have written something of the connection into
   * each message, so their digests prove nothing.
   */
  accept(value: SequenceNumber, digest: number, overlapping = false): Judgement {
    if (value === this.#last + 1 && value > this.#lookUpTo) {
      this.#last = value
      this.#recent.add(value, digest)
      return null
    }
    return this.#judge(value, digest, overlapping)
  }

  /** The numbers of a range that are still missing. */
  missingOf(range: SequenceRange): SequenceRange[] {
    return this.#missing?.within(range) ?? []
  }

  /** Gives the memory of the digests back to the budget. The tracker is not used any more. */
  release(): void {
    this.#forgetEarlier()
    this.#recent.release()
  }

  #judge(value: SequenceNumber, digest: number, overlapping: boolean): Judgement {
    const { last } = this
    if (last === null || value > last) return this.#judgeHigher(value, digest, last)
    // Messages without a number may be equal.
    if (this.#zeroIsNone && value === 0 && last > 0) return this.#resets ? 'doubtful' : 'duplicate'
    if (this.#missing?.take(value)) return this.#fill(value, digest)
    if (this.#recent.has(value, digest) || this.#earlier?.has(value, digest)) return 'duplicate'
    return this.#contiguous
      ? this.#judgeLower(value, digest, last, overlapping)
      : this.#judgeNotAbove(value, digest, last, overlapping)
  }

  #judgeHigher(value: SequenceNumber, digest: number, last: SequenceNumber | null): Judgement {
    this.#lowerInARow = 0
    const again = last !== null && (this.#earlier?.has(value, digest) ?? false)
    if (value >= this.#lookUpTo) this.#forgetEarlier()
    this.#recent.mark()
    this.#recent.add(value, digest)
    this.#setLast(value)
    if (again) return 'duplicate'
    if (last === null || !this.#contiguous) return null
    const from = plus(last, 1)
    return from === value ? null : this.#skipped({ from, to: plus(value, -1) })
  }

  #fill(value: SequenceNumber, digest: number): 'fill' {
    if (this.#filled.size === MAX_FILLED) this.#filled.clear()
    this.#filled.add(value)
    this.#recent.add(value, digest)
    return 'fill'
  }

  /** A number that was received before, or at least passed, with a message that is not remembered. */
  #judgeLower(value: SequenceNumber, digest: number, last: SequenceNumber, overlapping: boolean): Judgement {
    const { size } = this.#recent
    const certain = countBetween(value, last) <= size
    // An offset without digests still says that its own number was delivered.
    if (!this.#resets || overlapping || (size === 0 && value === last)) return 'duplicate'
    return this.#filled.has(value) ? 'late' : this.#reset(value, digest, last, certain)
  }

  /** A number that does not grow, where numbers may stay or skip, with a message that is not remembered. */
  #judgeNotAbove(value: SequenceNumber, digest: number, last: SequenceNumber, overlapping: boolean): Judgement {
    const same = value === last
    if (!same && (!this.#resets || overlapping)) return 'duplicate'
    if (!same && (value === 0 || value === 1 || ++this.#lowerInARow === LOWER_IN_A_ROW)) {
      return this.#reset(value, digest, last, false)
    }
    const certain = same && this.#recent.complete
    if (certain || !this.#failsInDoubt) this.#recent.add(value, digest)
    return certain ? null : 'doubtful'
  }

  #reset(value: SequenceNumber, digest: number, last: SequenceNumber, certain: boolean): Reset {
    if (!certain && this.#failsInDoubt) return { kind: 'reset', last, certain }
    this.#missing = null
    this.#filled.clear()
    this.#lowerInARow = 0
    this.#earlier?.release()
    this.#earlier = this.#recent
    this.#recent = this.#newDigests()
    if (this.#contiguous) this.#lookUpTo = Number(last)
    this.#recent.add(value, digest)
    this.#setLast(value)
    return { kind: 'reset', last, certain }
  }

  #forgetEarlier(): void {
    this.#earlier?.release()
    this.#earlier = null
    this.#lookUpTo = this.#contiguous ? -Infinity : Infinity
  }

  #skipped(range: SequenceRange): Skipped {
    this.#missing ??= new MissingRanges()
    this.#missing.add(range)
    return { kind: 'skipped', ...range }
  }

  #setLast(value: SequenceNumber): void {
    this.#lastBig = typeof value === 'bigint' ? value : null
    this.#last = typeof value === 'bigint' ? NaN : value
  }
}
