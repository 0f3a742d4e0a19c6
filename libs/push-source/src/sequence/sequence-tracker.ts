import { MissingRanges, type SequenceRange } from './missing-ranges.ts'
import { countBetween, plus, type SequenceNumber } from './number.ts'

/** The server skipped these numbers. */
export interface Skipped extends SequenceRange {
  readonly kind: 'skipped'
}

/** The server restarted its numbering. How many messages of the old numbering followed `last` is unknown. */
export interface Reset {
  readonly kind: 'reset'
  readonly last: SequenceNumber
}

/** null: the expected number. `fill`: a number that was missing until now. `duplicate`: a number that was received before. */
export type Judgement = null | 'fill' | 'duplicate' | Skipped | Reset

export interface SequenceTrackerOptions {
  /** Whether numbers grow by one. False: they grow by any step, so no number is missing. */
  readonly contiguous: boolean
  /** Whether the server may restart its numbering: at 0, 1, or far below the last number. False: lower numbers are duplicates. */
  readonly resets: boolean
}

/**
 * Checks the numbers of one stream. It is called for every message, so the number after the last one costs a comparison and no
 * allocation.
 */
export class SequenceTracker {
  readonly #contiguous: boolean
  readonly #resets: boolean
  /** NaN: no number yet, or the number is in `#lastBig`. V8 overwrites a field that only ever holds numbers in place. */
  #last = NaN
  #lastBig: bigint | null = null
  #missing: MissingRanges | null = null

  constructor({ contiguous, resets }: SequenceTrackerOptions) {
    this.#contiguous = contiguous
    this.#resets = resets
  }

  /** The highest number so far; null before the first. */
  get last(): SequenceNumber | null {
    if (this.#lastBig !== null) return this.#lastBig
    return Number.isNaN(this.#last) ? null : this.#last
  }

  /** Continues after `last`; null: any first number is expected. No number below is missing. */
  restore(last: SequenceNumber | null): void {
    this.#missing = null
    this.#advance(last ?? NaN)
  }

  /**
   * Judges and remembers the number of a message. `window`: a number at most this far below the last one is a duplicate; a lower
   * one means that the server restarted its numbering. The window applies to contiguous numbers only, as the distance of others
   * says nothing.
   */
  accept(value: SequenceNumber, window = Infinity): Judgement {
    if (value === this.#last + 1) {
      this.#last = value
      return null
    }
    return this.#judge(value, window)
  }

  /** The numbers of a range that are still missing. */
  missingOf(range: SequenceRange): SequenceRange[] {
    return this.#missing?.within(range) ?? []
  }

  #judge(value: SequenceNumber, window: number): Judgement {
    const last = this.last
    if (last === null || value > last) {
      this.#advance(value)
      if (last === null || !this.#contiguous) return null
      const from = plus(last, 1)
      return from === value ? null : this.#skipped({ from, to: plus(value, -1) })
    }
    if (this.#missing?.take(value)) return 'fill'
    if (!this.#resets || !this.#beginsAnew(value, last, window)) return 'duplicate'
    this.restore(value)
    return { kind: 'reset', last }
  }

  #skipped(range: SequenceRange): Skipped {
    this.#missing ??= new MissingRanges()
    this.#missing.add(range)
    return { kind: 'skipped', ...range }
  }

  #beginsAnew(value: SequenceNumber, last: SequenceNumber, window: number): boolean {
    if (value === last) return false
    return value === 0 || value === 1 || (this.#contiguous && countBetween(value, last) > window)
  }

  #advance(value: SequenceNumber): void {
    this.#lastBig = typeof value === 'bigint' ? value : null
    this.#last = typeof value === 'bigint' ? NaN : value
  }
}
