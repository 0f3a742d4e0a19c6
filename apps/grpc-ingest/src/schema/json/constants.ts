import { shortestFloat } from './number.ts'
import { asciiJson } from './string.ts'
import type { EnumTexts } from './value.ts'
import type { EnumType, Field } from '../model/model.ts'

const NULL_VALUE = 'google.protobuf.NullValue'
const NUMBER_ROOM = 11

const cache = new WeakMap<EnumType, EnumTexts>()

/** The JSON texts of the values of an enum field. google.protobuf.NullValue is null. */
export function enumTexts(field: Field): EnumTexts {
  const type = field.enumType!
  const known = cache.get(type)
  if (known) return known
  const sparse = new Map<number, Uint8Array>()
  const dense: (Uint8Array | undefined)[] = new Array<undefined>(128).fill(undefined)
  for (const [number, name] of type.nameOf) {
    const text = Buffer.from(type.fullName === NULL_VALUE ? 'null' : asciiJson(name), 'latin1')
    sparse.set(number, text)
    if (number >= 0 && number < 128) dense[number] = text
  }
  const texts: EnumTexts = { dense, sparse }
  cache.set(type, texts)
  return texts
}

/** The bytes of the longest text, or of a bare number. */
export function longestText(texts: EnumTexts): number {
  let longest = NUMBER_ROOM
  for (const text of texts.sparse.values()) longest = Math.max(longest, text.length)
  return longest
}

/** The JSON of an unset scalar. */
export function defaultJson(field: Field): string {
  const value = field.defaultValue
  if (field.type === 'enum') {
    const number = Number(value)
    if (field.enumType!.fullName === NULL_VALUE) return 'null'
    const name = field.enumType!.nameOf.get(number)
    return name === undefined ? String(number) : asciiJson(name)
  }
  switch (typeof value) {
    case 'bigint':
      return `"${value}"`
    case 'number':
      return Number.isFinite(value) ? numberJson(field, value) : `"${value}"`
    case 'boolean':
      return String(value)
    case 'string':
      return asciiJson(value)
    default:
      return `"${Buffer.from(value).toString('base64')}"`
  }
}

function numberJson(field: Field, value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  return field.type === 'float' ? shortestFloat(value) : String(value)
}
