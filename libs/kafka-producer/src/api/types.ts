import type { DataError } from '@tributary/connect-api'
import type { PackedProducerRecords } from './packed.ts'
import type { ProducerRecord } from './record.ts'

/** What `send` takes: a record, or many of one partition. */
export type Sendable = ProducerRecord | PackedProducerRecords

/**
 * The result of a send. Every record is either written or named in `failures`. `index` counts the records of the send from 0,
 * those in packs one by one.
 */
export interface ProduceResult {
  /** The offset of record `index`; null when it failed, -1n when it is written and the broker no longer knows where. */
  offset(index: number): bigint | null
  /** The records that the broker refused, such as `RECORD_TOO_LARGE`. All others were written. */
  readonly failures: readonly ProduceFailure[]
}
/** Learns the outcome of a send: one of the calls, once, after `sendTo` has returned. They must not throw. */
export interface SendListener {
  sent(result: ProduceResult): void
  notSent(reason: unknown): void
}
export interface ProduceFailure {
  readonly index: number
  readonly error: DataError
}

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface ProducerOptions {
  /** When set, the producer is transactional, and `start` fences every earlier producer of this id (KIP-98). */
  readonly transactionalId?: string
  /** ms after which the broker aborts an open transaction (default 60000). */
  readonly transactionTimeoutMs?: number
  readonly compression?: Compression
  /** Bytes of a request for one partition, at most (default 1 MB). A larger batch is split. */
  readonly maxRequestBytes?: number
  /** Records of a request for one partition, at most (default 5000). */
  readonly maxRequestRecords?: number
  /** ms that records wait for others that may share their request, unless they fill one (default 0). */
  readonly lingerMs?: number
  /** ms after which a request without an answer has failed (default 30000). */
  readonly requestTimeoutMs?: number
  /**
   * Called before each produce request, also before retries. When it returns false, nothing is sent, and it is called
   * again after `retryBackoffMs`. For callers that may lose the right to write while records wait here, or while the
   * whole process stands still. Default: always true.
   */
  readonly maySend?: () => boolean
  /**
   * The first wait before a retry in ms (default 100). It doubles up to ten times that, with jitter. Retries go on
   * until `signal` aborts.
   */
  readonly retryBackoffMs?: number
  /** Called once when an outage starts and once when it ends. */
  readonly onOutage?: (state: 'down' | 'up', error: Error | null) => void
}

/**
 * An idempotent producer with acks=all. It keeps the order of each partition: at most one request for a partition is in
 * flight, and records that arrive meanwhile leave together in the next one. It retries an outage until
 * `signal` aborts. No acknowledged record is lost. No record is written twice within the life of a producer, unless the
 * broker itself forgot the producer.
 *
 * Every call throws `PRODUCER_FENCED` after another producer with the same transactional id has started, after the broker
 * aborted the transaction by its timeout, and when the end of a transaction is in doubt. Discard the producer then; the start
 * of a new one settles what was left open.
 */
export interface KafkaProducer {
  readonly driver: 'tributary' | 'kafkajs'
  /**
   * Connects and takes a producer id. With a transactional id `start` fences the earlier producer of the id. Retries an
   * outage until `signal` aborts.
   */
  start(signal: AbortSignal): Promise<void>
  /**
   * The number of partitions of a topic, cached for 5 minutes. Never creates the topic. Throws an error with code
   * `UNKNOWN_TOPIC_OR_PARTITION` when the topic does not exist.
   */
  partitionCount(topic: string, signal: AbortSignal): Promise<number>
  /**
   * Sends records and resolves when every record is written or refused. Several sends may be under way. With a
   * transactional id only inside a transaction. Rejects with the reason of the signal, or with an error of `producerErrors`
   * or of Kafka.
   */
  send(records: readonly Sendable[], signal: AbortSignal): Promise<ProduceResult>
  /** As `send`, without a promise: for callers with many sends of few records. Throws what `send` rejects with at once. */
  sendTo(listener: SendListener, records: readonly Sendable[], signal: AbortSignal): void
  /** For transactional producers only. One transaction at a time. */
  beginTransaction(): void
  /**
   * Waits for the sends, then commits. When it rejects, the transaction is already aborted, except for
   * `PRODUCER_FENCED`. A
   * signal that aborts while the broker is asked leaves the outcome in doubt: later calls throw `PRODUCER_FENCED`.
   */
  commitTransaction(signal: AbortSignal): Promise<void>
  /** Rejects the sends under way and aborts the transaction. Does nothing without an open transaction. */
  abortTransaction(signal: AbortSignal): Promise<void>
  /** Bytes handed to `send` and not settled yet. */
  readonly inFlightBytes: number
  /** Closes the connections. Does not wait for sends: settle them first. Idempotent. */
  close(): Promise<void>
}
