import type { Queue, SqsMessage } from '../message.ts'
import type { ConvertedMessage, DeadLetterCause } from '../task-parts.ts'

/**
 * `waiting`: to be converted, or to be tried again. `ready`: in the task's queue. `polled`: on its way to Kafka. `done`: Kafka has it,
 * and SQS is to be told. `over`: nothing is left to do, or the message is SQS's again.
 */
export type DeliveryState = 'waiting' | 'ready' | 'polled' | 'done' | 'over'

/** One message that the task holds, from its receive until SQS has it back or has deleted it. */
export class Delivery {
  readonly queue: Queue
  readonly id: string
  /** Of a FIFO queue; null otherwise. */
  readonly group: string | null
  /** null once Kafka has the message, so that its body is not kept until it is deleted. */
  message: SqsMessage | null
  /** Of the last receive: SQS takes no older one for certain. */
  receiptHandle: string
  state: DeliveryState = 'waiting'
  converted: ConvertedMessage | null = null
  /** Set if the message is to become a dead letter. */
  deadLetter: DeadLetterCause | null = null
  /** Conversions that failed: because of the message, and because of an outage. */
  failures = 0
  outages = 0
  /** What the message counts in the room of the task, in bytes. */
  bytes: number
  /** Counted in the room of the task. */
  inRoom = false
  /** What of it is counted there as converted. */
  readyBytes = 0
  /** When SQS shows the message to other readers, at the earliest; ms of the monotonic clock. */
  hiddenUntil: number
  /** ms of the monotonic clock. */
  readonly receivedAt: number
  /** The answer that the message's visibility timeout is extended with; null: it is not. */
  answer: Answer | null = null

  constructor(message: SqsMessage, receivedAt: number, hiddenUntil: number) {
    this.queue = message.queue
    this.id = message.id
    this.group = message.queue.fifo ? (message.system['MessageGroupId'] ?? message.id) : null
    this.message = message
    this.receiptHandle = message.receiptHandle
    this.bytes = message.body.length
    this.receivedAt = receivedAt
    this.hiddenUntil = hiddenUntil
  }
}

/** Messages whose timeout is extended together. */
export class Answer {
  readonly deliveries: readonly Delivery[]
  /** Those of them that the task still holds. */
  pending: number
  /** ms of the monotonic clock. */
  extendAt: number

  constructor(deliveries: readonly Delivery[], extendAt: number) {
    this.deliveries = deliveries
    this.pending = deliveries.length
    this.extendAt = extendAt
    for (const delivery of deliveries) delivery.answer = this
  }
}
