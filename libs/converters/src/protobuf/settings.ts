import type { Keys } from '@tributary/config'

/** The settings of Confluent's ProtobufData, with its defaults. */
export interface ProtobufSettings {
  readonly enhanced: boolean
  readonly scrub: boolean
  readonly intForEnums: boolean
  readonly optionalForNullables: boolean
  readonly optionalForProto2: boolean
  readonly wrapperForNullables: boolean
  readonly wrapperForRawPrimitives: boolean
  readonly structForNulls: boolean
  readonly indexForUnions: boolean
  readonly flattenUnions: boolean
  readonly generalized: boolean
  readonly ignoreDefault: boolean
}

export function protobufSettings(config: Readonly<Record<string, string>>): ProtobufSettings {
  const flag = (key: string): boolean =>
    (config[key] ?? String(PROTOBUF_KEYS[key]!.default)).trim().toLowerCase() === 'true'
  return {
    enhanced: flag('enhanced.protobuf.schema.support'),
    scrub: flag('scrub.invalid.names'),
    intForEnums: flag('int.for.enums'),
    optionalForNullables: flag('optional.for.nullables'),
    optionalForProto2: flag('optional.for.proto2'),
    wrapperForNullables: flag('wrapper.for.nullables'),
    wrapperForRawPrimitives: flag('wrapper.for.raw.primitives'),
    structForNulls: flag('generate.struct.for.nulls'),
    indexForUnions: flag('generate.index.for.unions'),
    flattenUnions: flag('flatten.unions'),
    generalized: flag('generalized.sum.type.support'),
    ignoreDefault: flag('ignore.default.for.nullables'),
  }
}

const flag = (value: boolean, order: number, doc: string): Keys[string] => ({
  type: 'boolean',
  default: value,
  importance: 'medium',
  group: 'Protobuf',
  order,
  width: 'medium',
  doc,
})

export const PROTOBUF_KEYS: Keys = {
  'enhanced.protobuf.schema.support': flag(false, 0, 'Keep the package in the names of schemas that are read.'),
  'scrub.invalid.names': flag(
    false,
    1,
    'Replace what a .proto file does not allow in names: `my-field` becomes `my_field`. false: such a name is an error.',
  ),
  'int.for.enums': flag(false, 2, 'Read an enum as its number (int32). false: as its name.'),
  'optional.for.nullables': flag(
    false,
    3,
    'Declare optional fields with the keyword `optional`, so that null and the default differ.',
  ),
  'optional.for.proto2': flag(
    true,
    4,
    'Read an unset `optional` field of a proto2 file as null. false: as its default.',
  ),
  'wrapper.for.nullables': flag(
    false,
    5,
    'Declare optional scalars as messages of google/protobuf/wrappers.proto, and read those as scalars.',
  ),
  'wrapper.for.raw.primitives': flag(
    true,
    6,
    'Read a message of google/protobuf/wrappers.proto that is the whole value as a scalar.',
  ),
  'generate.struct.for.nulls': flag(
    false,
    7,
    'Read an unset message as a struct of defaults. false: as null. A message that contains itself cannot be read so.',
  ),
  'generate.index.for.unions': flag(true, 8, 'Name the field for a oneof with its index: `choice_0`. false: `choice`.'),
  'flatten.unions': flag(
    false,
    9,
    'Read the members of a oneof as fields of the message. false: as a struct of their own.',
  ),
  'generalized.sum.type.support': flag(
    false,
    10,
    'Name enums and unions `org.apache.kafka.connect.data.Enum` and `….Union`, as the Avro and JSON Schema converters can do too.',
  ),
  'ignore.default.for.nullables': flag(
    false,
    11,
    'Write null for an optional field without a value, also if its schema has a default.',
  ),
}
