import { showNode, type JsonNode } from './json-tree.ts'
import type { Field } from '../model/model.ts'
import type { ScalarValue } from '../wire/wire-writer.ts'

/** The request does not fit its type. The texts are those of protobuf-java-util. */
export class RequestError extends Error {}

const RANGES = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
} as const
export type IntegerKind = keyof typeof RANGES

/** The range of integers of a field; null when it is not an integer field. */
export function integerKind(field: Field): IntegerKind | null {
  switch (field.type) {
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return 'int32'
    case 'uint32':
    case 'fixed32':
      return 'uint32'
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return 'int64'
    case 'uint64':
    case 'fixed64':
      return 'uint64'
    default:
      return null
  }
}

export function fitsInteger(value: bigint, kind: IntegerKind): boolean {
  return value >= RANGES[kind][0] && value <= RANGES[kind][1]
}

/** Parses a scalar or an enum number from JSON. Throws RequestError. */
export function parseScalar(field: Field, node: JsonNode): ScalarValue {
  const kind = integerKind(field)
  if (kind) return parseInteger(node, kind)
  switch (field.type) {
    case 'float':
    case 'double':
      return parseFloating(node, field.type)
    case 'bool': {
      const text = textOf(node)
      if (text !== 'true' && text !== 'false') throw new RequestError(`Invalid bool value: ${showNode(node)}`)
      return text === 'true'
    }
    case 'bytes':
      return parseBytes(node)
    case 'enum':
      return parseEnum(field, node)
    default: {
      const text = textOf(node)
      if (text === null) throw new RequestError(`Not a string value: ${showNode(node)}`)
      if (!text.isWellFormed())
        throw new RequestError(`Not a string value: ${showNode(node)} has half a surrogate pair`)
      return text
    }
  }
}

/** The text of a string, number or boolean, as in Java; null for other nodes. */
function textOf(node: JsonNode): string | null {
  return node.kind === 'string' || node.kind === 'number' || node.kind === 'boolean' ? node.text : null
}

function parseInteger(node: JsonNode, kind: IntegerKind): bigint {
  const text = node.kind === 'string' || node.kind === 'number' ? node.text : ''
  const value = exactInteger(text)
  if (value !== null && fitsInteger(value, kind)) return value
  const what = value !== null && kind.startsWith('u') ? 'Out of range' : 'Not an'
  throw new RequestError(`${what} ${kind} value: ${showNode(node)}`)
}

/**
 * The integer that a decimal text denotes, also with an exponent or a zero fraction (`1e3`, `5.0`); null when it is not
 * an integer.
 */
function exactInteger(text: string): bigint | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  if (!match) return null
  const [, sign, whole, fraction = '', exponent = '0'] = match
  const point = whole!.length + Number(exponent)
  const digits = (whole! + fraction).padEnd(Math.max(point, 0), '0')
  if (point > 400 || /[^0]/.test(digits.slice(Math.max(point, 0)))) return null
  const value = BigInt(digits.slice(0, Math.max(point, 0)) || '0')
  return sign === '-' ? -value : value
}

function parseFloating(node: JsonNode, type: 'float' | 'double'): number {
  const text = node.kind === 'string' || node.kind === 'number' ? node.text : ''
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text)
  const value = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(value)) throw new RequestError(`Not a ${type} value: ${showNode(node)}`)
  const out = type === 'float' ? Math.fround(value) : value
  if (!Number.isFinite(out)) throw new RequestError(`Out of range ${type} value: ${showNode(node)}`)
  return out
}

/** Base64, standard or URL-safe, padding optional. */
function parseBytes(node: JsonNode): Uint8Array {
  const text = node.kind === 'string' ? node.text.replace(/={1,2}$/, '') : '!'
  if (!/^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)$/.test(text) || text.length % 4 === 1) {
    throw new RequestError(`Not a base64 value: ${showNode(node)}`)
  }
  return Buffer.from(text, 'base64')
}

function parseEnum(field: Field, node: JsonNode): bigint {
  const type = field.enumType!
  if (node.kind === 'null') return BigInt(type.defaultNumber)
  const text = node.kind === 'string' || node.kind === 'number' ? node.text : ''
  const named = type.numberOf.get(text)
  if (named !== undefined) return BigInt(named)
  const number = exactInteger(text)
  const known = number !== null && (type.nameOf.has(Number(number)) || (!field.closed && fitsInteger(number, 'int32')))
  if (!known) throw new RequestError(`Invalid enum value: ${showNode(node)} for enum type: ${type.fullName}`)
  return number
}
