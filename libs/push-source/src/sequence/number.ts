/** A sequence number: a number where that is exact, a bigint only beyond ±(2^53 - 1), so that equal ones are `===`. */
export type SequenceNumber = number | bigint

/** Longer text is no number of a server's: 2^128 has 39 digits. */
const MAX_DIGITS = 39
const INTEGER = new RegExp(String.raw`^-?\d{1,${MAX_DIGITS}}$`)

/** Reads a number, a bigint, or an integer as text; null for anything else, and for a number that a double has rounded. */
export function sequenceNumber(value: unknown): SequenceNumber | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null
  if (typeof value === 'bigint') return exact(value)
  return typeof value === 'string' && INTEGER.test(value) ? exact(BigInt(value)) : null
}

/** The number `steps` after it. */
export function plus(value: SequenceNumber, steps: number): SequenceNumber {
  const sum = Number(value) + steps
  return typeof value === 'number' && Number.isSafeInteger(sum) ? sum : exact(BigInt(value) + BigInt(steps))
}

/** How many there are from `from` to `to`, both counted; 0 when `to` is before `from`. */
export function countBetween(from: SequenceNumber, to: SequenceNumber): SequenceNumber {
  if (to < from) return 0
  const count = Number(to) - Number(from) + 1
  const small = typeof from === 'number' && typeof to === 'number' && Number.isSafeInteger(count)
  return small ? count : exact(BigInt(to) - BigInt(from) + 1n)
}

function exact(value: bigint): SequenceNumber {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
