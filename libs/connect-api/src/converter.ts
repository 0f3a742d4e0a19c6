import type { Schema } from './schema.ts'

export interface SchemaAndValue {
  readonly schema: Schema | null
  readonly value: unknown
}

/** Converts Connect data to bytes and back. Throws DataError for a value that does not fit. */
export interface Converter {
  /** Whether a string becomes exactly its UTF-8, for every topic and schema. */
  readonly keepsText?: boolean
  /** Whether bytes stay as they are, for every topic and schema. */
  readonly keepsBytes?: boolean
  configure(config: Readonly<Record<string, string>>, isKey: boolean): void
  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null
  toConnectData(topic: string, value: Uint8Array | null): SchemaAndValue
}

export interface HeaderConverter {
  configure(config: Readonly<Record<string, string>>): void
  fromConnectHeader(topic: string, name: string, schema: Schema | null, value: unknown): Uint8Array | null
  toConnectHeader(topic: string, name: string, value: Uint8Array | null): SchemaAndValue
}
