/** What the converter needs of a linked .proto file. `load.ts` builds it, all other code only reads it. */
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

export interface ProtoField {
  readonly name: string
  readonly number: number
  readonly type: ScalarType | 'enum' | 'message' | 'group'
  readonly repeated: boolean
  /** Repeated scalars: written packed. Both forms are read. */
  readonly packed: boolean
  /** Whether a scalar has the keyword `optional`, and of which syntax. In proto3 the keyword alone gives it presence. */
  readonly optional: 'proto2' | 'proto3' | null
  /** Unset differs from the default, so a default is written too. */
  readonly presence: boolean
  /** The oneof of the field, none for the synthetic one of `optional`. */
  readonly oneof: string | null
  /** The default that proto2 declares. */
  readonly declaredDefault: unknown
  /** `(confluent.field_meta).params`. */
  readonly params: ReadonlyMap<string, string>
  readonly message: ProtoMessage | null
  readonly enum: ProtoEnum | null
}

export interface ProtoMessage {
  readonly name: string
  /** With the package, without a leading dot. */
  readonly fullName: string
  /** In the order of the text. */
  readonly fields: readonly ProtoField[]
  /** Names of oneofs in the order of the text. */
  readonly oneofs: readonly string[]
  /** Messages that are declared inside, in the order of the text. Entries of `map` fields are not among them. */
  readonly nested: readonly ProtoMessage[]
}

export interface ProtoEnum {
  readonly name: string
  readonly fullName: string
  /** In the order of the text. */
  readonly values: readonly (readonly [string, number])[]
}

export interface ProtoFile {
  /** In the order of the text: message indexes of a frame point into it. */
  readonly messages: readonly ProtoMessage[]
}

/** The message at the indexes of a frame. Undefined: there is none. */
export function messageAt(file: ProtoFile, indexes: readonly number[]): ProtoMessage | undefined {
  let among = file.messages
  let found: ProtoMessage | undefined
  for (const index of indexes) {
    found = among[index]
    if (found === undefined) return undefined
    among = found.nested
  }
  return found
}

/** The indexes of the message with this full name. Undefined: there is none. */
export function indexesOf(file: ProtoFile, fullName: string): readonly number[] | undefined {
  return search(file.messages, fullName)
}

function search(among: readonly ProtoMessage[], fullName: string): readonly number[] | undefined {
  for (const [i, message] of among.entries()) {
    if (message.fullName === fullName) return [i]
    if (!fullName.startsWith(`${message.fullName}.`)) continue
    const inner = search(message.nested, fullName)
    if (inner) return [i, ...inner]
  }
  return undefined
}
