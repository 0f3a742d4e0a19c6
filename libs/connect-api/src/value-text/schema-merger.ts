import type { SchemaAndValue } from '../converter.ts'
import { Decimal } from '../decimal.ts'
import { javaText } from '../java-text.ts'
import { LOGICAL, type Schema } from '../schema.ts'
import { equalSchemas } from '../values.ts'

/** Why text is no list, map or number. It is then read as a string. */
export class Unparsable extends Error {}

/** Values.SchemaMerger: the schema that all elements of a list have in common. */
export class SchemaMerger {
  /** Null: there are no elements but null, or they have nothing in common. */
  common: Schema | null = null
  #compatible = true

  merge(latest: SchemaAndValue | null): void {
    if (!latest?.schema || !this.#compatible) return
    this.common = this.common === null ? latest.schema : merged(this.common, latest.schema)
    this.#compatible = this.common !== null
  }
}

const WIDENING: readonly Schema['type'][] = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64']

function merged(previous: Schema, latest: Schema): Schema | null {
  if (previous.type !== latest.type) {
    const [before, after] = [WIDENING.indexOf(previous.type), WIDENING.indexOf(latest.type)]
    if (before < 0 || after < 0) return null
    return before < after ? latest : previous
  }
  if ((previous.optional ?? false) === (latest.optional ?? false)) return previous.optional ? previous : latest
  return equalSchemas(previous, latest) ? previous : null
}

/** Values.convertTo without the value's own schema. Throws Unparsable: the list or map is then text. */
export function align(schema: Schema, value: unknown): unknown {
  if (value === null) throw new Unparsable('Unable to convert a null value to a schema that requires a value')
  switch (schema.type) {
    case 'int8':
    case 'int16':
      return Number(toLong(value))
    case 'int32':
      if (value instanceof Date && isDate(schema)) return value
      return isDate(schema) ? dateOf(schema, toLong(value)) : Number(BigInt.asIntN(32, toLong(value)))
    case 'int64':
      if (value instanceof Date && isDate(schema)) return value
      return isDate(schema) ? dateOf(schema, toLong(value)) : toLong(value)
    case 'float32':
      return Math.fround(Number(toNumber(value)))
    case 'float64':
      return Number(toNumber(value))
    case 'string':
      return javaText(value)
    default:
      return value
  }
}

function isDate({ name }: Schema): boolean {
  return name === LOGICAL.Date || name === LOGICAL.Time || name === LOGICAL.Timestamp
}

const DAY = 86_400_000

function dateOf(schema: Schema, number: bigint): Date {
  const value = Number(schema.name === LOGICAL.Timestamp ? number : BigInt.asIntN(32, number))
  if (schema.name === LOGICAL.Time && (value < 0 || value > DAY)) {
    throw new Unparsable('Time values must use number of milliseconds greater than 0 and less than 86400000')
  }
  return new Date(schema.name === LOGICAL.Date ? value * DAY : value)
}

function toNumber(value: unknown): number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof Decimal) return Number(value.toString())
  throw new Unparsable(`Unable to convert ${javaText(value)} to a number`)
}

function toLong(value: unknown): bigint {
  const number = toNumber(value)
  return typeof number === 'bigint' ? number : BigInt(Math.trunc(number))
}
