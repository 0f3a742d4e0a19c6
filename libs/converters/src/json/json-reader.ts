import {
  bytesToDecimal,
  daysToDate,
  type Field,
  hasDefault,
  LOGICAL,
  msToTime,
  msToTimestamp,
  parseDecimal,
  type Schema,
  validateValue,
} from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { decimalOf, fromBase64, nodeType, numberOf, sourceOf } from './json-text.ts'

/** Makes a Connect value of parsed JSON, in which undefined is a member that is not there. Throws DataError. */
export type Read = (json: unknown) => unknown

/** Reads values as JsonConverter.convertToConnect does. The reader of each schema is made once. */
export class JsonReader {
  readonly #replaceNull: boolean
  readonly #readers = new WeakMap<Schema, Read>()
  /** Whether a value became null that was none: the field that holds it is then validated. */
  #becameNull = false

  constructor(replaceNull: boolean) {
    this.#replaceNull = replaceNull
  }

  of(schema: Schema): Read {
    let read = this.#readers.get(schema)
    if (read === undefined) {
      read = this.#nullable(schema, logical(schema) ?? this.#typed(schema))
      this.#readers.set(schema, read)
    }
    return read
  }

  #nullable(schema: Schema, read: Read): Read {
    const byDefault = hasDefault(schema) && this.#replaceNull ? schema.default : null
    return (json) => {
      if (json !== null && json !== undefined) return read(json)
      if (byDefault !== null || schema.optional === true) return byDefault
      throw bad(`Invalid null value for required ${schema.type.toUpperCase()} field`)
    }
  }

  #typed(schema: Schema): Read {
    switch (schema.type) {
      case 'boolean':
        return (json) => json === true
      case 'int8':
        return (json) => (toInt(json) << 24) >> 24
      case 'int16':
        return (json) => (toInt(json) << 16) >> 16
      case 'int32':
        return toInt
      case 'int64':
        return toLong
      case 'float32':
        return (json) => Math.fround(toDouble(json))
      case 'float64':
        return toDouble
      case 'bytes':
        return (json) => this.#bytes(json)
      case 'string':
        return (json) => (typeof json === 'string' ? json : this.#null())
      case 'array':
        return this.#array(this.of(schema.valueSchema!))
      case 'map':
        return this.#map(schema)
      case 'struct':
        return this.#struct(schema.fields ?? [])
    }
  }

  #null(): null {
    this.#becameNull = true
    return null
  }

  #bytes(json: unknown): unknown {
    if (typeof json !== 'string') return this.#null()
    const bytes = fromBase64(json)
    if (bytes === null) throw bad('Invalid bytes field')
    return bytes
  }

  #array(read: Read): Read {
    return (json) => {
      if (Array.isArray(json)) return json.map(read)
      // Jackson also goes through the members of an object, and through no scalar.
      return nodeType(json) === 'OBJECT' ? Object.values(json as object).map(read) : []
    }
  }

  #map(schema: Schema): Read {
    const keys = this.of(schema.keySchema!)
    const values = this.of(schema.valueSchema!)
    if (schema.keySchema!.type === 'string') {
      return (json) => {
        const type = nodeType(json)
        if (type !== 'OBJECT') throw bad(`Maps with string fields should be encoded as JSON objects, but found ${type}`)
        return new Map(Object.entries(json as object).map(([key, value]) => [key, values(value)]))
      }
    }
    return (json) => {
      if (!Array.isArray(json)) {
        throw bad(`Maps with non-string fields should be encoded as JSON array of tuples, but found ${nodeType(json)}`)
      }
      return new Map(
        json.map((entry: unknown) => {
          if (!Array.isArray(entry)) throw bad(`Found invalid map entry instead of array tuple: ${nodeType(entry)}`)
          if (entry.length !== 2) throw bad(`Found invalid map entry, expected length 2 but found :${entry.length}`)
          return [keys(entry[0]), values(entry[1])]
        }),
      )
    }
  }

  #struct(fields: readonly Field[]): Read {
    const members = fields.map(({ name, schema }) => {
      return { name, schema, read: this.of(schema), inherited: name in Object.prototype }
    })
    return (json) => {
      const type = nodeType(json)
      if (type !== 'OBJECT') throw bad(`Structs should be encoded as JSON objects, but found ${type}`)
      const object = json as Record<string, unknown>
      const struct: Record<string, unknown> = {}
      const before = this.#becameNull
      for (const { name, schema, read, inherited } of members) {
        this.#becameNull = false
        const value = read(inherited && !Object.hasOwn(object, name) ? undefined : object[name])
        if (this.#becameNull) validateValue(schema, value, name)
        if (inherited)
          Object.defineProperty(struct, name, { value, enumerable: true, writable: true, configurable: true })
        else struct[name] = value
      }
      this.#becameNull = before
      return struct
    }
  }
}

function logical(schema: Schema): Read | null {
  switch (schema.name) {
    case LOGICAL.Decimal:
      return (json) => readDecimal(schema, json)
    case LOGICAL.Date:
      return (json) => daysToDate(schema, integer(json, 'Date', 'integer', 0x7fffffff))
    case LOGICAL.Time:
      return (json) => msToTime(schema, integer(json, 'Time', 'integer', 0x7fffffff))
    case LOGICAL.Timestamp:
      return (json) => msToTimestamp(schema, integer(json, 'Timestamp', 'integral', Infinity))
    default:
      return null
  }
}

function readDecimal(schema: Schema, json: unknown): unknown {
  const source = sourceOf(json)
  if (source !== null) return parseDecimal(source)
  const decimal = decimalOf(json)
  if (decimal !== null) return decimal
  if (typeof json === 'number') return parseDecimal(String(json))
  if (typeof json !== 'string') {
    throw bad(
      `Invalid type for Decimal, underlying representation should be numeric or bytes but was ${nodeType(json)}`,
    )
  }
  try {
    return bytesToDecimal(schema, fromBase64(json)!)
  } catch (cause) {
    throw bad('Invalid bytes for Decimal field', cause)
  }
}

function integer(json: unknown, type: string, kind: string, max: number): number {
  const number = numberOf(json)
  if (number !== null && (typeof number === 'bigint' ? max === Infinity : isWhole(number, max))) {
    return Number(typeof number === 'bigint' ? BigInt.asIntN(64, number) : number)
  }
  throw bad(`Invalid type for ${type}, underlying representation should be ${kind} but was ${nodeType(json)}`)
}

function isWhole(number: number, max: number): boolean {
  return Number.isInteger(number) && number <= max && number >= -max - 1
}

/** JsonNode.intValue: 0 of what is no number, and the lowest 32 bits of what is longer. */
function toInt(json: unknown): number {
  const number = numberOf(json)
  return typeof number === 'bigint' ? Number(BigInt.asIntN(32, number)) : (number ?? 0) | 0
}

function toLong(json: unknown): bigint {
  const number = numberOf(json)
  return BigInt.asIntN(64, typeof number === 'bigint' ? number : BigInt(Math.trunc(number ?? 0)))
}

/** JsonNode.doubleValue. Its decimals have no negative zero. */
function toDouble(json: unknown): number {
  return Number(numberOf(json) ?? 0) + 0
}

/** A value without schema: a number that Java's Long cannot hold loses its upper bits, and there is no negative zero. */
export function readSchemaless(json: unknown): unknown {
  if (typeof json === 'bigint') {
    const long = BigInt.asIntN(64, json)
    return Number.isSafeInteger(Number(long)) ? Number(long) : long
  }
  if (typeof json === 'number') return json + 0
  if (Array.isArray(json)) return json.map(readSchemaless)
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([name, member]) => [name, readSchemaless(member)]))
}

function bad(message: string, cause?: unknown): Error {
  return converterErrors.CONVERTER_BAD_JSON(message, cause === undefined ? {} : { cause })
}
