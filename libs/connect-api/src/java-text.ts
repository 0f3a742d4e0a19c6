import { Decimal } from './decimal.ts'
import { isLong } from './java-class.ts'
import type { Schema } from './schema.ts'

/** Java's texts of values: Double.toString, Float.toString, BigDecimal.toString, Date.toString and those of collections. */

/** Double.toString of Java 19 and later, which gives the shortest digits: `1.0`, `1.0E10`, `NaN`. */
export function doubleText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return Object.is(value, -0) ? '-0.0' : `${value}.0`
  // In this range JavaScript writes no exponent either.
  const size = Math.abs(value)
  if (size >= 1e-3 && size < 1e7) return `${value}`
  return floating(value, () => twoDigits(value, value.toExponential()))
}

/** Float.toString of Java 19 and later. */
export function floatText(value: number): string {
  const float = Math.fround(value)
  if (Number.isInteger(float) && Math.abs(float) < 1e7) return Object.is(float, -0) ? '-0.0' : `${float}.0`
  return floating(float, () => shortestFloat(float))
}

function floating(value: number, exponential: () => string): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  const text = exponential()
  const at = text.indexOf('e')
  const exponent = Number(text.slice(at + 1))
  const sign = value < 0 ? '-' : ''
  const digits = text.slice(sign.length, at).replace('.', '')
  if (size >= 1e-3 && size < 1e7) return sign + plain(digits, exponent)
  return `${sign}${digits[0]}.${digits.slice(1) || '0'}E${exponent}`
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${whole}.${digits.slice(exponent + 1) || '0'}`
}

/** The shortest digits that give the same float again. Six digits are always exact, nine always suffice. */
function shortestFloat(float: number): string {
  const same = (text: string): boolean => Math.fround(Number(text)) === float
  let places = 5
  while (places < 8 && !same(float.toExponential(places))) places++
  while (places > 1 && same(float.toExponential(places - 1))) places--
  return withoutZero(float.toExponential(places))
}

/** Java gives two digits at least, the nearest ones: `4.9E-324` where one digit would do. */
function twoDigits(value: number, shortest: string): string {
  return shortest.includes('.') ? shortest : withoutZero(value.toExponential(1))
}

function withoutZero(text: string): string {
  return text.replace('.0e', 'e')
}

/** BigDecimal.toString: with an exponent where the scale is negative or the number is below 10^-6. */
export function decimalText({ unscaled, scale }: Decimal): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = String(unscaled < 0n ? -unscaled : unscaled)
  if (scale === 0) return sign + digits
  const exponent = digits.length - 1 - scale
  if (scale > 0 && exponent >= -6) return new Decimal(unscaled, scale).toString()
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits
  return `${sign}${mantissa}${exponent === 0 ? '' : `E${exponent > 0 ? '+' : ''}${exponent}`}`
}

/** The inverse of BigDecimal.toString: new BigDecimal(text). Null: the text is no number. */
export function parseDecimal(text: string): Decimal | null {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,10}))?$/.exec(text)
  if (match === null) return null
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return null
  const unscaled = BigInt(whole + fraction)
  const scale = fraction.length - Number(exponent)
  if (scale > 0x7fffffff || scale < -0x80000000) return null
  return new Decimal(sign === '-' ? -unscaled : unscaled, scale)
}

/** BigDecimal.floatValue: the float nearest to the decimal, which is not always the one nearest to the nearest double. */
export function floatOf(decimal: Decimal): number {
  const double = Number(`${decimal.unscaled}e${-decimal.scale}`)
  const float = Math.fround(double)
  if (float === double || !Number.isFinite(double)) return float
  const other = nextFloat(float, double > float)
  // Beyond the largest float, the next one would be 2^128.
  const near = Number.isFinite(float) ? float : Math.sign(float) * 2 ** 128
  // Between two floats, the double is rounded to the even one. The decimal may be nearer to the other.
  if (double - near !== other - double || Math.abs(decimal.scale) > 1000) return float
  const side = compareToDouble(decimal, double)
  return side === 0 || side > 0 === float > double ? float : other
}

const bits = new DataView(new ArrayBuffer(8))

function nextFloat(float: number, up: boolean): number {
  if (float === 0) return up ? 2 ** -149 : -(2 ** -149)
  bits.setFloat32(0, float)
  bits.setInt32(0, bits.getInt32(0) + (up === float > 0 ? 1 : -1))
  return bits.getFloat32(0)
}

/** Negative, 0 or positive: the decimal is below, at or above the double, which is not 0. */
function compareToDouble({ unscaled, scale }: Decimal, double: number): number {
  bits.setFloat64(0, Math.abs(double))
  const exponent = Number(bits.getBigUint64(0) >> 52n)
  const fraction = bits.getBigUint64(0) & (2n ** 52n - 1n)
  const mantissa = (exponent === 0 ? fraction : fraction + 2n ** 52n) * (double < 0 ? -1n : 1n)
  const power = Math.max(exponent, 1) - 1075
  const left = unscaled * 10n ** BigInt(Math.max(0, -scale)) * 2n ** BigInt(Math.max(0, -power))
  const right = mantissa * 10n ** BigInt(Math.max(0, scale)) * 2n ** BigInt(Math.max(0, power))
  return left < right ? -1 : left > right ? 1 : 0
}

export interface CalendarDate {
  /** Year of the era: at least 1. */
  readonly year: number
  readonly beforeChrist: boolean
  /** 1 to 12. */
  readonly month: number
  readonly day: number
}

/** The first day of the Gregorian calendar, 1582-10-15, as Java's calendars take it. */
const GREGORIAN_FROM = -12_219_292_800_000

/** The date in UTC of ms since the epoch in Java's calendar: Julian before 1582-10-15, Gregorian from then on. */
export function calendarDate(ms: number): CalendarDate {
  if (ms >= GREGORIAN_FROM) {
    const date = new Date(ms)
    return { year: date.getUTCFullYear(), beforeChrist: false, month: date.getUTCMonth() + 1, day: date.getUTCDate() }
  }
  // Richards' algorithm without its Gregorian correction; 2440588 is the Julian day of 1970-01-01.
  const f = Math.floor(ms / 86_400_000) + 2_440_588 + 1401
  const e = 4 * f + 3
  const g = Math.floor((((e % 1461) + 1461) % 1461) / 4)
  const h = 5 * g + 2
  const day = Math.floor((h % 153) / 5) + 1
  const month = ((Math.floor(h / 153) + 2) % 12) + 1
  const year = Math.floor(e / 1461) - 4716 + Math.floor((14 - month) / 12)
  return year > 0 ? { year, beforeChrist: false, month, day } : { year: 1 - year, beforeChrist: true, month, day }
}

const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** java.util.Date.toString in UTC: `Thu Jan 01 00:00:00 UTC 1970`. */
export function dateText(date: Date): string {
  const ms = date.getTime()
  const { year, month, day } = calendarDate(ms)
  const weekday = WEEKDAYS[((Math.floor(ms / 86_400_000) % 7) + 7) % 7]!
  const time = date.toISOString().slice(-13, -5)
  return `${weekday} ${MONTHS[month - 1]!} ${String(day).padStart(2, '0')} ${time} UTC ${year}`
}

/** String.valueOf of a Connect value: `Struct{a=1,b=x}`, `[1, 2]`, `{a=1}`. Bytes have Java's `[B@` without its address. */
export function javaText(value: unknown, schema?: Schema | null): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      if (schema?.type === 'float32') return floatText(value)
      return schema?.type === 'float64' || (!schema && !isLong(value)) ? doubleText(value) : String(value)
    case 'boolean':
    case 'bigint':
      return String(value)
    default:
      return objectText(value, schema)
  }
}

function objectText(value: unknown, schema?: Schema | null): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof Uint8Array) return '[B@'
  if (value instanceof Decimal) return decimalText(value)
  if (value instanceof Date) return dateText(value)
  if (Array.isArray(value)) return `[${value.map((v) => javaText(v, schema?.valueSchema)).join(', ')}]`
  if (schema?.type === 'struct') return structText(schema, value)
  const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value)
  const texts = entries.map(([k, v]) => `${javaText(k, schema?.keySchema)}=${javaText(v, schema?.valueSchema)}`)
  return `{${texts.join(', ')}}`
}

function structText(schema: Schema, struct: object): string {
  const texts: string[] = []
  for (const field of schema.fields ?? []) {
    const own = Object.hasOwn(struct, field.name) ? (struct as Record<string, unknown>)[field.name] : null
    if (own !== null && own !== undefined) texts.push(`${field.name}=${javaText(own, field.schema)}`)
  }
  return `Struct{${texts.join(',')}}`
}
