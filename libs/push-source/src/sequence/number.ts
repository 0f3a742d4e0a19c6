/** A sequence number. A bigint only beyond ±(2^53 - 1), so that equal sequence numbers are `===`. */
export type SequenceNumber = number | bigint

/** 2^128 has 39 digits. Longer text is no sequence number. */
const MAX_DIGITS = 39
const INTEGER = new RegExp(String.raw`^-?\d{1,${MAX_DIGITS}}$`)

/** Reads an integer from a number, a bigint or a text; null for anything else, and for a number that a double may have rounded. */
export function sequenceNumber(value: unknown): SequenceNumber | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null
  if (typeof value === 'bigint') return exact(value)
  return typeof value === 'string' && INTEGER.test(value) ? exact(BigInt(value)) : null
}

/** `value + steps`, exactly. */
export function plus(value: SequenceNumber, steps: number): SequenceNumber {
  const sum = Number(value) + steps
  return typeof value === 'number' && Number.isSafeInteger(sum) ? sum : exact(BigInt(value) + BigInt(steps))
}

/** The count of numbers from `from` to `to`, both included; 0 if `to` is below `from`. */
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
