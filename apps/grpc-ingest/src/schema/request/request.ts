import { fieldNamed } from '../field/field-path.ts'
import { errorText } from '../model/errors.ts'
import { type JsonNode, parseJsonTree, showNode } from './json-tree.ts'
import type { Field, MessageType } from '../model/model.ts'
import { parseScalar, RequestError } from './request-scalar.ts'
import { parseWellKnown } from './request-well-known.ts'
import { END_GROUP, LEN, MAX_DEPTH, START_GROUP, wireTypeOf } from '../wire/wire.ts'
import { WireWriter, writeScalar } from '../wire/wire-writer.ts'
import { grpcErrors } from '../../errors.ts'

/**
 * Encodes `grpc.request.message`, which is protobuf JSON, as a message of `type`. Blank text is an empty message. The
 * rules and error texts are those of the parser of protobuf-java-util: field names as in the .proto file or in JSON,
 * extensions by their full names in brackets,
 * 64-bit integers as numbers or strings, enums by name or number, null is unset, unknown fields and duplicates are
 * rejected. Throws ConfigError on `grpc.request.message`.
 */
export function encodeRequest(type: MessageType, json: string, configKey = 'grpc.request.message'): Buffer {
  if (json.trim() === '') return Buffer.alloc(0)
  try {
    return encodeMessage(type, parseJsonTree(json), 0)
  } catch (error) {
    const why = error instanceof SyntaxError ? `it is not JSON: ${error.message}` : errorText(error)
    if (!(error instanceof SyntaxError) && !(error instanceof RequestError)) throw error
    throw grpcErrors.GRPC_REQUEST(`The request does not fit ${type.fullName}: ${why}`, {
      field: configKey,
      cause: error,
    })
  }
}

/** `depth`: the number of messages around this one. Servers refuse more than 100. */
function encodeMessage(type: MessageType, node: JsonNode, depth: number): Buffer {
  if (depth > MAX_DEPTH) throw new RequestError(`it nests deeper than ${MAX_DEPTH} messages`)
  const wellKnown = parseWellKnown(type, node, (inner, value, levels) => encodeMessage(inner, value, depth + levels))
  if (wellKnown) return wellKnown
  if (node.kind !== 'object') throw new RequestError(`Expect message object but got: ${showNode(node)}`)
  const out = new WireWriter()
  const set = new Set<Field>()
  for (const [name, value] of node.members) {
    const field = fieldNamed(type, name)
    if (!field) throw new RequestError(`Cannot find field: ${name.slice(0, 100)} in message ${type.fullName}`)
    if (value.kind === 'null' && !takesNull(field)) continue
    checkUnset(field, set)
    set.add(field)
    encodeField(out, field, value, depth)
  }
  const missing = type.fields.filter((f) => f.required && !set.has(f)).map((f) => f.name)
  if (missing.length > 0) throw new RequestError(`Message missing required fields: ${missing.join(', ')}`)
  return out.finish()
}

/** A google.protobuf.Value can hold null. Everywhere else null means unset. */
function takesNull(field: Field): boolean {
  if (field.repeated) return false
  return (
    field.messageType?.fullName === 'google.protobuf.Value' || field.enumType?.fullName === 'google.protobuf.NullValue'
  )
}

function checkUnset(field: Field, set: ReadonlySet<Field>): void {
  if (set.has(field)) throw new RequestError(`Field ${field.fullName} has already been set.`)
  const other = field.oneof === null ? undefined : [...set].find((f) => f.oneof === field.oneof)
  if (!other) return
  throw new RequestError(
    `Cannot set field ${field.fullName} because another field ${other.fullName} belonging to the same oneof has already been set`,
  )
}

function encodeField(out: WireWriter, field: Field, node: JsonNode, depth: number): void {
  if (!field.repeated) {
    encodeSingle(out, field, node, depth)
  } else if (field.messageType?.mapEntry === true) {
    encodeMap(out, field, field.messageType, node, depth)
  } else {
    encodeRepeated(out, field, node, depth)
  }
}

function encodeRepeated(out: WireWriter, field: Field, node: JsonNode, depth: number): void {
  if (node.kind !== 'array') throw new RequestError(`Expected an array for ${field.name} but found ${showNode(node)}`)
  const isValue =
    field.messageType?.fullName === 'google.protobuf.Value' || field.enumType?.fullName === 'google.protobuf.NullValue'
  if (!isValue && node.items.some((item) => item.kind === 'null')) {
    throw new RequestError(`Repeated field elements cannot be null in field: ${field.fullName}`)
  }
  if (!field.packed) {
    for (const item of node.items) encodeSingle(out, field, item, depth)
  } else if (node.items.length > 0) {
    const packed = new WireWriter()
    for (const item of node.items) writeScalar(packed, field.type, parseScalar(field, item))
    out.tag(field.number, LEN).chunk(packed.finish())
  }
}

function encodeMap(out: WireWriter, field: Field, entry: MessageType, node: JsonNode, depth: number): void {
  if (node.kind !== 'object') throw new RequestError(`Expect a map object but found: ${showNode(node)}`)
  const [key, value] = entry.fields
  const keys = new Set<string>()
  for (const [name, item] of node.members) {
    if (keys.has(name))
      throw new RequestError(`Field ${field.fullName} has already been set. (Key "${name.slice(0, 60)}" occurs twice.)`)
    keys.add(name)
    if (item.kind === 'null' && !takesNull(value!)) throw new RequestError('Map value cannot be null.')
    const content = new WireWriter()
    encodeSingle(content, key!, { kind: 'string', text: name }, depth + 1)
    encodeSingle(content, value!, item, depth + 1)
    out.tag(field.number, LEN).chunk(content.finish())
  }
}

function encodeSingle(out: WireWriter, field: Field, node: JsonNode, depth: number): void {
  const { messageType } = field
  if (!messageType) {
    const value = parseScalar(field, node)
    writeScalar(out.tag(field.number, wireTypeOf(field.type)), field.type, value)
  } else if (field.type === 'group') {
    out
      .tag(field.number, START_GROUP)
      .raw(encodeMessage(messageType, node, depth + 1))
      .tag(field.number, END_GROUP)
  } else {
    out.tag(field.number, LEN).chunk(encodeMessage(messageType, node, depth + 1))
  }
}
