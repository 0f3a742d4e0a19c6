import { javaTrim } from '@tributary/config'
import type { Decimal } from '@tributary/connect-api'

/** Java's conversions between numbers (Java Language Specification, 5.1.3; BigDecimal). */

export type IntegerType = 'int8' | 'int16' | 'int32' | 'int64'

/** BigDecimal.longValue: without its fraction, the lowest 64 bits. */
export function decimalToLong({ unscaled, scale }: Decimal): bigint {
  if (scale === 0) return BigInt.asIntN(64, unscaled)
  // 10^64 is a multiple of 2^64.
  if (scale < 0) return scale <= -64 ? 0n : BigInt.asIntN(64, unscaled * 10n ** BigInt(-scale))
  const digits = unscaled.toString().length
  return digits <= scale ? 0n : BigInt.asIntN(64, unscaled / 10n ** BigInt(scale))
}

/** BigDecimal.doubleValue. */
export function decimalToDouble({ unscaled, scale }: Decimal): number {
  return Number(`${unscaled}e${-scale}`)
}

/** A Long as a smaller type: the lowest bits. int64 is bigint, the others are numbers. */
export function narrow(long: bigint, type: string): bigint | number {
  if (type === 'int8') return Number(BigInt.asIntN(8, long))
  if (type === 'int16') return Number(BigInt.asIntN(16, long))
  if (type === 'int32') return Number(BigInt.asIntN(32, long))
  return long
}

const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)

/** A Float or Double as an integer: NaN is 0, and what is too large is the largest int or long; smaller types take its lowest bits. */
export function truncate(double: number, type: IntegerType): bigint | number {
  if (type !== 'int64') {
    const int = Number.isNaN(double) ? 0 : Math.min(Math.max(Math.trunc(double), -0x80000000), 0x7fffffff)
    return type === 'int8' ? (int << 24) >> 24 : type === 'int16' ? (int << 16) >> 16 : int | 0
  }
  if (Number.isNaN(double)) return 0n
  if (double >= 2 ** 63) return LONG_MAX
  return double < -(2 ** 63) ? LONG_MIN : BigInt(Math.trunc(double))
}

const BITS = { int8: 8n, int16: 16n, int32: 32n, int64: 64n } as const

/** Byte.parseByte to Long.parseLong. null: the text is no such number. */
export function parseInteger(text: string, type: IntegerType): bigint | number | null {
  if (!/^[+-]?\d{1,400}$/.test(text)) return null
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  const limit = 2n ** (BITS[type] - 1n)
  if (value < -limit || value >= limit) return null
  return type === 'int64' ? value : Number(value)
}

const FLOATING = /^[+-]?(?:NaN|Infinity|(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?)$/

/** Double.parseDouble without its hexadecimal form. null: the text is no number. */
export function parseDouble(text: string): number | null {
  const trimmed = javaTrim(text)
  if (!FLOATING.test(trimmed)) return null
  const sign = trimmed.startsWith('-') ? -1 : 1
  const digits = trimmed.replace(/^[+-]/, '')
  return sign * Number(/^[NI]/.test(digits) ? digits : digits.replace(/[fFdD]$/, ''))
}
