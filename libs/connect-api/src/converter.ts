import type { ConnectRecord } from './record.ts'
import type { Schema } from './schema.ts'

export interface SchemaAndValue {
  readonly schema: Schema | null
  readonly value: unknown
}

/**
 * Thrown by a converter that must wait before it can convert: a schema registry has to be asked, or a package loaded. The caller
 * awaits `ready`, once for a batch, and converts the record again. `ready` rejects with RetriableError for an outage, which the caller
 * waits out, DataError for a record that the registry refuses, and ConfigError.
 */
export class NotReadyError extends Error {
  /** What the converter waits for, for logs and health: `the schema registry http://…`. */
  readonly what: string
  readonly ready: (signal: AbortSignal) => Promise<void>

  constructor(what: string, ready: (signal: AbortSignal) => Promise<void>) {
    super(`the converter waits for ${what}`)
    this.name = 'NotReadyError'
    this.what = what
    this.ready = ready
  }
}

/** Converts Connect data to bytes and back. Throws DataError for a value that does not fit, and NotReadyError. */
export interface Converter {
  /** Whether a string becomes exactly its UTF-8, for every topic and schema. */
  readonly keepsText?: boolean
  /** Whether bytes stay as they are, for every topic and schema. */
  readonly keepsBytes?: boolean
  configure(config: Readonly<Record<string, string>>, isKey: boolean): void
  /**
   * Called after `configure` for a preview: what the converter writes is shown, and goes nowhere. From then on it changes nothing
   * elsewhere, and tells, in a sentence each, what it would have changed. Absent: it never does.
   */
  readOnly?(told: (what: string) => void): void
  /** `record`: the record with the value, for what its other parts say (KIP-440 gives a converter the headers). */
  fromConnectData(topic: string, schema: Schema | null, value: unknown, record?: ConnectRecord): Uint8Array | null
  /** Headers that Kafka must carry with the value, each a text. They replace those of the record with the same names. */
  headersOf?(record: ConnectRecord): ReadonlyMap<string, string>
  /** `headers`: as Kafka has them. */
  toConnectData(
    topic: string,
    value: Uint8Array | null,
    headers?: readonly (readonly [name: string, value: Uint8Array | null])[],
  ): SchemaAndValue
}

export interface HeaderConverter {
  configure(config: Readonly<Record<string, string>>): void
  fromConnectHeader(topic: string, name: string, schema: Schema | null, value: unknown): Uint8Array | null
  toConnectHeader(topic: string, name: string, value: Uint8Array | null): SchemaAndValue
}
