/**
 * Connect's schema types, and what a value of each is here:
 *
 * | type | value |
 * |---|---|
 * | int8, int16, int32, float32, float64 | number |
 * | int64 | bigint |
 * | boolean, string | boolean, string |
 * | bytes | Uint8Array |
 * | array | array of `valueSchema` |
 * | map | Map of `keySchema` and `valueSchema` |
 * | struct | plain object; a field that is not there, undefined or null has no value |
 *
 * A schema with a logical name (`LOGICAL`) has values of its own: `Decimal` for Decimal, and JavaScript's Date for the other three.
 * Without a schema a value is what JSON gives: null, boolean, string, number (a whole number is Java's Long, any other its Double),
 * bigint (a Long beyond 2^53), array, plain object (Java's Map). Map, Uint8Array, Decimal and Date may occur too.
 */
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

/** Names of Connect's logical types (org.apache.kafka.connect.data). Decimal has its scale in the parameter `scale`. */
export const LOGICAL = {
  /** On bytes: the unscaled value, two's complement, big-endian. */
  Decimal: 'org.apache.kafka.connect.data.Decimal',
  /** On int32: days since the epoch, UTC. */
  Date: 'org.apache.kafka.connect.data.Date',
  /** On int32: ms since midnight. */
  Time: 'org.apache.kafka.connect.data.Time',
  /** On int64: ms since the epoch. */
  Timestamp: 'org.apache.kafka.connect.data.Timestamp',
} as const

export const STRING_SCHEMA: Schema = { type: 'string' }
export const BYTES_SCHEMA: Schema = { type: 'bytes' }
export const OPTIONAL_STRING_SCHEMA: Schema = { type: 'string', optional: true }
export const OPTIONAL_BYTES_SCHEMA: Schema = { type: 'bytes', optional: true }
