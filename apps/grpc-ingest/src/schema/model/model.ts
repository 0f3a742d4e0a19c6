import type { FileProto } from './file-proto.ts'

/**
 * A linked protobuf schema: every type name is resolved, the features of editions are applied, and extensions stand
 * among the fields of the messages that they extend. `link` builds it, all other code only reads it.
 */
export type ScalarType =
  | 'double'
  | 'float'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'sint32'
  | 'sint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed32'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes'

/** `group` is a message between a start tag and an end tag (proto2, or DELIMITED of editions). */
export type FieldType = ScalarType | 'enum' | 'message' | 'group'

/** The default of a field: bigint for 64-bit integers, number for other numbers and for enums. */
export type DefaultValue = number | bigint | boolean | string | Uint8Array

export interface Field {
  /** The name in the .proto file. */
  readonly name: string
  /** For an extension, its full name in brackets. */
  readonly jsonName: string
  /** `pkg.Message.field`. For an extension, the name of its declaration. */
  readonly fullName: string
  readonly number: number
  readonly type: FieldType
  readonly repeated: boolean
  readonly required: boolean
  /** A singular field that distinguishes unset from default: proto2, `optional`, members of oneofs, messages. */
  readonly presence: boolean
  /**
   * Left out of JSON when unset: messages, members of oneofs, proto3 `optional`, extensions, and what has presence in
   * editions. JSON shows the default of other fields; a JsonWriter can leave out all that have presence.
   */
  readonly omitUnset: boolean
  /** Whether repeated scalars are written packed. Both forms are read. */
  readonly packed: boolean
  /** Strings: malformed UTF-8 is an error (proto3), or becomes U+FFFD (proto2). */
  readonly validateUtf8: boolean
  /** Enums: an unknown number counts as unset (proto2). */
  readonly closed: boolean
  readonly defaultValue: DefaultValue
  /** The oneof of the field; null for none and for the synthetic oneof of a proto3 `optional`. */
  readonly oneof: string | null
  readonly extension: boolean
  readonly messageType: MessageType | null
  readonly enumType: EnumType | null
}

export interface MessageType {
  /** Without leading dot. */
  readonly fullName: string
  /** In ascending order of their numbers, with the extensions of the set. */
  readonly fields: readonly Field[]
  /** Whether this is the entry type of a map, with the fields `key` and `value`. */
  readonly mapEntry: boolean
  /** All messages of the schema by full name. The type of an Any is looked up here. */
  readonly types: ReadonlyMap<string, MessageType>
}

export interface EnumType {
  readonly fullName: string
  readonly closed: boolean
  /** By number; the first name where aliases exist. */
  readonly nameOf: ReadonlyMap<number, string>
  readonly numberOf: ReadonlyMap<string, number>
  readonly defaultNumber: number
}

export interface Method {
  readonly name: string
  readonly requestType: MessageType
  readonly responseType: MessageType
  readonly clientStreaming: boolean
  readonly serverStreaming: boolean
}

export interface Service {
  readonly fullName: string
  readonly methods: ReadonlyMap<string, Method>
}

export interface Root {
  /** The source of the schema, for error messages. */
  readonly origin: 'descriptor' | 'reflection'
  /** The files that were linked, so that others can be added; see `withFiles`. */
  readonly files: readonly FileProto[]
  /** By full name, without leading dot. */
  readonly messages: ReadonlyMap<string, MessageType>
  readonly enums: ReadonlyMap<string, EnumType>
  readonly services: ReadonlyMap<string, Service>
}
