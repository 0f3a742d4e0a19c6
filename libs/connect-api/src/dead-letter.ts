import type { Header, SourceOffset, SourcePartition } from './record.ts'

/** Why a record became a dead letter: the class that operators filter by. */
export const ERROR_TYPES = [
  'SCHEMA_MISMATCH',
  'TYPE_CONVERSION_ERROR',
  'CONSTRAINT_VIOLATION',
  'NETWORK_TIMEOUT',
  'AUTH_ERROR',
  'SERIALIZATION_ERROR',
  'VALIDATION_ERROR',
  'POISON_PILL',
  'UNKNOWN',
] as const
export type ErrorType = (typeof ERROR_TYPES)[number]

/** What the headers of a dead letter tell about its failure. Kafka Connect's headers have `__connect.errors.` before their names. */
export interface DeadLetterContext {
  readonly connector: string | null
  readonly task: number | null
  /** Of the record that failed, before the transforms; null if the headers do not say. */
  readonly topic: string | null
  readonly partition: number | null
  /** Of a record that a sink read; null for a record of a source. */
  readonly offset: bigint | null
  /** Kafka Connect's, such as TRANSFORMATION. */
  readonly stage: string | null
  /** The class that failed. */
  readonly className: string | null
  readonly exceptionClass: string | null
  readonly message: string | null
  readonly trace: string | null
  readonly errorType: ErrorType
  /** Times that the failed step was tried again before the record became a dead letter; null if the headers do not say. */
  readonly retries: number | null
  /** When the record became a dead letter, in ms since the epoch; null if the headers do not say. */
  readonly failedAt: number | null
  /** Of the record of a source. */
  readonly sourcePartition: SourcePartition | null
  readonly sourceOffset: SourceOffset | null
  /** `SourceRecord.received` of the record; null for none. */
  readonly received: Readonly<Record<string, string>> | null
  /** The value is the first part of a larger one. */
  readonly cut: { readonly size: number; readonly sha256: string } | null
  /** The trace id of the record's `traceparent`, 32 hexadecimal digits; null without one. */
  readonly traceId: string | null
}

/** A record of a dead-letter topic. */
export interface DeadLetter {
  readonly key: Uint8Array | null
  /** The bytes that the source received. */
  readonly value: Uint8Array | null
  /** The record's own, without those of the context. */
  readonly headers: readonly Header[]
  /** Of the record, in ms since the epoch. */
  readonly timestamp: number
  readonly context: DeadLetterContext
}

/** The header of a record that a replay has written: the id of the replay. */
export const REPLAY_HEADER = '__tributary.replay'
