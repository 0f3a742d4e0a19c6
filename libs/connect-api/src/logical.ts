import { Decimal } from './decimal.ts'
import { commonErrors } from './common-errors.ts'
import { LOGICAL, type Schema } from './schema.ts'

/**
 * The conversions of org.apache.kafka.connect.data.{Decimal, Date, Time, Timestamp}, with the words of their errors. All of them
 * throw DataError `VALUE_INVALID`.
 */

const DAY = 86_400_000

/** The scale of a Decimal schema. */
export function decimalScale(schema: Schema): number {
  const text = schema.parameters?.['scale']
  if (text === undefined) throw invalid('Invalid Decimal schema: scale parameter not found.')
  if (!/^[+-]?\d{1,10}$/.test(text)) throw invalid('Invalid scale parameter found in Decimal schema: ')
  return Number(text)
}

/** Decimal.fromLogical: the unscaled value, two's complement, big-endian, as short as it can be. */
export function decimalToBytes(schema: Schema, value: Decimal): Buffer {
  const scale = decimalScale(schema)
  if (value.scale !== scale) {
    throw invalid(
      `Decimal value has mismatching scale for given Decimal schema. Schema has scale ${scale}, value has scale ${value.scale}.`,
    )
  }
  return unscaledToBytes(value.unscaled)
}

/** Decimal.toLogical. */
export function bytesToDecimal(schema: Schema, bytes: Uint8Array): Decimal {
  return new Decimal(unscaledFromBytes(bytes), decimalScale(schema))
}

/** BigInteger.toByteArray. */
export function unscaledToBytes(value: bigint): Buffer {
  // A negative number -n has as many bits as n - 1. One bit more is the sign.
  const magnitude = value < 0n ? -value - 1n : value
  const hexLength = magnitude.toString(16).length
  const full = Math.ceil(hexLength / 2)
  const signBit = hexLength % 2 === 0 && magnitude >> BigInt(full * 8 - 1) === 1n
  const length = signBit ? full + 1 : full
  const text = BigInt.asUintN(length * 8, value).toString(16)
  return Buffer.from(text.padStart(length * 2, '0'), 'hex')
}

/** new BigInteger(bytes). No bytes are an error, as in Java. */
export function unscaledFromBytes(bytes: Uint8Array): bigint {
  if (bytes.length === 0) throw invalid('Zero length BigInteger')
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`))
}

/** Date.fromLogical: days since the epoch. */
export function dateToDays(schema: Schema, value: Date): number {
  if (schema.name !== LOGICAL.Date) throw mismatch('Date')
  const ms = value.getTime()
  if (ms % DAY !== 0) throw invalid('Kafka Connect Date type should not have any time fields set to non-zero values.')
  return (ms / DAY) | 0
}

/** Date.toLogical. Days beyond JavaScript's dates (±100,000,000) are an error here. */
export function daysToDate(schema: Schema, days: number): Date {
  if (schema.name !== LOGICAL.Date) throw mismatch('Date')
  return dateOf(days * DAY)
}

/** Time.fromLogical: ms since midnight. */
export function timeToMs(schema: Schema, value: Date): number {
  if (schema.name !== LOGICAL.Time) throw mismatch('Time')
  const ms = value.getTime()
  if (!(ms >= 0 && ms <= DAY)) {
    throw invalid('Kafka Connect Time type should not have any date fields set to non-zero values.')
  }
  return ms
}

/** Time.toLogical. */
export function msToTime(schema: Schema, ms: number): Date {
  if (schema.name !== LOGICAL.Time) throw mismatch('Date')
  if (!(ms >= 0 && ms <= DAY)) {
    throw invalid('Time values must use number of milliseconds greater than 0 and less than 86400000')
  }
  return new Date(ms)
}

/** Timestamp.fromLogical: ms since the epoch. */
export function timestampToMs(schema: Schema, value: Date): number {
  if (schema.name !== LOGICAL.Timestamp) throw mismatch('Timestamp')
  return value.getTime()
}

/** Timestamp.toLogical. ms beyond JavaScript's dates (±8.64e15) are an error here. */
export function msToTimestamp(schema: Schema, ms: number | bigint): Date {
  if (schema.name !== LOGICAL.Timestamp) throw mismatch('Timestamp')
  return dateOf(Number(ms))
}

/** The value that a logical type has without its name: bytes, int32 or int64 (bigint). Any other schema: the value itself. */
export function fromLogical(schema: Schema, value: unknown): unknown {
  switch (schema.name) {
    case LOGICAL.Decimal:
      return decimalToBytes(schema, value as Decimal)
    case LOGICAL.Date:
      return dateToDays(schema, value as Date)
    case LOGICAL.Time:
      return timeToMs(schema, value as Date)
    case LOGICAL.Timestamp:
      return BigInt(timestampToMs(schema, value as Date))
    default:
      return value
  }
}

/** The inverse of `fromLogical`. */
export function toLogical(schema: Schema, value: unknown): unknown {
  switch (schema.name) {
    case LOGICAL.Decimal:
      return bytesToDecimal(schema, value as Uint8Array)
    case LOGICAL.Date:
      return daysToDate(schema, value as number)
    case LOGICAL.Time:
      return msToTime(schema, value as number)
    case LOGICAL.Timestamp:
      return msToTimestamp(schema, value as number | bigint)
    default:
      return value
  }
}

function dateOf(ms: number): Date {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) throw invalid(`The date ${ms} ms after 1970 is beyond the years -271821 to 275760`)
  return date
}

function mismatch(type: string): Error {
  return invalid(`Requested conversion of ${type} object but the schema does not match.`)
}

function invalid(message: string): Error {
  return commonErrors.VALUE_INVALID(message)
}
