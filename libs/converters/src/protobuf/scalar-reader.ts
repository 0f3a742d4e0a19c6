import type { Schema } from '@tributary/connect-api'
import { I32, I64, type Input, LEN, START_GROUP, VARINT } from './input.ts'
import type { ProtoField } from './model.ts'

/** Reads one value without its tag, as Connect has it. */
export type ReadScalar = (input: Input) => unknown

export interface ScalarReader {
  readonly read: ReadScalar
  /** The value of a field that is not in the bytes. */
  readonly unset: () => unknown
}

export function wireTypeOf(type: ProtoField['type']): number {
  switch (type) {
    case 'string':
    case 'bytes':
    case 'message':
      return LEN
    case 'double':
    case 'fixed64':
    case 'sfixed64':
      return I64
    case 'float':
    case 'fixed32':
    case 'sfixed32':
      return I32
    case 'group':
      return START_GROUP
    default:
      return VARINT
  }
}

/** `schema`: tells int8 and int16; null: none, as in a wrapper. */
export function readerOf(field: ProtoField, schema: Schema | null): ScalarReader {
  const { read, zero } = reader(field, schema)
  const declared = field.declaredDefault
  if (declared === undefined) return { read, unset: () => zero }
  const value = declaredDefault(declared, typeof zero === 'bigint')
  return { read, unset: () => value }
}

/** protobufjs has 64-bit defaults as Long. */
function declaredDefault(value: unknown, isLong: boolean): unknown {
  return isLong ? BigInt.asIntN(64, BigInt(String(value))) : value
}

const EMPTY = Buffer.alloc(0)

function reader(field: ProtoField, schema: Schema | null): { readonly read: ReadScalar; readonly zero: unknown } {
  switch (field.type) {
    case 'int32':
      return { read: small(schema, (input) => input.uint32() | 0), zero: 0 }
    case 'sint32':
      return { read: small(schema, (input) => input.sint32()), zero: 0 }
    case 'sfixed32':
      return { read: small(schema, (input) => input.fixed32()), zero: 0 }
    case 'uint32':
      return { read: (input) => BigInt(input.uint32()), zero: 0n }
    case 'fixed32':
      return { read: (input) => BigInt(input.fixed32() >>> 0), zero: 0n }
    case 'int64':
    case 'uint64':
      return { read: (input) => input.int64(), zero: 0n }
    case 'sint64':
      return { read: (input) => input.sint64(), zero: 0n }
    case 'fixed64':
    case 'sfixed64':
      return { read: (input) => input.fixed64(), zero: 0n }
    case 'float':
      return { read: (input) => input.float(), zero: 0 }
    case 'double':
      return { read: (input) => input.double(), zero: 0 }
    case 'bool':
      return { read: (input) => input.bool(), zero: false }
    case 'string':
      return { read: (input) => input.string(), zero: '' }
    default:
      return { read: (input) => input.copy(), zero: EMPTY }
  }
}

/** Java's casts to byte and short. */
function small(schema: Schema | null, read: (input: Input) => number): ReadScalar {
  if (schema?.type === 'int8') return (input) => (read(input) << 24) >> 24
  if (schema?.type === 'int16') return (input) => (read(input) << 16) >> 16
  return read
}

/** A number that the enum does not have gets the name that protobuf-java gives it. */
export function enumReader(field: ProtoField, asNumber: boolean): ScalarReader {
  const { name, values } = field.enum!
  if (asNumber)
    return { read: (input) => input.uint32() | 0, unset: () => Number(field.declaredDefault ?? values[0]?.[1] ?? 0) }
  const symbols = new Map<number, string>()
  for (const [symbol, number] of values) if (!symbols.has(number)) symbols.set(number, symbol)
  const symbolOf = (number: number): string => symbols.get(number) ?? `UNKNOWN_ENUM_VALUE_${name}_${number}`
  const unset = symbolOf(Number(field.declaredDefault ?? values[0]?.[1] ?? 0))
  return { read: (input) => symbolOf(input.uint32() | 0), unset: () => unset }
}
