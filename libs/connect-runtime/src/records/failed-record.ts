import type { SourceRecord } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'

/** Kafka Connect's names. TASK_POLL: the source could not read its own message. TASK_PUT: the sink's target refused the record. */
export type Stage =
  | 'TASK_POLL'
  | 'TRANSFORMATION'
  | 'KEY_CONVERTER'
  | 'VALUE_CONVERTER'
  | 'HEADER_CONVERTER'
  | 'KAFKA_PRODUCE'
  | 'KAFKA_CONSUME'
  | 'TASK_PUT'

interface Failure {
  readonly stage: Stage
  /** The class that failed; the header `__connect.errors.class.name` shows it. */
  readonly className: string
  readonly error: unknown
  /** Times that the step was tried again before; absent: 0. */
  readonly retries?: number
}

/** The record of a source, as the source returned it. */
export interface FailedRecord extends Failure {
  readonly record: SourceRecord
  /** The encoded record; absent when the failure came before the encoding was complete. */
  readonly encoded?: ProducerRecord
}

/** A record of Kafka that a sink cannot deliver. */
export interface FailedConsumed extends Failure {
  readonly consumed: ConsumedRecord
}

/** A record as Kafka has it. `timestamp`: in ms since the epoch; null: none. */
export interface ConsumedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [string, Uint8Array | null])[]
  readonly timestamp: number | null
}
