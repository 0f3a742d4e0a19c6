import type { FieldProto, MessageProto } from '../model/file-proto.ts'
import { featuresOf, type Options } from './proto-options.ts'

/**
 * FieldDescriptorProto.Type of the scalar names. The type of a message or an enum stays 0: `link` decides which it is.
 */
export const SCALARS: Readonly<Record<string, number>> = {
  double: 1, float: 2, int64: 3, uint64: 4, int32: 5, fixed64: 6, fixed32: 7, bool: 8, string: 9, bytes: 12, uint32: 13,
  sfixed32: 15, sfixed64: 16, sint32: 17, sint64: 18,
} // prettier-ignore

type FieldParts = Pick<FieldProto, 'label' | 'type' | 'typeName'> & {
  readonly oneofIndex?: number
  readonly extendee?: string
  readonly proto3Optional?: boolean
}

export function fieldProto(name: string, number: number, options: Options, parts: FieldParts): FieldProto {
  const { label, type, typeName, oneofIndex = null, extendee = '', proto3Optional = false } = parts
  const packed = options.get('packed')
  return {
    ...{ name, number, label, type, typeName, extendee, oneofIndex, proto3Optional },
    jsonName: options.get('json_name')?.toString() ?? '',
    defaultValue: defaultText(options, type),
    packed: packed === undefined ? null : packed === 'true',
    features: featuresOf(options),
  }
}

const BYTES = 12

/** A default as descriptors have it: bytes with C escapes, integers in decimal. */
function defaultText(options: Options, type: number): string | null {
  const value = options.get('default')
  if (value === undefined) return null
  if (typeof value !== 'string') return type === BYTES ? escaped(value) : value.toString()
  const sign = value.startsWith('-') ? '-' : ''
  const integer = integerOf(value.slice(sign.length))
  return integer === null ? value : `${sign}${integer}`
}

function escaped(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
}

/** Decimal, hexadecimal or octal; null for anything else. */
export function integerOf(text: string): bigint | null {
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`)
  return /^(?:0|[1-9]\d{0,40}|0[xX][0-9a-fA-F]{1,32})$/.test(text) ? BigInt(text) : null
}

/** The name of the entry type as protoc makes it: `price_levels` has entries of type `PriceLevelsEntry`. */
export function entryName(field: string): string {
  return `${field.replace(/(^|_)([a-z]?)/g, (_, _start, letter: string) => letter.toUpperCase())}Entry`
}

/** The type of the entries of a map, as protoc makes it. */
export function mapEntry(name: string, keyType: string, valueType: string, options: Options): MessageProto {
  const scalar = Object.hasOwn(SCALARS, valueType) ? SCALARS[valueType]! : 0
  const features = new Map([...options].filter(([option]) => option === 'features.utf8_validation'))
  const key = { label: 1, type: SCALARS[keyType] ?? 0, typeName: '' }
  const value = { label: 1, type: scalar, typeName: scalar === 0 ? valueType : '' }
  return {
    name: entryName(name),
    field: [fieldProto('key', 1, features, key), fieldProto('value', 2, features, value)],
    extension: [],
    nestedType: [],
    enumType: [],
    oneofDecl: [],
    mapEntry: true,
    features: featuresOf(new Map()),
  }
}
