import { type DataError, errorKind, type TaskContext } from '@tributary/connect-api'
import { sqsErrors, textOf } from '../errors.ts'
import { Groups } from '../fifo/groups.ts'
import type { Queue, SqsMessage } from '../message.ts'
import type { Delivery } from '../settle/delivery.ts'
import { MAX_HIDDEN_MS } from '../settle/visibility.ts'
import type { ConvertedMessage, SqsTaskParts } from '../task-parts.ts'
import type { Conversions } from './conversions.ts'
import { Retries } from './retries.ts'

/** Health tells of messages that went back for this many ms. Later the queue's own dead-letter queue may have them. */
const REFUSED_SHOWN_MS = 3_600_000

export interface PreparerOptions {
  readonly queue: Queue
  readonly parts: Pick<SqsTaskParts, 'filter' | 'options' | 'counters'>
  readonly context: Pick<TaskContext, 'clock' | 'log'>
  readonly conversions: Conversions
  readonly visibilitySeconds: number
  /** Whether Kafka has the message already. */
  readonly isDuplicate: (message: SqsMessage) => boolean
  /** These can be polled: converted, or dead letters. */
  readonly onReady: (deliveries: Delivery[]) => void
  /** Kafka has the message already. */
  readonly onDuplicate: (delivery: Delivery) => void
  /** The message is to be deleted although no record was made of it. */
  readonly onDelete: (delivery: Delivery) => void
  /** These go back to the queue, which shows them after so many seconds. */
  readonly onReturn: (deliveries: readonly Delivery[], visibilitySeconds: number) => void
  /** The task cannot go on. */
  readonly onFailure: (error: unknown) => void
}

/** Filters and converts the messages of one queue. A message that cannot be converted is tried again; later ones of its group wait. */
export class Preparer {
  readonly #options: PreparerOptions
  readonly #groups: Groups | null
  readonly #retries: Retries
  /** Where messages go that are ready at once; null: none are being prepared. */
  #collecting: Delivery[] | null = null
  /** Why messages wait to be converted; null: none do. */
  #outage: unknown = null
  /** Messages that went back because their retries were used up, and the error of the last one. */
  #refused = 0
  #lastRefusal: unknown = null
  #refusedAt = -Infinity

  constructor(options: PreparerOptions) {
    const { queue, context, parts } = options
    this.#options = options
    this.#groups = queue.fifo ? new Groups() : null
    this.#retries = new Retries(context.clock, parts.options.retryBackoffMs, (delivery) => this.#convert(delivery))
  }

  /** Calls `onReady` once for all messages that are ready at once. */
  prepare(deliveries: readonly Delivery[]): void {
    const ready: Delivery[] = (this.#collecting = [])
    // All of a group are there before the first is converted, as they share its fate if it goes back.
    const first = this.#groups === null ? deliveries : deliveries.filter((delivery) => this.#enters(delivery))
    for (const delivery of first) if (this.#groups !== null || this.#passes(delivery)) this.#convert(delivery)
    this.#collecting = null
    if (ready.length > 0) this.#options.onReady(ready)
  }

  /** These are not the task's any more. */
  forget(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      this.#retries.delete(delivery)
      this.#groups?.leave(delivery)
    }
  }

  close(): void {
    this.#retries.close()
    this.#groups?.clear()
  }

  /** Sentences for health. */
  cautions(): string[] {
    const { name } = this.#options.queue
    const cautions: string[] = []
    if (this.#outage !== null && this.#retries.size > 0) {
      cautions.push(`${this.#retries.size} messages of queue ${name} wait to be converted: ${textOf(this.#outage)}.`)
    }
    if (this.#options.context.clock.monotonic() - this.#refusedAt < REFUSED_SHOWN_MS) {
      const why = textOf(this.#lastRefusal)
      cautions.push(`${this.#refused} messages went back to queue ${name} after their retries, the last one: ${why}.`)
    }
    return cautions
  }

  #enters(delivery: Delivery): boolean {
    return this.#passes(delivery) && this.#groups!.enter(delivery)
  }

  /** Whether the message is to be converted. If not, it is dealt with. */
  #passes(delivery: Delivery): boolean {
    const { parts, isDuplicate, onDuplicate } = this.#options
    const message = delivery.message!
    if (parts.filter !== null && !parts.filter.matches(message)) this.#unmatched(delivery)
    else if (isDuplicate(message)) onDuplicate(delivery)
    else return true
    return false
  }

  #unmatched(delivery: Delivery): void {
    const { parts, onDelete, onReturn } = this.#options
    const { unmatched } = parts.filter!
    parts.counters.filtered++
    if (unmatched === 'delete') return onDelete(delivery)
    if (unmatched === 'keep') return onReturn([delivery], this.#laterSeconds(delivery))
    const error = sqsErrors.SQS_UNMATCHED(`message ${delivery.id} does not match the filter policy`)
    this.#toDeadLetters(delivery, error, 0)
  }

  #convert(delivery: Delivery): void {
    this.#options.conversions.convert(delivery, this.#converted)
  }

  readonly #converted = (delivery: Delivery, converted: ConvertedMessage | null, error?: unknown): void => {
    // It was given back in the meantime, and its group with it.
    if (delivery.state !== 'waiting') return
    if (converted === null) return this.#notConverted(delivery, error)
    if (delivery.outages > 0) this.#outage = null
    delivery.converted = converted
    this.#ready(delivery)
  }

  #notConverted(delivery: Delivery, error: unknown): void {
    const { parts, onFailure } = this.#options
    const { counters, options } = parts
    const kind = errorKind(error)
    if (kind === 'retriable') {
      delivery.outages++
      this.#outage = error
      return this.#retries.add(delivery, 'outage')
    }
    if (kind !== 'data') return onFailure(error)
    counters.failed++
    if (++delivery.failures <= options.maxRetries) {
      counters.retried++
      return this.#retries.add(delivery, 'failure')
    }
    if (options.deadLetters) return this.#toDeadLetters(delivery, error as DataError, options.maxRetries)
    this.#refuse(delivery, error)
  }

  #toDeadLetters(delivery: Delivery, error: DataError, retries: number): void {
    const { counters, options } = this.#options.parts
    counters.deadLettered++
    delivery.deadLetter = { error, retries, maxRetries: options.maxRetries }
    this.#ready(delivery)
  }

  /** The message goes back, as its retries are used up. Its queue's redrive policy decides; a group of a FIFO queue waits for it. */
  #refuse(delivery: Delivery, error: unknown): void {
    const { queue, context, onReturn } = this.#options
    const seconds = this.#laterSeconds(delivery)
    this.#refused++
    this.#lastRefusal = error
    this.#refusedAt = context.clock.monotonic()
    context.log.warn('message_returned', {
      message: `Failed to convert SQS message: ${delivery.id}`,
      queue_url: queue.url,
      message_id: delivery.id,
      visible_in_seconds: seconds,
      error,
    })
    const later = this.#groups?.leave(delivery) ?? []
    onReturn([delivery], seconds)
    onReturn(later, 0)
  }

  #ready(delivery: Delivery): void {
    delivery.state = 'ready'
    if (this.#collecting !== null) this.#collecting.push(delivery)
    else this.#options.onReady([delivery])
    const next = this.#groups?.next(delivery) ?? null
    if (next !== null) this.#convert(next)
  }

  /** The visibility timeout that a message goes back with: it doubles with each receive, up to the twelve hours that SQS allows. */
  #laterSeconds({ message, receivedAt }: Delivery): number {
    const { visibilitySeconds, context } = this.#options
    const receives = Number(message?.system['ApproximateReceiveCount'] ?? 1)
    const seconds = Math.max(1, visibilitySeconds) * 2 ** Math.min(30, Math.max(0, receives - 1))
    const allowedMs = receivedAt + MAX_HIDDEN_MS - context.clock.monotonic()
    return Math.max(0, Math.min(seconds, Math.floor(allowedMs / 1000)))
  }
}
