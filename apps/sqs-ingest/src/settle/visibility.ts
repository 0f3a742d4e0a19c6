import { Alarm, type Clock } from '@tributary/async'
import { ConnectError, errorKind } from '@tributary/connect-api'
import type { EntryFailure, SqsApi } from '../aws/sqs-api.ts'
import type { Queue } from '../message.ts'
import { Answer, type Delivery } from './delivery.ts'

/** SQS hides a message at most this long after its receive, in ms (SQS API reference, ChangeMessageVisibility). */
export const MAX_HIDDEN_MS = 12 * 3600 * 1000
const BATCH = 10
/** Requests that extend timeouts at a time: there are many when Kafka has been away for long. */
const MAX_CONCURRENT = 4
/** Shortest time in ms between two looks at what is due. */
const LOOK_MS = 100
const RETRY_MIN_MS = 200
const RETRY_MAX_MS = 5000

export interface VisibilityOptions {
  readonly api: Pick<SqsApi, 'changeVisibilityBatch'>
  readonly queue: Queue
  /** `sqs.visibility.timeout.seconds`. */
  readonly visibilitySeconds: number
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly counters: { extended: number }
  /** SQS shows the message to other readers again. */
  readonly onLost: (delivery: Delivery) => void
}

/**
 * Keeps the messages that the task holds hidden from other readers: at half of the visibility timeout it is set anew, ten messages a
 * request, for twelve hours at most. A request that fails is made again in time before the timeout ends.
 */
export class Visibility {
  readonly #options: VisibilityOptions
  readonly #alarm: Alarm
  readonly #timeoutMs: number
  /** In the order in which they were made; those of the same age have the same `extendAt`. */
  readonly #answers = new Set<Answer>()
  /** Why SQS refuses to extend timeouts, such as a missing permission; null: it does not. */
  refusal: ConnectError | null = null

  constructor(options: VisibilityOptions) {
    this.#options = options
    this.#timeoutMs = options.visibilitySeconds * 1000
    this.#alarm = new Alarm(options.clock, () => void this.#extendDue())
  }

  /** Extends the timeout of these until `forget`. They were hidden at `hiddenAt`, ms of the monotonic clock. */
  hold(deliveries: readonly Delivery[], hiddenAt: number): void {
    if (this.#timeoutMs > 0) this.#add(new Answer(deliveries, hiddenAt + this.#timeoutMs / 2))
  }

  /** The message's timeout is extended no more. */
  forget(delivery: Delivery): void {
    const { answer } = delivery
    if (answer === null) return
    delivery.answer = null
    if (--answer.pending === 0) this.#answers.delete(answer)
  }

  close(): void {
    this.#alarm.close()
    this.#answers.clear()
  }

  #add(answer: Answer): void {
    this.#answers.add(answer)
    this.#alarm.set(answer.extendAt)
  }

  async #extendDue(): Promise<void> {
    const now = this.#options.clock.monotonic()
    const due: Delivery[] = []
    let next = Infinity
    for (const answer of this.#answers) {
      if (answer.extendAt > now) {
        next = Math.min(next, answer.extendAt)
        continue
      }
      this.#answers.delete(answer)
      for (const delivery of answer.deliveries) if (delivery.answer === answer) due.push(delivery)
    }
    if (next < Infinity) this.#alarm.set(Math.max(next, now + LOOK_MS))
    const batches: Delivery[][] = []
    for (let at = 0; at < due.length; at += BATCH) batches.push(due.slice(at, at + BATCH))
    // Each waits under a new answer, so that a request that hangs, or was not made yet, does not hide that it is due again.
    const answers = batches.map((batch) => new Answer(batch, now + this.#retryMs))
    for (const answer of answers) this.#add(answer)
    const extendNext = async (): Promise<void> => {
      for (let answer = answers.shift(); answer !== undefined; answer = answers.shift()) await this.#extend(answer)
    }
    await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT, answers.length) }, extendNext))
  }

  async #extend(answer: Answer): Promise<void> {
    const { api, queue, clock, signal, counters } = this.#options
    const now = clock.monotonic()
    const extended: Delivery[] = []
    const changes: { receiptHandle: string; visibilitySeconds: number }[] = []
    for (const delivery of answer.deliveries) {
      if (delivery.answer !== answer) continue
      const visibilitySeconds = Math.floor(Math.min(this.#timeoutMs, delivery.receivedAt + MAX_HIDDEN_MS - now) / 1000)
      // After twelve hours SQS shows the message to other readers, whatever is asked.
      if (visibilitySeconds < 1) this.forget(delivery)
      else {
        extended.push(delivery)
        changes.push({ receiptHandle: delivery.receiptHandle, visibilitySeconds })
      }
    }
    if (changes.length === 0) return
    let failures: readonly EntryFailure[]
    try {
      failures = await api.changeVisibilityBatch(queue, changes, signal)
      this.refusal = null
    } catch (error) {
      if (errorKind(error) !== 'retriable' && error instanceof ConnectError) this.refusal = error
      return
    }
    counters.extended += changes.length - failures.length
    const failed = new Map(failures.map((failure) => [failure.index, failure.reason]))
    answer.extendAt = now + this.#timeoutMs / 2
    this.#alarm.set(answer.extendAt)
    const again: Delivery[] = []
    for (const [i, delivery] of extended.entries()) {
      // A newer receive of the same message may have come in between.
      if (delivery.answer !== answer) continue
      const reason = failed.get(i)
      if (reason === undefined) delivery.hiddenUntil = now + changes[i]!.visibilitySeconds * 1000
      else if (reason !== 'gone') again.push(delivery)
      else if (delivery.receiptHandle === changes[i]!.receiptHandle) this.#options.onLost(delivery)
    }
    if (again.length === 0) return
    for (const delivery of again) this.forget(delivery)
    this.#add(new Answer(again, now + this.#retryMs))
  }

  get #retryMs(): number {
    return Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, this.#timeoutMs / 10))
  }
}
