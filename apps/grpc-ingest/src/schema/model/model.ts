/**
 * A protobuf schema, linked: every type name resolved, editions' features applied, extensions put among the fields of
 * the messages they extend. Built by `link`, read by everything else of this folder; never changed afterwards.
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

/** `group` is a message on the wire between a start and an end tag (proto2, or editions' DELIMITED). */
export type FieldType = ScalarType | 'enum' | 'message' | 'group'

/** A field's default: bigint for 64-bit integers, number for the others and for enums. */
export type DefaultValue = number | bigint | boolean | string | Uint8Array

export interface Field {
  /** As in the .proto file. */
  readonly name: string
  readonly jsonName: string
  /** `pkg.Message.field`; of an extension, where it was declared. */
  readonly fullName: string
  readonly number: number
  readonly type: FieldType
  readonly repeated: boolean
  readonly required: boolean
  /** A singular field that tells unset from default: proto2, `optional`, oneof members, messages. */
  readonly presence: boolean
  /** Left out of JSON when unset: messages, members of oneofs, proto3 `optional`, extensions. Others show their default. */
  readonly omitUnset: boolean
  /** Repeated scalars: how we write them. Both forms are read. */
  readonly packed: boolean
  /** Strings: malformed UTF-8 is an error (proto3), or replaced by U+FFFD (proto2). */
  readonly validateUtf8: boolean
  /** Enums: an unknown number counts as unset (proto2). */
  readonly closed: boolean
  readonly defaultValue: DefaultValue
  /** The oneof it belongs to; null for none and for the synthetic one of a proto3 `optional`. */
  readonly oneof: string | null
  readonly extension: boolean
  readonly messageType: MessageType | null
  readonly enumType: EnumType | null
}

export interface MessageType {
  /** Without leading dot. */
  readonly fullName: string
  /** Ascending by number, extensions of the set included. */
  readonly fields: readonly Field[]
  /** A map's entry, fields `key` and `value`. */
  readonly mapEntry: boolean
  /** All messages of its schema by full name, which is where the type of an Any is looked for. */
  readonly types: ReadonlyMap<string, MessageType>
}

export interface EnumType {
  readonly fullName: string
  readonly closed: boolean
  /** The first name of a number, where aliases exist. */
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
  /** Where it came from, for error texts. */
  readonly origin: 'descriptor' | 'reflection'
  /** By full name, without leading dot. */
  readonly messages: ReadonlyMap<string, MessageType>
  readonly enums: ReadonlyMap<string, EnumType>
  readonly services: ReadonlyMap<string, Service>
}
