import { invalidDescriptor } from '../model/errors.ts'
import type { DefaultValue, EnumType, FieldType } from '../model/model.ts'

const EMPTY = new Uint8Array(0)

/**
 * Parses the default of a field from the text in its descriptor. null: none is declared, so the default is the zero
 * value of the type.
 */
export function parseDefault(
  type: FieldType,
  text: string | null,
  enumType: EnumType | null,
  field: string,
): DefaultValue {
  switch (type) {
    case 'message':
    case 'group':
      return 0
    case 'string':
      return text ?? ''
    case 'bytes':
      return text === null || text === '' ? EMPTY : unescapeBytes(text)
    case 'bool':
      return text === 'true'
    case 'enum': {
      const number = text === null || text === '' ? enumType?.defaultNumber : enumType?.numberOf.get(text)
      if (number === undefined) throw invalidDefault(field, text)
      return number
    }
    case 'double':
    case 'float':
      return parseFloatDefault(text, field, type === 'float')
    case 'int64':
    case 'uint64':
    case 'sint64':
    case 'fixed64':
    case 'sfixed64':
      return parseInteger(text, field)
    default:
      return Number(parseInteger(text, field))
  }
}

function parseInteger(text: string | null, field: string): bigint {
  if (text === null || text === '') return 0n
  if (!/^-?\d{1,20}$/.test(text)) throw invalidDefault(field, text)
  return BigInt(text)
}

function parseFloatDefault(text: string | null, field: string, single: boolean): number {
  if (text === null || text === '') return 0
  if (text === 'inf') return Infinity
  if (text === '-inf') return -Infinity
  if (text === 'nan') return NaN
  const value = Number(text)
  if (Number.isNaN(value)) throw invalidDefault(field, text)
  return single ? Math.fround(value) : value
}

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 }

/**
 * Decodes C escapes: descriptors write defaults of type bytes so (descriptor.proto,
 * FieldDescriptorProto.default_value).
 */
function unescapeBytes(text: string): Uint8Array {
  const out: number[] = []
  const pattern = /\\([0-7]{1,3})|\\x([0-9a-fA-F]{1,2})|\\(.)|([^\\]+)|\\/gs
  for (const [, octal, hex, letter, plain] of text.matchAll(pattern)) {
    if (octal !== undefined) out.push(parseInt(octal, 8) & 0xff)
    else if (hex !== undefined) out.push(parseInt(hex, 16))
    else if (letter !== undefined) out.push(ESCAPES[letter] ?? letter.charCodeAt(0) & 0xff)
    else if (plain !== undefined) for (const byte of Buffer.from(plain, 'utf8')) out.push(byte)
  }
  return Uint8Array.from(out)
}

function invalidDefault(field: string, text: string | null): Error {
  return invalidDescriptor(field, `Couldn't parse default value: "${(text ?? '').slice(0, 80)}".`)
}
