import { output } from './output.ts'

/** Writers of numbers. Each needs room for 32 bytes at `pos` and returns the position after the number. */

const MINUS = 45
const POINT = 46
const ZERO = 48
const QUOTE = 34
const BILLION = 1_000_000_000
/** Smaller float32 values have fewer bits and therefore fewer digits. */
const SMALLEST_NORMAL = 2 ** -126

export function putInt32(value: number, pos: number): number {
  if (value >= 0) return putUint32(value, pos)
  output.buf[pos] = MINUS
  return putUint32(-value, pos + 1)
}

export function putUint32(value: number, pos: number): number {
  const { buf } = output
  if (value < 10) {
    buf[pos] = ZERO + value
    return pos + 1
  }
  if (value >= BILLION) {
    const high = Math.floor(value / BILLION)
    buf[pos] = ZERO + high
    return putNine(value - high * BILLION, pos + 1)
  }
  const end = pos + digitsOf(value)
  let rest = value | 0
  for (let at = end - 1; at >= pos; at--) {
    const tenth = (rest / 10) | 0
    buf[at] = ZERO + (rest - tenth * 10)
    rest = tenth
  }
  return end
}

function digitsOf(value: number): number {
  if (value < 100_000) return value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : 5
  return value < 1_000_000 ? 6 : value < 10_000_000 ? 7 : value < 100_000_000 ? 8 : 9
}

/** Nine digits with leading zeros. */
function putNine(value: number, pos: number): number {
  const { buf } = output
  let rest = value | 0
  for (let at = pos + 8; at >= pos; at--) {
    const tenth = (rest / 10) | 0
    buf[at] = ZERO + (rest - tenth * 10)
    rest = tenth
  }
  return pos + 9
}

/** Writes an integer from 0 on, in groups of nine digits. Exact below 2^53. */
export function putInteger(value: number, pos: number): number {
  if (value < BILLION) return putUint32(value, pos)
  const high = Math.floor(value / BILLION)
  return putNine(value - high * BILLION, putInteger(high, pos))
}

/** Writes two 32-bit halves as an unsigned number in quotes, which is the JSON form of 64-bit integers. */
export function putUint64(low: number, high: number, pos: number): number {
  output.buf[pos] = QUOTE
  pos = putHalves(low, high, pos + 1)
  output.buf[pos] = QUOTE
  return pos + 1
}

/** Like `putUint64`, for halves in two's complement. */
export function putInt64(low: number, high: number, pos: number): number {
  if (high >>> 31 === 0) return putUint64(low, high, pos)
  const negatedLow = -low >>> 0
  const negatedHigh = (~high + (negatedLow === 0 ? 1 : 0)) >>> 0
  output.buf[pos] = QUOTE
  output.buf[pos + 1] = MINUS
  pos = putHalves(negatedLow, negatedHigh, pos + 2)
  output.buf[pos] = QUOTE
  return pos + 1
}

function putHalves(low: number, high: number, pos: number): number {
  const l = low >>> 0
  const h = high >>> 0
  if (h < 0x200000) return putInteger(h * 0x100000000 + l, pos)
  // Long division by 10^9, 16 bits at a time, so that every step is exact in a double.
  const quotient = Math.floor(h / BILLION)
  const first = (h - quotient * BILLION) * 0x10000 + (l >>> 16)
  const upper = Math.floor(first / BILLION)
  const second = (first - upper * BILLION) * 0x10000 + (l & 0xffff)
  const lower = Math.floor(second / BILLION)
  const billions = quotient * 0x100000000 + upper * 0x10000 + lower
  return putNine(second - lower * BILLION, putInteger(billions, pos))
}

/**
 * Writes a double as the shortest decimal that reads back the same. NaN and infinities are strings, as protobuf JSON
 * requires.
 */
export function putDouble(value: number, pos: number): number {
  if (value === (value | 0) && (value !== 0 || 1 / value > 0)) return putInt32(value, pos)
  // A decimal of at most 15 digits that reads back the same is the shortest one. Most prices are such decimals.
  const scaled = Math.round(value * 10_000)
  if (scaled / 10_000 === value && Math.abs(scaled) < 1e15 && scaled !== 0) return putFixed(scaled, 10_000, pos)
  return putNumberText(String(value), value, pos)
}

/** Writes a float32 as the shortest decimal that reads back the same as a float32. */
export function putFloat(value: number, pos: number): number {
  if (value === (value | 0) && Math.abs(value) < 0x1000000 && (value !== 0 || 1 / value > 0))
    return putInt32(value, pos)
  // As above, with six digits.
  const size = Math.abs(value)
  const scale = size < 100 ? 10_000 : 100
  const scaled = Math.round(value * scale)
  if (size < 10_000 && scaled !== 0 && Math.fround(scaled / scale) === value) return putFixed(scaled, scale, pos)
  return putNumberText(shortestFloat(value), value, pos)
}

/** The shortest decimal of a float32: six digits always name at most one float32, nine digits always at least one. */
export function shortestFloat(value: number): string {
  for (let digits = Math.abs(value) < SMALLEST_NORMAL ? 1 : 6; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits))
    if (Math.fround(decimal) === value) return String(decimal)
  }
  return String(Number(value.toPrecision(9)))
}

/** Writes `scaled / scale` without trailing zeros; scale is 100 or 10,000. */
function putFixed(scaled: number, scale: number, pos: number): number {
  const { buf } = output
  const size = Math.abs(scaled)
  if (scaled < 0) buf[pos++] = MINUS
  const whole = Math.floor(size / scale)
  let fraction = size - whole * scale
  pos = putInteger(whole, pos)
  if (fraction === 0) return pos
  buf[pos++] = POINT
  for (let unit = scale / 10; fraction > 0; unit /= 10) {
    const digit = Math.floor(fraction / unit)
    buf[pos++] = ZERO + digit
    fraction -= digit * unit
  }
  return pos
}

function putNumberText(text: string, value: number, pos: number): number {
  const { buf } = output
  if (value === 0) return putChars('-0.0', pos)
  if (Number.isFinite(value)) return putChars(text, pos)
  buf[pos] = QUOTE
  pos = putChars(text, pos + 1)
  buf[pos] = QUOTE
  return pos + 1
}

/** Writes ASCII text of at most 32 characters. */
export function putChars(text: string, pos: number): number {
  const { buf } = output
  for (let i = 0; i < text.length; i++) buf[pos++] = text.charCodeAt(i)
  return pos
}
