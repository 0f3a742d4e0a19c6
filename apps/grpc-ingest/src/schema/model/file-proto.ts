/**
 * The part of google/protobuf/descriptor.proto that reading needs, as plain objects. Binary descriptors and .proto text
 * both become this form before `link`. Numbers are those of descriptor.proto.
 */
export interface FileProto {
  readonly name: string
  readonly package: string
  readonly dependency: readonly string[]
  readonly messageType: readonly MessageProto[]
  readonly enumType: readonly EnumProto[]
  readonly service: readonly ServiceProto[]
  readonly extension: readonly FieldProto[]
  readonly syntax: Syntax
  readonly features: FeaturesProto
  /** `java_string_check_utf8`: strings of a proto2 file are checked too. */
  readonly checkUtf8: boolean
}

export type Syntax = 'proto2' | 'proto3' | 'editions'

/** A FeatureSet. 0 means "not set here", so the value is inherited. */
export interface FeaturesProto {
  /** 1 explicit, 2 implicit, 3 legacy required */
  readonly fieldPresence: number
  /** 1 open, 2 closed */
  readonly enumType: number
  /** 1 packed, 2 expanded */
  readonly repeatedFieldEncoding: number
  /** 2 verify, 3 none */
  readonly utf8Validation: number
  /** 1 length prefixed, 2 delimited */
  readonly messageEncoding: number
}

export interface MessageProto {
  readonly name: string
  readonly field: readonly FieldProto[]
  readonly extension: readonly FieldProto[]
  readonly nestedType: readonly MessageProto[]
  readonly enumType: readonly EnumProto[]
  readonly oneofDecl: readonly OneofProto[]
  readonly mapEntry: boolean
  readonly features: FeaturesProto
}

export interface FieldProto {
  readonly name: string
  readonly number: number
  /** 1 optional, 2 required, 3 repeated */
  readonly label: number
  /** FieldDescriptorProto.Type; 0 when only `typeName` is known (as from .proto text). */
  readonly type: number
  readonly typeName: string
  readonly extendee: string
  readonly jsonName: string
  /** null: none declared */
  readonly defaultValue: string | null
  /** null: not in a oneof */
  readonly oneofIndex: number | null
  readonly proto3Optional: boolean
  /** null: not said */
  readonly packed: boolean | null
  readonly features: FeaturesProto
}

export interface OneofProto {
  readonly name: string
  readonly features: FeaturesProto
}

export interface EnumProto {
  readonly name: string
  readonly value: readonly { readonly name: string; readonly number: number }[]
  readonly features: FeaturesProto
}

export interface ServiceProto {
  readonly name: string
  readonly method: readonly MethodProto[]
}

export interface MethodProto {
  readonly name: string
  readonly inputType: string
  readonly outputType: string
  readonly clientStreaming: boolean
  readonly serverStreaming: boolean
}

export const NO_FEATURES: FeaturesProto = {
  fieldPresence: 0,
  enumType: 0,
  repeatedFieldEncoding: 0,
  utf8Validation: 0,
  messageEncoding: 0,
}
