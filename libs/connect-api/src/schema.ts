/** Connect's schema types. An INT64 in a Struct is a bigint. A Struct is a plain object; its schema is separate. */
export type SchemaType =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'boolean'
  | 'string'
  | 'bytes'
  | 'array'
  | 'map'
  | 'struct'

export interface Field {
  readonly name: string
  readonly schema: Schema
}

export interface Schema {
  readonly type: SchemaType
  readonly optional?: boolean
  readonly name?: string
  readonly version?: number
  readonly doc?: string
  readonly default?: unknown
  readonly parameters?: Readonly<Record<string, string>>
  readonly fields?: readonly Field[]
  readonly keySchema?: Schema
  readonly valueSchema?: Schema
}

export const STRING_SCHEMA: Schema = { type: 'string' }
export const BYTES_SCHEMA: Schema = { type: 'bytes' }
export const OPTIONAL_STRING_SCHEMA: Schema = { type: 'string', optional: true }
export const OPTIONAL_BYTES_SCHEMA: Schema = { type: 'bytes', optional: true }
