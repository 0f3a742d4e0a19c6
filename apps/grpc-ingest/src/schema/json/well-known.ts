import type { Field, FieldType, MessageType } from '../model/model.ts'
import { chunkStart, varint32 } from '../wire/wire-scan.ts'
import type { EmitCode } from './emit-code.ts'
import type { WriteMessage } from './lists.ts'
import { putDouble } from './number.ts'
import { output, putAscii, reserve } from './output.ts'
import { putString, putText } from './string.ts'
import { putDuration, putTimestamp } from './time.ts'
import { readDouble } from './value.ts'
import { grpcErrors } from '../../errors.ts'

/** Types with a JSON form of their own. */
export type WellKnown = 'wrapper' | 'struct' | 'list' | 'value' | 'timestamp' | 'duration' | 'fieldMask' | 'any'

type Shape = readonly (readonly [name: string, type: FieldType, repeated?: 'repeated'])[]

const WRAPPED: Readonly<Record<string, FieldType>> = {
  Double: 'double', Float: 'float', Int64: 'int64', UInt64: 'uint64', Int32: 'int32', UInt32: 'uint32', Bool: 'bool',
  String: 'string', Bytes: 'bytes',
} // prettier-ignore

const TIME: Shape = [
  ['seconds', 'int64'],
  ['nanos', 'int32'],
]
const SHAPES: Readonly<Record<string, readonly [WellKnown, Shape]>> = {
  Timestamp: ['timestamp', TIME],
  Duration: ['duration', TIME],
  FieldMask: ['fieldMask', [['paths', 'string', 'repeated']]],
  Any: [
    'any',
    [
      ['type_url', 'string'],
      ['value', 'bytes'],
    ],
  ],
  Struct: ['struct', [['fields', 'message', 'repeated']]],
  ListValue: ['list', [['values', 'message', 'repeated']]],
  Value: [
    'value',
    [
      ['null_value', 'enum'],
      ['number_value', 'double'],
      ['string_value', 'string'],
      ['bool_value', 'bool'],
      ['struct_value', 'message'],
      ['list_value', 'message'],
    ],
  ],
  ...Object.fromEntries(
    Object.entries(WRAPPED).map(([name, type]) => [`${name}Value`, ['wrapper', [['value', type]]] as const]),
  ),
}

/**
 * The well-known type that this is; null for every other type, and for a type with a well-known name but other fields:
 * a set brings its own google/protobuf files, which need not be those of Google.
 */
export function wellKnownOf(type: MessageType): WellKnown | null {
  if (!type.fullName.startsWith('google.protobuf.')) return null
  const name = type.fullName.slice('google.protobuf.'.length)
  const [kind, shape] = (Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined) ?? []
  if (!kind || !shape || type.fields.length !== shape.length) return null
  const same = type.fields.every((field, i) => {
    const [fieldName, fieldType, repeated] = shape[i]!
    const number = field.number === i + 1 && field.name === fieldName
    return number && field.type === fieldType && field.repeated === (repeated !== undefined)
  })
  return same && (name !== 'Struct' || type.fields[0]!.messageType?.mapEntry === true) ? kind : null
}

/** The part of a type writer that an Any needs. */
interface AnyContent {
  readonly wellKnown: string | null
  readonly write: WriteMessage
  readonly writeFields: WriteMessage
}
type FindType = (fullName: string) => AnyContent | null

const TIME_ROOM = 48
const NULL = Buffer.from('null')
const EMPTY_OBJECT = Buffer.from('{}')
const TYPE_KEY = Buffer.from('{"@type":')
const VALUE_KEY = Buffer.from(',"value":')

/** Timestamp and Duration, with the seconds at p1 and the nanos at p2. */
export function addTime(emit: EmitCode, kind: 'timestamp' | 'duration'): void {
  const put = kind === 'timestamp' ? 'putTimestamp' : 'putDuration'
  emit.add(`pos = ${put}(p1 < 0 ? 0 : readInt64(buf, p1), p2 < 0 ? 0 : varint32(buf, p2), pos);`, TIME_ROOM)
}

export function addFieldMask(emit: EmitCode): void {
  emit.add('pos = putFieldMask(buf, l1, pos);', 0)
}

/** google.protobuf.Value: the member that is set, null for none. */
export function addValue(emit: EmitCode, fields: readonly Field[]): void {
  for (const field of fields) {
    const put = field.type === 'double' ? 'pos = putFinite(buf, po0, pos);' : emit.value(field)
    emit.add(`if (co0 === ${field.number}) { ${put} }`, 32)
  }
  emit.add('if (co0 === 0) pos = putNull(pos);', 4)
}

/** `findType`: the name of the constant that holds a FindType. */
export function addAny(emit: EmitCode, findType: string): void {
  emit.add(`pos = putAny(${findType}, buf, p1, p2, pos, depth + 1);`, 0)
}

function putNull(pos: number): number {
  return putAscii(NULL, pos)
}

function putFinite(buf: Uint8Array, at: number, pos: number): number {
  const value = readDouble(buf, at)
  if (Number.isFinite(value)) return putDouble(value, pos)
  throw grpcErrors.PROTOBUF_JSON(`google.protobuf.Value cannot be ${value} in JSON: it would be read as a string`)
}

function putFieldMask(buf: Uint8Array, list: readonly number[] | null, pos: number): number {
  return putText((list ?? []).map((at) => camelPath(textAt(buf, at))).join(','), pos)
}

const MASK_PATH = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/

/**
 * A path of a FieldMask in lowerCamelCase. Throws DataError for a path that would not read back the same: protobuf's
 * JSON mapping has no form for it, and Java prints another path.
 */
function camelPath(path: string): string {
  const camel = path.replace(/_+([a-z]?)/g, (_, letter: string) => letter.toUpperCase())
  if (MASK_PATH.test(path) && camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) === path) return camel
  throw grpcErrors.PROTOBUF_JSON(
    `the FieldMask path "${path.slice(0, 200)}" has no JSON form that reads back as the same path`,
  )
}

/** The text of the chunk whose length stands at `at`. */
function textAt(buf: Uint8Array, at: number): string {
  const start = chunkStart(buf, at)
  return Buffer.from(buf.buffer, buf.byteOffset + start, varint32(buf, at) >>> 0).toString('utf8')
}

/** Writes `{"@type":url, …}`: the fields of the content, or `"value"` when the content has a JSON form of its own. */
function putAny(
  findType: FindType,
  buf: Uint8Array,
  urlAt: number,
  valueAt: number,
  pos: number,
  depth: number,
): number {
  const url = urlAt < 0 ? '' : textAt(buf, urlAt)
  const start = valueAt < 0 ? 0 : chunkStart(buf, valueAt)
  const end = valueAt < 0 ? 0 : start + (varint32(buf, valueAt) >>> 0)
  if (url === '' && start === end) {
    reserve(pos, 2)
    return putAscii(EMPTY_OBJECT, pos)
  }
  const slash = url.lastIndexOf('/')
  const content = slash < 0 ? null : findType(url.slice(slash + 1))
  if (!content) {
    throw grpcErrors.PROTOBUF_JSON(
      `Cannot find type for url: ${url.slice(0, 200)}. Neither the schema nor the reflection of the server has it. Add its file to grpc.proto.descriptor, or set grpc.value.format=bytes`,
    )
  }
  reserve(pos, TYPE_KEY.length)
  pos = putAscii(TYPE_KEY, pos)
  const urlStart = chunkStart(buf, urlAt)
  pos = putString(buf, urlStart, urlStart + (varint32(buf, urlAt) >>> 0), true, pos)
  reserve(pos, VALUE_KEY.length + 1)
  if (content.wellKnown === null) {
    pos = content.writeFields(buf, start, end, null, pos, depth)
  } else {
    pos = content.write(buf, start, end, null, putAscii(VALUE_KEY, pos), depth)
  }
  reserve(pos, 1)
  output.buf[pos] = 125
  return pos + 1
}

/** The functions that generated source calls for the types above. */
export const wellKnownHelpers = { putAny, putDuration, putFieldMask, putFinite, putNull, putTimestamp }
