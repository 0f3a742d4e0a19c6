import { MissingRanges, type SequenceRange } from './missing-ranges.ts'
import { countBetween, plus, type SequenceNumber } from './number.ts'

/** Numbers that were skipped. */
export interface Skipped extends SequenceRange {
  readonly kind: 'skipped'
}

/** The server counts anew; how many it sent of the old numbering after `last` nobody knows. */
export interface Reset {
  readonly kind: 'reset'
  readonly last: SequenceNumber
}

/** null: as expected. `late`: it was missing until now. `duplicate`: it came before. */
export type Judgement = null | 'late' | 'duplicate' | Skipped | Reset

export interface SequenceTrackerOptions {
  /** Numbers grow by one; false: they only grow. */
  readonly contiguous: boolean
  /** The server may begin to count anew: at a number of 0 or 1, or far below the last one. False: what is lower came before. */
  readonly resets: boolean
}

/**
 * Where a numbered stream stands. One of these a stream, asked for every message: a number that follows the last one costs a
 * comparison and no allocation.
 */
export class SequenceTracker {
  readonly #contiguous: boolean
  readonly #resets: boolean
  /** NaN: none, or a `#lastBig`. A field that holds numbers only is written in place, without an object for each. */
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

  /** Goes on after this number, known from before; null: from whatever comes first. Nothing below it is missing. */
  restore(last: SequenceNumber | null): void {
    this.#missing = null
    this.#advance(last ?? NaN)
  }

  /**
   * Takes a message's number. `window`: how far below the last one a number still counts as one that came before; further below
   * the server counts anew. It applies to contiguous numbers only, as others may lie any distance apart.
   */
  accept(value: SequenceNumber, window = Infinity): Judgement {
    if (value === this.#last + 1) {
      this.#last = value
      return null
    }
    return this.#judge(value, window)
  }

  /** What is still missing of a range. */
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
    if (this.#missing?.take(value)) return 'late'
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
