import { fits, javaClass, type Schema } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { enumName } from './from-schema.ts'
import * as names from './names.ts'
import type { ProtoField } from './model.ts'
import type { Output } from './output.ts'

/** Writes a scalar with its tag. A default is left out unless `explicit`. Throws DataError for a value of another type. */
export type WriteScalar = (out: Output, value: unknown, explicit: boolean) => void

/** `field.number` 0: without a tag, as packed elements are written. */
export function scalarWriter(field: ProtoField, schema: Schema): WriteScalar {
  const write = writerOf(field, schema)
  const tag = field.number === 0 ? 0 : field.number * 8 + wireType(field.type)
  return (out, value, explicit) => write(out, value, explicit, tag)
}

type Write = (out: Output, value: unknown, explicit: boolean, tag: number) => void

function wireType(type: ProtoField['type']): number {
  switch (type) {
    case 'string':
    case 'bytes':
      return 2
    case 'double':
    case 'fixed64':
    case 'sfixed64':
      return 1
    case 'float':
    case 'fixed32':
    case 'sfixed32':
      return 5
    default:
      return 0
  }
}

function writerOf(field: ProtoField, schema: Schema): Write {
  if (enumName(schema) !== undefined) return enumWriter(field, schema)
  switch (field.type) {
    case 'int32':
      return int32Writer(schema, (out, value) => out.int32(value))
    case 'sint32':
      return int32Writer(schema, (out, value) => out.sint32(value))
    case 'sfixed32':
    case 'fixed32':
      return int32Writer(schema, (out, value) => out.fixed32(value))
    case 'uint32':
      return int32Writer(schema, (out, value) => out.varint(value >>> 0))
    case 'int64':
    case 'uint64':
      return int64Writer(schema, (out, value) => out.int64(value))
    case 'sint64':
      return int64Writer(schema, (out, value) => out.sint64(value))
    case 'fixed64':
    case 'sfixed64':
      return int64Writer(schema, (out, value) => out.fixed64(value))
    case 'float':
      return floatWriter(schema, (out, value) => out.float(value))
    case 'double':
      return floatWriter(schema, (out, value) => out.double(value))
    case 'bool':
      return boolWriter(schema)
    case 'string':
      return stringWriter(schema)
    case 'bytes':
      return bytesWriter(schema)
    default:
      throw converterErrors.CONVERTER_PROTOBUF(`${field.type} ${field.name} is no field for ${schema.type}`)
  }
}

/** Number.intValue of Java: the low 32 bits of an int64. What the schema's own type does not hold is refused. */
function int32Writer(schema: Schema, put: (out: Output, value: number) => void): Write {
  return (out, value, explicit, tag) => {
    const isInt32 = schema.type === 'int32' && typeof value === 'number' && (value | 0) === value
    if (!isInt32 && !fits(schema, value)) throw invalidType(schema, value)
    const low = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : (value as number) | 0
    if (low === 0 && !explicit) return
    if (tag !== 0) out.varint(tag)
    put(out, low)
  }
}

function int64Writer(schema: Schema, put: (out: Output, value: bigint) => void): Write {
  return (out, value, explicit, tag) => {
    const isInt64 = typeof value === 'bigint' && BigInt.asIntN(64, value) === value
    if (!isInt64 && !fits(schema, value)) throw invalidType(schema, value)
    const long = isInt64 ? value : BigInt(value as number | bigint)
    if (long === 0n && !explicit) return
    if (tag !== 0) out.varint(tag)
    put(out, long)
  }
}

/** -0 is not the default, as in protobuf-java. */
function floatWriter(schema: Schema, put: (out: Output, value: number) => void): Write {
  return (out, value, explicit, tag) => {
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number !== 'number') throw invalidType(schema, value)
    if (!explicit && Object.is(number, 0)) return
    if (tag !== 0) out.varint(tag)
    put(out, number)
  }
}

function boolWriter(schema: Schema): Write {
  return (out, value, explicit, tag) => {
    if (typeof value !== 'boolean') throw invalidType(schema, value)
    if (!value && !explicit) return
    if (tag !== 0) out.varint(tag)
    out.varint(value ? 1 : 0)
  }
}

function stringWriter(schema: Schema): Write {
  return (out, value, explicit, tag) => {
    if (typeof value !== 'string') throw invalidType(schema, value)
    if (value === '' && !explicit) return
    out.varint(tag)
    out.string(value)
  }
}

function bytesWriter(schema: Schema): Write {
  return (out, value, explicit, tag) => {
    if (!(value instanceof Uint8Array)) throw invalidType(schema, value)
    if (value.length === 0 && !explicit) return
    out.varint(tag)
    out.bytes(value)
  }
}

function enumWriter(field: ProtoField, schema: Schema): Write {
  const parameter = schema.parameters![names.GENERALIZED_ENUM] === undefined ? names.ENUM : names.GENERALIZED_ENUM
  const numbers = new Map<unknown, number>(field.enum?.values ?? [])
  const ofNumber = new Set(numbers.values())
  return (out, value, explicit, tag) => {
    const number = typeof value === 'number' && schema.type === 'int32' ? value : numbers.get(value)
    if (number === undefined || (typeof value === 'number' && !ofNumber.has(value))) {
      const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : javaClass(value)
      throw converterErrors.CONVERTER_PROTOBUF(
        `${text} is none of the values of the enum ${schema.parameters![parameter]}`,
      )
    }
    if (number === 0 && !explicit) return
    if (tag !== 0) out.varint(tag)
    out.int32(number)
  }
}

export function invalidType(
  schema: Schema,
  value: unknown,
  text = `Invalid type for ${schema.type.toUpperCase()}: `,
): Error {
  return converterErrors.CONVERTER_PROTOBUF(`${text}${javaClass(value)}`)
}
