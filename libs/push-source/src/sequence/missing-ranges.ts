import { countBetween, plus, type SequenceNumber } from './number.ts'

/** Numbers from `from` to `to`, both included. */
export interface SequenceRange {
  readonly from: SequenceNumber
  readonly to: SequenceNumber
}

/** Most ranges of a stream. A further range replaces the oldest one, whose numbers then count as received. */
const MAX_RANGES = 1024

/** The missing numbers of a stream. A lower number that is among them fills a gap; any other is a duplicate. */
export class MissingRanges {
  /** In ascending order. */
  readonly #ranges: SequenceRange[] = []

  /** Adds a range, which must lie above all others. */
  add(range: SequenceRange): void {
    if (this.#ranges.length === MAX_RANGES) this.#ranges.shift()
    this.#ranges.push(range)
  }

  /** Removes a number; false if it was not missing. */
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

  /** The missing numbers of a range. */
  within({ from, to }: SequenceRange): SequenceRange[] {
    return this.#ranges
      .filter((range) => range.to >= from && range.from <= to)
      .map((range) => ({ from: range.from < from ? from : range.from, to: range.to > to ? to : range.to }))
  }

  clear(): void {
    this.#ranges.length = 0
  }
}

/** The count of numbers in all ranges; rounded above 2^53. */
export function spanOf(ranges: readonly SequenceRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + Number(countBetween(from, to)), 0)
}
