import { showNode, type JsonNode } from './json-tree.ts'
import type { Field, MessageType } from '../model/model.ts'
import { parseScalar, RequestError } from './request-scalar.ts'
import { parseTime } from '@tributary/push-source'
import { LEN, wireTypeOf } from '../wire/wire.ts'
import { WireWriter, writeScalar } from '../wire/wire-writer.ts'

/**
 * Encodes any message, `levels` below the present one. Passed in, because the encoder itself calls `parseWellKnown`.
 */
export type EncodeMessage = (type: MessageType, node: JsonNode, levels: 0 | 1) => Buffer

const MAX_TIMESTAMP = 253_402_300_799 // 9999-12-31T23:59:59Z
const MIN_TIMESTAMP = -62_135_596_800 // 0001-01-01T00:00:00Z
const MAX_DURATION = 315_576_000_000n // duration.proto: 10,000 years

type Parse = (type: MessageType, node: JsonNode, encode: EncodeMessage) => Buffer

const PARSERS: Readonly<Record<string, Parse>> = {
  Any: parseAny,
  Timestamp: parseTimestamp,
  Duration: parseDuration,
  FieldMask: parseFieldMask,
  Struct: (type, node, encode) => single(type, 'fields', node, encode, 'object'),
  ListValue: (type, node, encode) => single(type, 'values', node, encode, 'array'),
  Value: parseValue,
  ...Object.fromEntries(
    ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'].map((n) => [
      `${n}Value`,
      parseWrapper,
    ]),
  ),
}

/** Encodes a well-known type from its own JSON form; null for every other type. Throws RequestError. */
export function parseWellKnown(type: MessageType, node: JsonNode, encode: EncodeMessage): Buffer | null {
  if (!type.fullName.startsWith('google.protobuf.')) return null
  const name = type.fullName.slice('google.protobuf.'.length)
  return Object.hasOwn(PARSERS, name) ? PARSERS[name]!(type, node, encode) : null
}

/** A message with one field, whose JSON stands in place of the message. */
function single(
  type: MessageType,
  name: string,
  node: JsonNode,
  encode: EncodeMessage,
  kind: JsonNode['kind'],
): Buffer {
  if (node.kind !== kind)
    throw new RequestError(`Expect ${kind === 'object' ? 'message object' : 'an array'} but got: ${showNode(node)}`)
  const field = fieldOf(type, name)
  // The JSON form of the field, under its name, in a message without a special form.
  const plain: MessageType = { fullName: `${type.fullName}.`, fields: [field], mapEntry: false, types: type.types }
  return encode(plain, { kind: 'object', members: [[name, node]] }, 0)
}

function parseWrapper(type: MessageType, node: JsonNode): Buffer {
  const field = fieldOf(type, 'value')
  return scalar(field, parseScalar(field, node)).finish()
}

function scalar(field: Field, value: Parameters<typeof writeScalar>[2], out = new WireWriter()): WireWriter {
  writeScalar(out.tag(field.number, wireTypeOf(field.type)), field.type, value)
  return out
}

function parseTimestamp(type: MessageType, node: JsonNode): Buffer {
  const time = node.kind === 'string' ? parseTime(node.text) : null
  if (!time || time.seconds < MIN_TIMESTAMP || time.seconds > MAX_TIMESTAMP) {
    throw new RequestError(`Failed to parse timestamp: ${showNode(node)}`)
  }
  return secondsAndNanos(type, BigInt(time.seconds), time.nanos)
}

function parseDuration(type: MessageType, node: JsonNode): Buffer {
  const match = node.kind === 'string' ? /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(node.text) : null
  const seconds = BigInt(match?.[2] ?? -1)
  if (!match || seconds > MAX_DURATION) throw new RequestError(`Failed to parse duration: ${showNode(node)}`)
  const nanos = Number((match[3] ?? '').padEnd(9, '0'))
  return match[1] === '-' ? secondsAndNanos(type, -seconds, -nanos) : secondsAndNanos(type, seconds, nanos)
}

function secondsAndNanos(type: MessageType, seconds: bigint, nanos: number): Buffer {
  return scalar(fieldOf(type, 'nanos'), BigInt(nanos), scalar(fieldOf(type, 'seconds'), seconds)).finish()
}

/** `user.displayName,photo` → the paths in snake case. */
function parseFieldMask(type: MessageType, node: JsonNode): Buffer {
  if (node.kind !== 'string') throw new RequestError(`Expect a field mask but got: ${showNode(node)}`)
  const out = new WireWriter()
  for (const path of node.text.split(',').filter((p) => p !== '')) {
    scalar(
      fieldOf(type, 'paths'),
      path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      out,
    )
  }
  return out.finish()
}

function parseValue(type: MessageType, node: JsonNode, encode: EncodeMessage): Buffer {
  switch (node.kind) {
    case 'null':
      return scalar(fieldOf(type, 'null_value'), 0n).finish()
    case 'boolean':
      return scalar(fieldOf(type, 'bool_value'), node.text === 'true').finish()
    case 'string':
      return scalar(fieldOf(type, 'string_value'), node.text).finish()
    case 'number':
      return scalar(fieldOf(type, 'number_value'), Number(node.text)).finish()
    default: {
      const field = fieldOf(type, node.kind === 'object' ? 'struct_value' : 'list_value')
      const content = encode(field.messageType!, node, 1)
      return new WireWriter().tag(field.number, LEN).chunk(content).finish()
    }
  }
}

/** `{"@type": "type.googleapis.com/pkg.Message", …}`. A type with a JSON form of its own stands under "value". */
function parseAny(type: MessageType, node: JsonNode, encode: EncodeMessage): Buffer {
  if (node.kind !== 'object') throw new RequestError(`Expect message object but got: ${showNode(node)}`)
  if (node.members.length === 0) return Buffer.alloc(0)
  const url = node.members.find(([name]) => name === '@type')?.[1]
  if (url?.kind !== 'string') throw new RequestError(`Missing type url when parsing: ${showNode(node)}`)
  const name = url.text.slice(url.text.lastIndexOf('/') + 1)
  const content = type.types.get(name)
  if (!content) throw new RequestError(`Cannot resolve type: ${url.text}`)
  const rest = node.members.filter(([member]) => member !== '@type')
  const special = name.startsWith('google.protobuf.') && Object.hasOwn(PARSERS, name.slice('google.protobuf.'.length))
  const value: JsonNode = special
    ? (rest.find(([member]) => member === 'value')?.[1] ?? { kind: 'null' })
    : { kind: 'object', members: rest }
  const out = scalar(fieldOf(type, 'type_url'), url.text)
  return scalar(fieldOf(type, 'value'), encode(content, value, 1), out).finish()
}

function fieldOf(type: MessageType, name: string): Field {
  const field = type.fields.find((f) => f.name === name)
  if (!field) throw new RequestError(`${type.fullName} of the descriptor has no field ${name}`)
  return field
}
