import type { DataError } from './errors.ts'
import type { Schema } from './schema.ts'

/** Which stream a record came from, `{grpc_server, grpc_method}`. Shared by all its records and compared by identity. */
export type SourcePartition = Readonly<Record<string, string | number | bigint | boolean | null>>
/** Where in its stream a record stands. Integers above 2^53 are bigint. */
export type SourceOffset = Readonly<Record<string, string | number | bigint | boolean | null>>

/** A header: its value as Connect's SimpleHeaderConverter would write it (text as UTF-8, bytes as they are). */
export interface Header {
  readonly name: string
  readonly value: unknown
  readonly schema?: Schema | null
}

/** What a source hands out. `timestamp` is in ms since the epoch; null: the time of producing. */
export interface SourceRecord {
  readonly sourcePartition: SourcePartition
  readonly sourceOffset: SourceOffset
  readonly topic: string
  /** Kafka partition, or undefined: by key (Java's murmur2), sticky without one. */
  readonly partition?: number | undefined
  readonly key: unknown
  readonly keySchema?: Schema | null
  readonly value: unknown
  readonly valueSchema?: Schema | null
  readonly headers?: readonly Header[] | undefined
  readonly timestamp: number | null
  /** The bytes as they came from the source, kept for the dead-letter queue. */
  readonly original?: Uint8Array | undefined
  /** `value` is a string, and `original` is its UTF-8: a converter that would encode it again need not. */
  readonly originalIsText?: boolean
  /** The source could not decode it: `value` is null, and this is handled like a failed conversion (`errors.tolerance`). */
  readonly error?: DataError | undefined
}

/** Where the broker put a record. `timestamp` in ms. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: number
}
