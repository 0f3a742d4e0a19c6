import {
  bytesToDecimal,
  daysToDate,
  type Decimal,
  hasDefault,
  LOGICAL,
  msToTime,
  msToTimestamp,
  parseDecimal,
  type Schema,
} from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { isStringKey, isUnion } from './common.ts'
import { isObject } from './nodes.ts'

/** Makes a Connect value of parsed JSON, as JsonSchemaData.toConnectData does. Throws DataError. */
export type ReadJson = (json: unknown) => unknown

const readers = new WeakMap<Schema, ReadJson>()

/** A schema may contain itself. */
export function compileReader(schema: Schema): ReadJson {
  const known = readers.get(schema)
  if (known) return known
  let own: ReadJson | undefined
  const read: ReadJson = (json) => {
    if (json === null || json === undefined) return absent(schema, json)
    own ??= present(schema)
    return own(json)
  }
  readers.set(schema, read)
  return read
}

function absent(schema: Schema, json: null | undefined): unknown {
  if (hasDefault(schema)) return schema.default
  if (json === undefined || schema.optional === true) return null
  throw failed(`Invalid null value for required ${schema.type.toUpperCase()} field`)
}

/** A number that was parsed with its text (`numbers: 'raw'`), since a Decimal must keep all of its digits. */
interface RawNumber {
  readonly rawJSON: string
}
function isRaw(json: unknown): json is RawNumber {
  return (
    typeof json === 'object' && json !== null && (JSON as unknown as { isRawJSON(v: unknown): boolean }).isRawJSON(json)
  )
}

/** A number as `parseJson` gives it without its text. Undefined: no number. */
function numberOf(json: unknown): number | bigint | undefined {
  if (typeof json === 'number' || typeof json === 'bigint') return json
  if (!isRaw(json)) return undefined
  return /^-?\d+$/.test(json.rawJSON) && !Number.isSafeInteger(Number(json.rawJSON))
    ? BigInt(json.rawJSON)
    : Number(json.rawJSON)
}

function isWhole(json: unknown): boolean {
  if (isRaw(json)) return /^-?\d+$/.test(json.rawJSON)
  return typeof json === 'bigint' || (typeof json === 'number' && Number.isInteger(json))
}

/** Whether a value of the schema is a Decimal somewhere, so that numbers must be parsed with their text. */
export function hasDecimal(schema: Schema, seen = new Set<Schema>()): boolean {
  if (seen.has(schema)) return false
  seen.add(schema)
  if (schema.name === LOGICAL.Decimal) return true
  const parts = [schema.keySchema, schema.valueSchema, ...(schema.fields ?? []).map((field) => field.schema)]
  return parts.some((part) => part !== undefined && hasDecimal(part, seen))
}

function present(schema: Schema): ReadJson {
  switch (schema.name ?? '') {
    case LOGICAL.Decimal:
      return (json) => readDecimal(schema, json)
    case LOGICAL.Date:
      return (json) => daysToDate(schema, int32(json, 'Date'))
    case LOGICAL.Time:
      return (json) => msToTime(schema, int32(json, 'Time'))
    case LOGICAL.Timestamp:
      return (json) => {
        if (!isWhole(json)) {
          throw failed(
            `Invalid type for Timestamp, underlying representation should be integral but was ${nodeType(json)}`,
          )
        }
        return msToTimestamp(schema, BigInt.asIntN(64, BigInt(numberOf(json)!)))
      }
  }
  switch (schema.type) {
    case 'array':
      return readArray(schema)
    case 'map':
      return readMap(schema)
    case 'struct':
      return isUnion(schema) ? readUnion(schema) : readStruct(schema)
    default:
      return readScalar(schema)
  }
}

function int32(json: unknown, type: string): number {
  const number = numberOf(json)
  if (isWhole(json) && typeof number === 'number' && (number | 0) === number) return number
  throw failed(`Invalid type for ${type}, underlying representation should be integer but was ${nodeType(json)}`)
}

function readDecimal(schema: Schema, json: unknown): Decimal {
  const number = numberOf(json)
  if (number !== undefined) {
    const decimal = parseDecimal(isRaw(json) ? json.rawJSON : String(number))
    if (decimal !== null) return decimal
  }
  if (typeof json === 'string') return bytesToDecimal(schema, base64(json, 'Invalid bytes for Decimal field'))
  throw failed(
    `Invalid type for Decimal, underlying representation should be numeric or bytes but was ${nodeType(json)}`,
  )
}

/** As Jackson's `intValue()` and the like do: what is no number is 0, and too large a number loses its high bits. */
function readScalar(schema: Schema): ReadJson {
  switch (schema.type) {
    case 'int8':
      return whole(8)
    case 'int16':
      return whole(16)
    case 'int32':
      return whole(32)
    case 'int64':
      return (json) => BigInt.asIntN(64, integerOf(json))
    case 'float32':
      return (json) => Math.fround(Number(numberOf(json) ?? 0))
    case 'float64':
      return (json) => Number(numberOf(json) ?? 0)
    case 'boolean':
      return (json) => json === true
    case 'string':
      return (json) => (typeof json === 'string' ? json : null)
    default:
      return readBytes
  }
}

function whole(bits: number): ReadJson {
  const shift = 32 - bits
  return (json) => {
    if (typeof json === 'number' && (json << shift) >> shift === json) return json
    return Number(BigInt.asIntN(bits, integerOf(json)))
  }
}

function integerOf(json: unknown): bigint {
  const number = numberOf(json)
  return number === undefined ? 0n : BigInt(typeof number === 'number' ? Math.trunc(number) : number)
}

function readBytes(json: unknown): unknown {
  if (typeof json === 'string') return base64(json, 'Invalid bytes field')
  const number = numberOf(json)
  if (number === undefined) throw failed(`Invalid bytes field: ${nodeType(json)}`)
  return parseDecimal(isRaw(json) ? json.rawJSON : String(number))
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function base64(text: string, what: string): Buffer {
  if (text.length % 4 !== 0 || !BASE64.test(text)) throw failed(`${what}: it is no Base64`)
  return Buffer.from(text, 'base64')
}

function readArray(schema: Schema): ReadJson {
  const element = compileReader(schema.valueSchema!)
  return (json) => {
    if (!Array.isArray(json)) throw failed(`Arrays should be encoded as JSON arrays, but found ${nodeType(json)}`)
    return json.map((value: unknown) => element(value))
  }
}

function readMap(schema: Schema): ReadJson {
  const key = compileReader(schema.keySchema!)
  const value = compileReader(schema.valueSchema!)
  if (isStringKey(schema.keySchema!)) {
    return (json) => {
      if (!isNode(json))
        throw failed(`Maps with string fields should be encoded as JSON objects, but found ${nodeType(json)}`)
      return new Map(Object.entries(json).map(([k, v]) => [k, value(v)]))
    }
  }
  return (json) => {
    if (!Array.isArray(json)) {
      throw failed(
        `Maps with non-string fields should be encoded as JSON array of objects, but found ${nodeType(json)}`,
      )
    }
    return new Map(
      json.map((entry: unknown) => {
        if (!isNode(entry)) throw failed(`Found invalid map entry instead of object: ${nodeType(entry)}`)
        const size = Object.keys(entry).length
        if (size !== 2) throw failed(`Found invalid map entry, expected length 2 but found :${size}`)
        return [key(member(entry, 'key')), value(member(entry, 'value'))]
      }),
    )
  }
}

function readStruct(schema: Schema): ReadJson {
  const fields = (schema.fields ?? []).map((field) => ({ name: field.name, read: compileReader(field.schema) }))
  return (json) => {
    if (!isNode(json)) throw failed(`Structs should be encoded as JSON objects, but found ${nodeType(json)}`)
    const struct: Record<string, unknown> = {}
    for (const { name, read } of fields) put(struct, name, read(member(json, name)))
    return struct
  }
}

/** The first member of simple type that fits, or else the struct with the most properties in common. */
function readUnion(schema: Schema): ReadJson {
  const members = (schema.fields ?? []).map((field) => ({
    name: field.name,
    schema: field.schema,
    read: compileReader(field.schema),
    names: new Set((field.schema.fields ?? []).map((inner) => inner.name)),
  }))
  return (json) => {
    let best: (typeof members)[number] | undefined
    let most = -1
    for (const candidate of members) {
      if (fitsSimple(candidate.schema, json)) return put({}, candidate.name, candidate.read(json))
      if (candidate.schema.type !== 'struct' || !isNode(json)) continue
      const common = Object.keys(json).filter((name) => candidate.names.has(name)).length
      if (common > most) [best, most] = [candidate, common]
    }
    if (best) return put({}, best.name, best.read(json))
    throw failed('Did not find matching oneof field for data')
  }
}

function fitsSimple({ type }: Schema, json: unknown): boolean {
  switch (type) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return isWhole(json)
    case 'float32':
    case 'float64':
      return numberOf(json) !== undefined
    case 'boolean':
      return typeof json === 'boolean'
    case 'string':
      return typeof json === 'string'
    case 'bytes':
      return numberOf(json) !== undefined && !isWhole(json)
    case 'array':
      return Array.isArray(json)
    case 'map':
      return Array.isArray(json) || isNode(json)
    case 'struct':
      return false
  }
}

function isNode(json: unknown): json is Readonly<Record<string, unknown>> {
  return isObject(json) && !isRaw(json)
}

function member(json: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(json, name) ? json[name] : undefined
}

/** A field may be named `__proto__`. */
function put(struct: Record<string, unknown>, name: string, value: unknown): Record<string, unknown> {
  if (name !== '__proto__') struct[name] = value
  else Object.defineProperty(struct, name, { value, writable: true, enumerable: true, configurable: true })
  return struct
}

/** As Jackson names the kinds of JSON. */
function nodeType(json: unknown): string {
  if (json === null || json === undefined) return 'NULL'
  if (Array.isArray(json)) return 'ARRAY'
  if (numberOf(json) !== undefined) return 'NUMBER'
  return (typeof json).toUpperCase()
}

function failed(why: string): Error {
  return converterErrors.CONVERTER_JSON_SCHEMA(why)
}
