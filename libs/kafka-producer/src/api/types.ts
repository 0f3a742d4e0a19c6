/** One record as bytes, partition decided. Timestamp in whole ms since the epoch. The bytes must not change until the send is settled. */
export interface ProducerRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly (readonly [name: string, value: Uint8Array | null])[] | undefined
  readonly timestamp: number
}

/** What became of a batch of records. Every record is either kept by the broker or named in `failures`. */
export interface ProduceResult {
  /** Offset of the i-th record sent; null when it failed, -1n when it is kept and the broker no longer knows where. */
  offset(index: number): bigint | null
  /** Records that the broker (or the codec) refused by themselves, `RECORD_TOO_LARGE`; all others were kept. */
  readonly failures: readonly ProduceFailure[]
}
export interface ProduceFailure {
  readonly index: number
  /** A ConnectError-like error of kind `data`, `code` set. */
  readonly error: Error & { readonly code: string; readonly kind: 'data' }
}

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface ProducerOptions {
  /** Set: transactional, and `start` fences every former producer of this id (KIP-98). */
  readonly transactionalId?: string
  /** ms until the broker aborts an open transaction (default 60000). */
  readonly transactionTimeoutMs?: number
  readonly compression?: Compression
  /** Bytes of a request to one partition at most (default 1 MiB minus headroom). A larger batch is split. */
  readonly maxRequestBytes?: number
  /** Number of records handed to one request (default 5000). */
  readonly maxRequestRecords?: number
  /** ms before a request that got no answer counts as failed (default 30000). */
  readonly requestTimeoutMs?: number
  /**
   * Asked before each produce request, retries too. False: nothing is sent, and it is asked again after `retryBackoffMs`: for
   * who may lose the right to write while records wait, or while the whole process stands still. Default: always true.
   */
  readonly maySend?: () => boolean
  /** First wait before a retry in ms (default 100); doubles to 10 times that, with jitter. Retries go on until `signal`. */
  readonly retryBackoffMs?: number
  /** Called once when an outage starts and once when it ends, for the log. */
  readonly onOutage?: (state: 'down' | 'up', error: Error | null) => void
}

/**
 * Thrown by every call once another producer with the same transactional id has started, the broker gave the transaction
 * up after its timeout, or the end of a transaction is in doubt. The producer is of no more use; a new one's start settles
 * what was left open.
 */
export interface FencedError extends Error {
  readonly code: 'PRODUCER_FENCED'
}

/**
 * An idempotent producer of one task (design: components, record path). acks=all. Keeps order per partition: at most one
 * request in flight a partition; what arrives meanwhile leaves together with the next one (linger 0). An outage is retried
 * without end until `signal` aborts; nothing acknowledged is lost, nothing is kept twice within one producer's life unless
 * the broker itself forgot the producer.
 */
export interface KafkaProducer {
  readonly driver: 'platformatic' | 'kafkajs'
  /** Connects and takes a producer id; with a transactional id fences the former holder. Retries an outage until `signal`. */
  start(signal: AbortSignal): Promise<void>
  /** Number of partitions of a topic, cached for 5 minutes. Throws an error with code `UNKNOWN_TOPIC_OR_PARTITION` when it is not there (never creates). */
  partitionCount(topic: string, signal: AbortSignal): Promise<number>
  /** Sends and resolves once every record is kept or refused. Several sends may be under way. With a transactional id only inside a transaction. Rejects with the signal's reason, FencedError or a fatal error. */
  send(records: readonly ProducerRecord[], signal: AbortSignal): Promise<ProduceResult>
  /** Transactional only; one at a time. */
  beginTransaction(): void
  /**
   * Waits for the sends, then commits. On rejection the outcome is an abort, done already, unless FencedError; a signal
   * that aborts while the broker is asked leaves the outcome in doubt, and FencedError for the calls that follow.
   */
  commitTransaction(signal: AbortSignal): Promise<void>
  /** Rejects the sends under way and aborts. Without an open transaction it does nothing. */
  abortTransaction(signal: AbortSignal): Promise<void>
  /** Bytes handed to `send` and not yet settled. */
  readonly inFlightBytes: number
  /** Waits for nothing: settle sends first. Idempotent. */
  close(): Promise<void>
}
