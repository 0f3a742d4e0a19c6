/** An Avro schema (Avro 1.12, "Schema Declaration") as a graph: a name stands for the one object of its type. */
export type AvroType = PrimitiveType | RecordType | EnumType | FixedType | ArrayType | MapType | UnionType

export type PrimitiveName = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

interface Base {
  /** All members of the JSON that the specification does not name, and `logicalType` with its own. */
  readonly props: Readonly<Record<string, unknown>>
}

interface Named extends Base {
  /** With the namespace. */
  readonly name: string
  readonly aliases: readonly string[]
  readonly doc: string | undefined
}

export interface PrimitiveType extends Base {
  readonly type: PrimitiveName
}

export interface AvroField {
  readonly name: string
  readonly aliases: readonly string[]
  readonly type: AvroType
  readonly doc: string | undefined
  /** JSON; undefined: none. */
  readonly default: unknown
}

export interface RecordType extends Named {
  readonly type: 'record'
  readonly fields: readonly AvroField[]
}

export interface EnumType extends Named {
  readonly type: 'enum'
  readonly symbols: readonly string[]
  readonly default: string | undefined
}

export interface FixedType extends Named {
  readonly type: 'fixed'
  readonly size: number
}

export interface ArrayType extends Base {
  readonly type: 'array'
  readonly items: AvroType
}

export interface MapType extends Base {
  readonly type: 'map'
  readonly values: AvroType
}

export interface UnionType extends Base {
  readonly type: 'union'
  readonly branches: readonly AvroType[]
}

/** What names a type in a union: the full name, or the type. */
export function nameOf(type: AvroType): string {
  return 'name' in type ? type.name : type.type
}

/** What converters write for Connect's data without names. */
export const NAMESPACE = 'io.confluent.connect.avro'
