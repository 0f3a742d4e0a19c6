import { type Decimal, LOGICAL, type Schema, unscaledToBytes, withoutDefault } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { enumName, isUnion } from './from-schema.ts'
import * as names from './names.ts'
import type { ProtoField, ProtoMessage } from './model.ts'
import type { Output } from './output.ts'
import { invalidType, scalarWriter, type WriteScalar } from './scalar.ts'
import type { ProtobufSettings } from './settings.ts'

/** Writes the content of one message: the fields of a struct, or the one field of a wrapper. Throws DataError. */
export type WriteMessage = (out: Output, value: unknown, depth: number) => void

/**
 * What writes values of a schema as a message that `fromConnectSchema` made for it. Fields are written in the order of their numbers, and
 * defaults are left out unless the field has presence, as protobuf-java does.
 */
export function compileWriter(message: ProtoMessage, schema: Schema, settings: ProtobufSettings): WriteMessage {
  if (schema.type === 'struct') return new WriterCompiler(settings).struct(message, schema)
  const write = scalarWriter(message.fields[0]!, schema)
  return (out, value) => write(out, value, false)
}

/** Writes one field of a struct, its tag included, or nothing. */
type WriteField = (out: Output, struct: object, depth: number) => void
/** Writes one value with its tag. `explicit`: a default too. */
type WriteValue = (out: Output, value: unknown, depth: number, explicit: boolean) => void

/** As deep as protobuf-java reads messages. */
const MAX_DEPTH = 100

class WriterCompiler {
  readonly #settings: ProtobufSettings
  readonly #messages = new Map<Schema, Map<ProtoMessage, WriteMessage>>()

  constructor(settings: ProtobufSettings) {
    this.#settings = settings
  }

  struct(message: ProtoMessage, schema: Schema): WriteMessage {
    let ofSchema = this.#messages.get(schema)
    if (ofSchema === undefined) this.#messages.set(schema, (ofSchema = new Map<ProtoMessage, WriteMessage>()))
    const known = ofSchema.get(message)
    if (known) return known
    const fields: WriteField[] = []
    const write: WriteMessage = (out, value, depth) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidType(schema, value)
      if (depth > MAX_DEPTH) throw tooDeep()
      for (const field of fields) field(out, value, depth)
    }
    ofSchema.set(message, write)
    fields.push(...this.#fields(message, schema))
    return write
  }

  #fields(message: ProtoMessage, schema: Schema): WriteField[] {
    const numbered: { readonly number: number; readonly write: WriteField }[] = []
    for (const { name, schema: type } of schema.fields ?? []) {
      if (isUnion(type)) {
        for (const member of type.fields ?? []) {
          const field = this.#fieldOf(message, member.name)
          numbered.push({
            number: field.number,
            write: this.#member(name, type, member.name, this.#value(field, member.schema)),
          })
        }
      } else {
        const field = this.#fieldOf(message, name)
        numbered.push({ number: field.number, write: this.#field(name, type, field, this.#value(field, type)) })
      }
    }
    return numbered.sort((a, b) => a.number - b.number).map((field) => field.write)
  }

  #fieldOf(message: ProtoMessage, name: string): ProtoField {
    const scrubbed = this.#settings.scrub ? names.scrubName(name) : name
    const field = message.fields.find((candidate) => candidate.name === scrubbed)
    if (field === undefined) throw failed(`Cannot find field with name ${scrubbed}`)
    return field
  }

  #field(name: string, schema: Schema, field: ProtoField, write: WriteValue): WriteField {
    const fallback = this.#settings.ignoreDefault ? null : (schema.default ?? null)
    const { presence } = field
    if (name in Object.prototype) {
      return (out, struct, depth) => {
        const value = withoutDefault(struct, name) ?? fallback
        if (value !== null) write(out, value, depth, presence)
      }
    }
    return (out, struct, depth) => {
      const value = (struct as Record<string, unknown>)[name] ?? fallback
      if (value !== null) write(out, value, depth, presence)
    }
  }

  /** A member of a oneof is written if it is the first of the union that has a value. */
  #member(unionField: string, union: Schema, name: string, write: WriteValue): WriteField {
    const members = (union.fields ?? []).map((member) => member.name)
    return (out, struct, depth) => {
      const value = withoutDefault(struct, unionField)
      if (value === null) return
      if (typeof value !== 'object') throw invalidType(union, value)
      const set = members.find((member) => withoutDefault(value, member) !== null)
      if (set === undefined) throw failed('Cannot find non-null field')
      if (set === name) write(out, withoutDefault(value, name), depth, true)
    }
  }

  #value(field: ProtoField, schema: Schema): WriteValue {
    if (schema.type === 'map') return this.#map(field, schema)
    if (schema.type === 'array') return this.#list(field, schema)
    return this.#single(field, schema)
  }

  #map(field: ProtoField, schema: Schema): WriteValue {
    const [key, value] = field.message!.fields as [ProtoField, ProtoField]
    const writeKey = this.#value(key, schema.keySchema!)
    const writeValue = this.#value(value, schema.valueSchema!)
    const { presence: keyPresence } = key
    const { presence: valuePresence } = value
    return (out, map, depth) => {
      const entries = map instanceof Map ? (map as Map<unknown, unknown>) : undefined
      if (entries === undefined && (typeof map !== 'object' || Array.isArray(map))) throw invalidType(schema, map)
      for (const [k, v] of entries ?? Object.entries(map as object)) {
        out.varint(field.number * 8 + 2)
        const start = out.begin()
        if (k !== null && k !== undefined) writeKey(out, k, depth + 1, keyPresence)
        if (v !== null && v !== undefined) writeValue(out, v, depth + 1, valuePresence)
        out.end(start)
      }
    }
  }

  #list(field: ProtoField, schema: Schema): WriteValue {
    const elements = schema.valueSchema!
    if (field.packed && field.type !== 'string' && field.type !== 'bytes' && field.message === null) {
      const write = scalarWriter({ ...field, repeated: false, number: 0 }, elements)
      return (out, list) => {
        const values = arrayOf(schema, list)
        if (values.length === 0) return
        out.varint(field.number * 8 + 2)
        const start = out.begin()
        for (const value of values) write(out, element(value), true)
        out.end(start)
      }
    }
    const write = this.#single(field, elements)
    return (out, list, depth) => {
      for (const value of arrayOf(schema, list)) write(out, element(value), depth, true)
    }
  }

  #single(field: ProtoField, schema: Schema): WriteValue {
    const { message } = field
    if (message === null) {
      const write = scalarWriter(field, schema)
      return (out, value, _depth, explicit) => write(out, value, explicit)
    }
    const content = this.#message(message, schema)
    const tag = field.number * 8 + 2
    return (out, value, depth) => {
      out.varint(tag)
      const start = out.begin()
      content(out, value, depth + 1)
      out.end(start)
    }
  }

  #message(message: ProtoMessage, schema: Schema): WriteMessage {
    switch (schema.name ?? '') {
      case LOGICAL.Decimal:
        return (out, value) => writeDecimal(out, schema, value)
      case LOGICAL.Date:
        return (out, value) => writeDate(out, dateOf(schema, 'Date', value))
      case LOGICAL.Time:
        return (out, value) => writeTime(out, dateOf(schema, 'Time', value))
      case LOGICAL.Timestamp:
        return (out, value) => writeTimestamp(out, dateOf(schema, 'Timestamp', value))
    }
    if (schema.type === 'struct') return this.struct(message, schema)
    if (!names.isWrapper(message.fullName) || enumName(schema) !== undefined)
      throw failed(`${message.fullName} is no message for ${schema.type}`)
    const write: WriteScalar = scalarWriter(message.fields[0]!, schema)
    return (out, value) => write(out, value, false)
  }
}

function arrayOf(schema: Schema, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidType(schema, value)
  return value
}

function element(value: unknown): unknown {
  if (value === null || value === undefined) throw failed('an array with a null has no Protobuf form')
  return value
}

function dateOf(schema: Schema, type: string, value: unknown): Date {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value
  throw invalidType(schema, value, `Invalid type for ${type}, expected Date but was `)
}

/** confluent.type.Decimal: the unscaled value, its number of digits, and the scale. */
function writeDecimal(out: Output, schema: Schema, value: unknown): void {
  const { unscaled, scale } = value as Decimal
  if (typeof unscaled !== 'bigint')
    throw invalidType(schema, value, 'Invalid type for Decimal, expected BigDecimal but was ')
  out.varint(0x0a)
  out.bytes(unscaledToBytes(unscaled))
  out.varint(0x10)
  out.varint((unscaled < 0n ? -unscaled : unscaled).toString().length)
  int32Field(out, 3, scale)
}

const DAY = 86_400_000

function writeDate(out: Output, value: Date): void {
  if (value.getTime() % DAY !== 0) {
    throw failed('Kafka Connect Date type should not have any time fields set to non-zero values.')
  }
  int32Field(out, 1, value.getUTCFullYear())
  int32Field(out, 2, value.getUTCMonth() + 1)
  int32Field(out, 3, value.getUTCDate())
}

function writeTime(out: Output, value: Date): void {
  const ms = value.getTime()
  if (ms < 0 || ms > DAY) throw failed('Time values must use number of millis greater than 0 and less than 86400000')
  int32Field(out, 1, value.getUTCHours())
  int32Field(out, 2, value.getUTCMinutes())
  int32Field(out, 3, value.getUTCSeconds())
  int32Field(out, 4, value.getUTCMilliseconds() * 1_000_000)
}

/** Years 1 to 9999, as google/protobuf/timestamp.proto wants it. */
export const TIMESTAMP_MIN_SECONDS = -62_135_596_800
export const TIMESTAMP_MAX_SECONDS = 253_402_300_799

function writeTimestamp(out: Output, value: Date): void {
  const ms = value.getTime()
  const seconds = Math.floor(ms / 1000)
  if (seconds < TIMESTAMP_MIN_SECONDS || seconds > TIMESTAMP_MAX_SECONDS) {
    throw failed(
      `Timestamp is not valid. See proto definition for valid values. Seconds (${seconds}) must be in range [-62,135,596,800, +253,402,300,799].`,
    )
  }
  if (seconds !== 0) {
    out.varint(0x08)
    if (seconds > 0 && seconds <= 0xffffffff) out.varint(seconds)
    else out.int64(BigInt(seconds))
  }
  int32Field(out, 2, (ms - seconds * 1000) * 1_000_000)
}

function int32Field(out: Output, number: number, value: number): void {
  if (value === 0) return
  out.varint(number * 8)
  out.int32(value)
}

function tooDeep(): Error {
  return failed(`it nests deeper than ${MAX_DEPTH} messages`)
}

function failed(why: string): Error {
  return converterErrors.CONVERTER_PROTOBUF(why)
}
