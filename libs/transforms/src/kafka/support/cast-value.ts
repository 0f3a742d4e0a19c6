import type { CastType } from '@tributary/config'
import { Decimal, fromLogical, isLong, javaClass, javaText, type Schema } from '@tributary/connect-api'
import { dateFormat } from '../dates/date-format.ts'
import { transformErrors } from '../../errors.ts'
import {
  decimalToDouble,
  decimalToLong,
  type IntegerType,
  narrow,
  parseDouble,
  parseInteger,
  truncate,
} from './numbers.ts'

const INPUT = 'INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES'

/** A value as another type, by the rules of Connect's Cast. `schema`: the value's own. Throws DataError. */
export function castValue(schema: Schema | null, value: unknown, type: CastType | 'struct'): unknown {
  if (value === null) return null
  requireInput(schema, value)
  if (type === 'string') return castToString(schema, value)
  const plain = schema === null || value instanceof Decimal ? value : fromLogical(schema, value)
  switch (type) {
    case 'float64':
      return toDouble(plain)
    case 'float32':
      return Math.fround(toDouble(plain))
    case 'boolean':
      return toBoolean(plain)
    case 'struct':
      throw transformErrors.TRANSFORM_DATA('STRUCT is not supported in the Cast transformation.')
    default: {
      const integer = toInteger(plain, type, schema)
      return schema === null && typeof integer === 'bigint' && Number.isSafeInteger(Number(integer))
        ? Number(integer)
        : integer
    }
  }
}

function requireInput(schema: Schema | null, value: unknown): void {
  if (schema === null && (value instanceof Date || value instanceof Decimal)) {
    throw transformErrors.TRANSFORM_DATA(
      `Cast transformation was passed a value of type ${javaClass(value)} which is not supported by Connect's data API`,
    )
  }
  const type = schema?.type ?? inferredType(value)
  if (type === 'array' || type === 'map' || type === 'struct') {
    throw transformErrors.TRANSFORM_DATA(
      `Cast transformation does not support casting from ${type.toUpperCase()}; supported types are [${INPUT}]`,
    )
  }
}

function inferredType(value: unknown): 'array' | 'map' | null {
  if (typeof value !== 'object' || value instanceof Uint8Array) return null
  return Array.isArray(value) ? 'array' : 'map'
}

function toInteger(value: unknown, type: IntegerType, schema: Schema | null): bigint | number {
  switch (typeof value) {
    case 'number': {
      const floating = schema === null ? !isLong(value) : schema.type.startsWith('float')
      return floating ? truncate(value, type) : narrow(BigInt(value), type)
    }
    case 'bigint':
      return narrow(value, type)
    case 'boolean':
      return type === 'int64' ? BigInt(value) : Number(value)
    case 'string':
      return parseInteger(value, type) ?? outOfRange(value)
    default:
      if (value instanceof Decimal) return narrow(decimalToLong(value), type)
      throw unexpected(value)
  }
}

function toDouble(value: unknown): number {
  switch (typeof value) {
    case 'number':
      return value
    case 'bigint':
    case 'boolean':
      return Number(value)
    case 'string':
      return parseDouble(value) ?? outOfRange(value)
    default:
      if (value instanceof Decimal) return decimalToDouble(value)
      throw unexpected(value)
  }
}

function toBoolean(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
      return Math.abs(value) >= 1
    case 'bigint':
      return value !== 0n
    case 'boolean':
      return value
    case 'string':
      return value.toLowerCase() === 'true'
    default:
      if (value instanceof Decimal) return decimalToLong(value) !== 0n
      throw unexpected(value)
  }
}

const DAY = 86_400_000
const DATE = dateFormat('yyyy-MM-dd')
const TIME = dateFormat("HH:mm:ss.SSS'Z'")
const TIMESTAMP = dateFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")

function castToString(schema: Schema | null, value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (!(value instanceof Date)) return javaText(value, schema)
  // Values.dateFormatFor of Connect: what lies before 1970-01-02 is taken for a time.
  const ms = value.getTime()
  if (ms < DAY) return TIME.format(ms)
  return (ms % DAY === 0 ? DATE : TIMESTAMP).format(ms)
}

function outOfRange(text: string): never {
  throw transformErrors.TRANSFORM_DATA(`Value (${text}) was out of range for requested data type`)
}

function unexpected(value: unknown): Error {
  return transformErrors.TRANSFORM_DATA(`Unexpected type in Cast transformation: ${javaClass(value)}`)
}
