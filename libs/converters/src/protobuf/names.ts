export { GENERALIZED_ENUM, GENERALIZED_UNION } from '../generalized.ts'

/** Names of Confluent's ProtobufData. */
export const NAMESPACE = 'io.confluent.connect.protobuf'
export const TAG = `${NAMESPACE}.Tag`
export const ENUM = `${NAMESPACE}.Enum`
export const UNION = `${NAMESPACE}.Union`
/** The parameter that keeps a type of Protobuf which Connect's type does not tell, such as `fixed32`. */
export const PROTOBUF_TYPE = 'protobuf.type'
export const CONNECT_TYPE = 'connect.type'
export const CONNECT_PRECISION = 'connect.decimal.precision'

export const DECIMAL = 'confluent.type.Decimal'
export const DATE = 'google.type.Date'
export const TIME_OF_DAY = 'google.type.TimeOfDay'
export const TIMESTAMP = 'google.protobuf.Timestamp'

/** The files that declare the messages which generated schemas use. */
export const LOCATIONS: Readonly<Record<string, string>> = {
  [DECIMAL]: 'confluent/type/decimal.proto',
  [DATE]: 'google/type/date.proto',
  [TIME_OF_DAY]: 'google/type/timeofday.proto',
  [TIMESTAMP]: 'google/protobuf/timestamp.proto',
}
export const META_LOCATION = 'confluent/meta.proto'
export const WRAPPERS_LOCATION = 'google/protobuf/wrappers.proto'

/** The message in wrappers.proto for a value, and the scalar type of its one field. */
export const WRAPPERS = {
  'google.protobuf.DoubleValue': 'double',
  'google.protobuf.FloatValue': 'float',
  'google.protobuf.Int64Value': 'int64',
  'google.protobuf.UInt64Value': 'uint64',
  'google.protobuf.Int32Value': 'int32',
  'google.protobuf.UInt32Value': 'uint32',
  'google.protobuf.BoolValue': 'bool',
  'google.protobuf.StringValue': 'string',
  'google.protobuf.BytesValue': 'bytes',
} as const

export function isWrapper(fullName: string): boolean {
  return Object.hasOwn(WRAPPERS, fullName)
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Whether a .proto file may use the name. What is none would let a name write declarations of its own. */
export function isIdentifier(name: string): boolean {
  return IDENTIFIER.test(name)
}

/** `scrub.invalid.names`: URL-encoded, with a valid start, and `_` for what .proto files do not allow. */
export function scrubName(name: string): string {
  if (name === '' || /^[A-Za-z][A-Za-z0-9_]*$/.test(name)) return name
  const encoded = javaUrlEncode(name)
  return `${/^[0-9_]/.test(encoded) ? 'x' : ''}${encoded}`.replace(/[^A-Za-z0-9_]/g, '_')
}

/** java.net.URLEncoder with UTF-8. */
function javaUrlEncode(text: string): string {
  return [...text].map((c) => (/[A-Za-z0-9.*_-]/.test(c) ? c : c === ' ' ? '+' : percent(c))).join('')
}

function percent(char: string): string {
  return [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/** ProtobufSchema.toMapEntry: the message for the entries of a map of this name. */
export function toMapEntry(name: string): string {
  const camel = name
    .split('_')
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1).toLowerCase()}`)
    .join('')
  return `${name.includes('_') ? camel : name}Entry`
}

/** ProtobufSchema.toMapField: the inverse, on the last part of a dotted name. */
export function toMapField(name: string): string {
  const start = name.lastIndexOf('.') + 1
  const last = name.slice(start)
  if (!last.endsWith('Entry')) return name
  const lower = last.slice(0, -'Entry'.length).replace(/(?!^)[A-Z]/g, (c) => `_${c}`)
  return name.slice(0, start) + lower.toLowerCase()
}

export function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}
