import { countBetween, plus, type SequenceNumber } from './number.ts'

/** Numbers from `from` to `to`, both included. */
export interface SequenceRange {
  readonly from: SequenceNumber
  readonly to: SequenceNumber
}

/** Ranges remembered for one stream; the oldest is forgotten for the next, and what still comes of it counts as known. */
const MAX_RANGES = 1024

/** What a stream has left out so far, so that a message that comes late is told from one that came before. */
export class MissingRanges {
  /** In order. */
  readonly #ranges: SequenceRange[] = []

  /** Adds a range above all others. */
  add(range: SequenceRange): void {
    if (this.#ranges.length === MAX_RANGES) this.#ranges.shift()
    this.#ranges.push(range)
  }

  /** Takes one number out; false when it was not missing. */
  take(value: SequenceNumber): boolean {
    const at = this.#ranges.findLastIndex(({ from }) => from <= value)
    const range = this.#ranges[at]
    if (range === undefined || range.to < value) return false
    const rest = [
      { from: range.from, to: plus(value, -1) },
      { from: plus(value, 1), to: range.to },
    ].filter(({ from, to }) => from <= to)
    this.#ranges.splice(at, 1, ...rest)
    return true
  }

  /** What is missing of a range. */
  within({ from, to }: SequenceRange): SequenceRange[] {
    return this.#ranges
      .filter((range) => range.to >= from && range.from <= to)
      .map((range) => ({ from: range.from < from ? from : range.from, to: range.to > to ? to : range.to }))
  }

  clear(): void {
    this.#ranges.length = 0
  }
}

/** How many numbers ranges span. */
export function spanOf(ranges: readonly SequenceRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + Number(countBetween(from, to)), 0)
}
