import type { ConnectError, SourceOffset, SourcePartition, SourceRecord } from '@tributary/connect-api'
import type { SqsApi } from './aws/sqs-api.ts'
import type { Queue, SqsMessage } from './message.ts'
import { Histogram, PROCESSING_BOUNDS_MS } from './histogram.ts'

/** Where a record stands in the offsets of its queue. */
export interface Place {
  readonly sourcePartition: SourcePartition
  readonly sourceOffset: SourceOffset
}

/** What a converter makes of a message: the value of its record, and whatever else the record's maker needs. */
export interface ConvertedMessage {
  readonly value: unknown
}

/**
 * Converts messages. Throws, or rejects with, a DataError for a bad message, a RetriableError for an outage of a system that the
 * message points to, a ConfigError if a user must change something.
 */
export interface Conversion {
  convert(message: SqsMessage, signal: AbortSignal): ConvertedMessage | Promise<ConvertedMessage>
}

/** Why a message becomes a dead letter. */
export interface DeadLetterCause {
  readonly error: ConnectError
  /** Conversions tried again after the first failure. */
  readonly retries: number
  readonly maxRetries: number
}

/** Makes the records of messages. Must not throw. */
export interface RecordMaker {
  record(message: SqsMessage, converted: ConvertedMessage, place: Place): SourceRecord
  /** A record with an `error`, which the runtime's error handling takes: to `dlq.topic` if that is set. */
  deadLetter(message: SqsMessage, cause: DeadLetterCause, place: Place): SourceRecord
}

/** What becomes of a message that the filter policy does not match. */
export type Unmatched = 'keep' | 'delete' | 'dlq'

export interface MessageFilter {
  matches(message: SqsMessage): boolean
  readonly unmatched: Unmatched
}

/** The queues that the task reads. Names and prefixes are looked up again, since queues come and go. */
export interface QueueList {
  resolve(signal: AbortSignal): Promise<readonly Queue[]>
  /** ms between two looks; null: the list never changes. */
  readonly lookAgainMs: number | null
  /** Whether only a prefix names the queue, so that it may be deleted without anything being wrong. */
  mayGo(url: string): boolean
}

export interface SqsTaskOptions {
  /** Messages of one ReceiveMessage: 1 to 10. */
  readonly maxMessages: number
  /** Long poll of an idle queue, in s: 0 to 20. */
  readonly waitSeconds: number
  /** In s, to 43,200; 0: the queue's own. The task extends the timeout of what it holds. */
  readonly visibilitySeconds: number
  /** Most receives at a time (≥ 1), but each queue has one. */
  readonly maxLanes: number
  /** Shortest time in ms from a receive that brought nothing to the next one. */
  readonly pollIntervalMs: number
  /** `mirror`: each message becomes a record once, and is returned to its queue. */
  readonly mode: 'consume' | 'mirror'
  /** False: no message is deleted; each comes again after its visibility timeout. */
  readonly deleteMessages: boolean
  /** `message.claimcheck.parallel.max`: conversions at a time that wait for another system (≥ 1). */
  readonly maxConversions: number
  /** Conversions tried again after the first failure of a message (≥ 0). */
  readonly maxRetries: number
  /** First wait before a conversion is tried again, in ms; it doubles, with 30 % jitter, up to ten minutes. */
  readonly retryBackoffMs: number
  /** Whether a message whose retries are used up becomes a dead letter. False: the message goes back to its queue. */
  readonly deadLetters: boolean
  /** Removes duplicates of FIFO queues. */
  readonly deduplicate: boolean
  /** `sqs.fifo.deduplication.window.ms` (≥ 0). */
  readonly deduplicationWindowMs: number
  /** Bounds of what waits in the task: messages, bytes, and messages of one poll. */
  readonly maxRecords: number
  readonly maxBytes: number
  readonly maxPollRecords: number
}

/** Counters of a task beside TaskStats, which metrics show. */
export interface SqsCounters {
  /** Receives, answered or not, and those that brought nothing. */
  receives: number
  emptyReceives: number
  sent: number
  deleted: number
  /** Conversions that failed, and those that were tried again. */
  failed: number
  retried: number
  deadLettered: number
  deduplicated: number
  filtered: number
  /** Messages that were returned to their queue, at once or later. */
  returned: number
  /** Messages whose receipt handle expired before they were deleted. */
  expired: number
  /** Visibility timeouts extended. */
  extended: number
  /** ms from receive to Kafka's acknowledgement. */
  readonly processing: Histogram
}

/** The parts of a task. The start of the task makes them. */
export interface SqsTaskParts {
  readonly api: SqsApi
  readonly queues: QueueList
  readonly converter: Conversion
  readonly filter: MessageFilter | null
  readonly records: RecordMaker
  readonly options: SqsTaskOptions
  readonly counters: SqsCounters
  /** Previews only: returns all messages of the run to their queues, at once. Does not reject. */
  readonly giveBack?: () => Promise<void>
  /** Previews only: what became of the messages that could not be returned, in a sentence; null: there are none. */
  readonly notGivenBack?: () => string | null
}

export function createCounters(): SqsCounters {
  return {
    receives: 0,
    emptyReceives: 0,
    sent: 0,
    deleted: 0,
    failed: 0,
    retried: 0,
    deadLettered: 0,
    deduplicated: 0,
    filtered: 0,
    returned: 0,
    expired: 0,
    extended: 0,
    processing: new Histogram(PROCESSING_BOUNDS_MS),
  }
}
