import type { DataError } from './errors.ts'
import type { Schema } from './schema.ts'

/**
 * The stream from which a record came, such as `{grpc_server, grpc_method}`. All records of a stream share one object,
 * which is compared by identity.
 */
export type SourcePartition = Readonly<Record<string, string | number | bigint | boolean | null>>
/** The position of a record in its stream. Integers above 2^53 are bigint. */
export type SourceOffset = Readonly<Record<string, string | number | bigint | boolean | null>>

/** A header. Its value is written like Connect's SimpleHeaderConverter writes it: text as UTF-8, bytes unchanged. */
export interface Header {
  readonly name: string
  readonly value: unknown
  readonly schema?: Schema | null
}

/** What transformations, predicates and converters see of a record, whether a source or Kafka gave it. */
export interface ConnectRecord {
  readonly topic: string
  /** The Kafka partition. Undefined: chosen by the key (Java's murmur2), or sticky without a key. */
  readonly partition?: number | undefined
  readonly key: unknown
  readonly keySchema?: Schema | null
  readonly value: unknown
  readonly valueSchema?: Schema | null
  readonly headers?: readonly Header[] | undefined
  /** In ms since the epoch; null: the time of producing. */
  readonly timestamp: number | null
}

/** A record from a source. */
export interface SourceRecord extends ConnectRecord {
  readonly sourcePartition: SourcePartition
  readonly sourceOffset: SourceOffset
  /** The original bytes from the source, kept for the dead-letter queue. */
  readonly original?: Uint8Array | undefined
  /** True if `value` is a string and `original` is its UTF-8, so that a converter need not encode the string again. */
  readonly originalIsText?: boolean
  /**
   * Set when the source could not decode the record. `value` is then null, and the record is handled like a failed
   * conversion (`errors.tolerance`).
   */
  readonly error?: DataError | undefined
  /** What `SourceTask.redeliver` needs to know beside the bytes and the headers of a dead letter. No secrets. Absent: nothing. */
  readonly received?: Readonly<Record<string, string>> | undefined
  /**
   * The source's own dead-letter topic, such as `dlq.topic`: the record becomes a dead letter there when it is bad, whatever
   * `errors.tolerance` says. Absent: the settings of Kafka Connect decide.
   */
  readonly deadLetter?: SourceDeadLetter | undefined
}

/** Where a source wants a bad record of its own, and the headers that stand there in place of the record's. One object for all records. */
export interface SourceDeadLetter {
  readonly topic: string
  headers(record: SourceRecord, error: unknown): readonly Header[]
}

/** The place where the broker stored a record. `timestamp` in ms. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: number
}
