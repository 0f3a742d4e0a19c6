import { Decimal, javaText, LOGICAL, msToTimestamp, type Schema, daysToDate, msToTime } from '@tributary/connect-api'
import { transformErrors } from '../../errors.ts'
import { decimalToDouble, decimalToLong, narrow, truncate } from '../support/numbers.ts'

const WIDER = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64']

/** The schema that all elements of an array literal have in common. */
export class SchemaMerger {
  #common: Schema | null = null
  #compatible = true

  /** null: there is none, or no element had one. */
  get common(): Schema | null {
    return this.#common
  }

  /** null for a null, which fits every schema. */
  add(schema: Schema | null): void {
    if (schema === null || !this.#compatible) return
    this.#common = this.#common === null ? schema : merged(this.#common, schema)
    this.#compatible = this.#common !== null
  }
}

function merged(a: Schema, b: Schema): Schema | null {
  if (a.type === b.type) return b
  const [x, y] = [WIDER.indexOf(a.type), WIDER.indexOf(b.type)]
  if (x === -1 || y === -1) return null
  return x > y ? a : b
}

/** A value of a literal as one of the common schema. Throws DataError for null, and where dates and numbers meet. */
export function alignedTo({ type, name }: Schema, value: unknown): unknown {
  if (value === null) {
    throw transformErrors.TRANSFORM_DATA('Unable to convert a null value to a schema that requires a value')
  }
  if (name === LOGICAL.Date || name === LOGICAL.Time || name === LOGICAL.Timestamp) return dateFrom(name, value)
  switch (type) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return narrow(longFrom(value), type)
    case 'float32':
      return Math.fround(doubleFrom(value))
    case 'float64':
      return doubleFrom(value)
    default:
      return value
  }
}

function dateFrom(name: string, value: unknown): unknown {
  if (value instanceof Date) return value
  const long = longFrom(value)
  const int = Number(narrow(long, 'int32'))
  if (name === LOGICAL.Date) return daysToDate({ type: 'int32', name }, int)
  return name === LOGICAL.Time ? msToTime({ type: 'int32', name }, int) : msToTimestamp({ type: 'int64', name }, long)
}

function longFrom(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return truncate(value, 'int64') as bigint
  if (value instanceof Decimal) return decimalToLong(value)
  throw noNumber(value)
}

function doubleFrom(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  if (value instanceof Decimal) return decimalToDouble(value)
  throw noNumber(value)
}

function noNumber(value: unknown): Error {
  return transformErrors.TRANSFORM_DATA(`Unable to convert ${javaText(value)} to a number`)
}
