import type { Queue, SqsMessage } from '../message.ts'

/** One ReceiveMessage. */
export interface ReceiveRequest {
  /** 1 to 10. */
  readonly maxMessages: number
  /** How long SQS waits for a message, in s: 0 (short polling, which may miss messages) to 20. */
  readonly waitSeconds: number
  /** How long the messages are hidden from other receivers, in s: 0 to 43,200. */
  readonly visibilitySeconds: number
  /**
   * FIFO queues: a second request with the same id, within five minutes, gets the messages that the answer to the first one held
   * (SQS API reference, ReceiveRequestAttemptId). Absent: the request has no id.
   */
  readonly attemptId?: string
}

/** A message that stays hidden for `visibilitySeconds` from now on (0 to 43,200); 0 returns it to the queue. */
export interface VisibilityChange {
  readonly receiptHandle: string
  readonly visibilitySeconds: number
}

/**
 * Why SQS refused one entry of a batch. `gone`: the receipt handle has expired or is not in flight any more, so that the message is
 * SQS's again or deleted. `retriable`: throttled, or an error of SQS's own. `refused`: another try cannot succeed.
 */
export interface EntryFailure {
  /** The place of the entry in the request, from 0. */
  readonly index: number
  readonly reason: 'gone' | 'retriable' | 'refused'
  /** SQS's code, such as ReceiptHandleIsInvalid. */
  readonly code: string
  readonly message: string
}

/**
 * The calls of SQS that the source makes. A request that fails as a whole rejects with a ConnectError of one of the four kinds, once
 * the SDK has tried it again; an aborted one rejects with the signal's reason. A batch has 1 to 10 entries.
 */
export interface SqsApi {
  /** Resolves with the messages in the order of the answer; [] when none came. Which attributes come was set when the client was made. */
  receive(queue: Queue, request: ReceiveRequest, signal: AbortSignal): Promise<SqsMessage[]>
  /** DeleteMessageBatch. Resolves with the entries that failed, [] when none did. */
  deleteBatch(queue: Queue, receiptHandles: readonly string[], signal: AbortSignal): Promise<EntryFailure[]>
  /** ChangeMessageVisibilityBatch. Resolves with the entries that failed, [] when none did. */
  changeVisibilityBatch(
    queue: Queue,
    changes: readonly VisibilityChange[],
    signal: AbortSignal,
  ): Promise<EntryFailure[]>
  /** GetQueueUrl. Rejects with a ConfigError when there is no such queue. */
  queueUrl(name: string, signal: AbortSignal): Promise<string>
  /** GetQueueAttributes, by their names in the API (`RedrivePolicy`, `ApproximateNumberOfMessages`, …). */
  queueAttributes(
    url: string,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string | undefined>>>
  /** ListQueues, all pages: the URLs of the queues whose names begin with `prefix`. */
  listQueues(prefix: string, signal: AbortSignal): Promise<string[]>
  /** Closes idle connections. Requests under way end first. Idempotent. */
  close(): void
}
