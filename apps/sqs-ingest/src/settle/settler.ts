import type { Clock } from '@tributary/async'
import { errorKind } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import type { EntryFailure, SqsApi } from '../aws/sqs-api.ts'
import type { Queue, SqsMessage } from '../message.ts'
import type { SqsCounters, SqsTaskOptions } from '../task-parts.ts'
import { Delivery } from './delivery.ts'
import { EntryBatches } from './entry-batches.ts'
import { Visibility } from './visibility.ts'

/** A DeleteMessageBatch is sent when it has ten messages, or when one of them has waited this long, in ms. */
const DELETE_MAX_AGE_MS = 200
/** The same for messages that go back. */
const RETURN_MAX_AGE_MS = 20
/** Requests of one kind under way for one queue. */
const MAX_CONCURRENT = 16
/** Tries to return a message. After them its visibility timeout returns it. */
const RETURN_TRIES = 3
/** The local clock calls a message visible this much before SQS does, in ms: an answer takes some time to arrive. */
const ANSWER_MS = 1000

export interface SettlerOptions {
  readonly api: SqsApi
  readonly queue: Queue
  readonly options: Pick<SqsTaskOptions, 'mode' | 'deleteMessages' | 'visibilitySeconds'>
  readonly clock: Clock
  readonly log: Logger
  readonly counters: SqsCounters
  /** Ends all requests. */
  readonly signal: AbortSignal
  /** SQS has answered the DeleteMessage of the message, or it will never be deleted. */
  readonly onSettled: (delivery: Delivery) => void
  /** SQS shows a message to other readers that was still to be delivered: it comes again. */
  readonly onLost: (delivery: Delivery) => void
  /** The task cannot go on: a user must change something. */
  readonly onFailure: (error: unknown) => void
}

interface Return {
  readonly delivery: Delivery
  readonly visibilitySeconds: number
  tries: number
}

/** What becomes of the messages of one queue: each is held until it is deleted, returned, or left to its visibility timeout. */
export class Settler {
  readonly held = new Map<string, Delivery>()
  readonly #options: SettlerOptions
  readonly #visibility: Visibility
  readonly #deletes: EntryBatches<Delivery>
  readonly #returns: EntryBatches<Return>

  constructor(options: SettlerOptions) {
    const { clock, queue, options: settings } = options
    this.#options = options
    const { visibilitySeconds } = settings
    const onLost = (delivery: Delivery): void => this.#lost(delivery)
    this.#visibility = new Visibility({ ...options, visibilitySeconds, onLost })
    // The next messages of a group wait for the delete, so a FIFO queue's deletes wait for no others while none is under way.
    const eager = queue.fifo
    const batches = { clock, eager }
    this.#deletes = new EntryBatches({
      ...batches,
      maxAgeMs: DELETE_MAX_AGE_MS,
      maxConcurrent: MAX_CONCURRENT,
      send: (deliveries) => this.#delete(deliveries),
    })
    this.#returns = new EntryBatches({
      ...batches,
      maxAgeMs: RETURN_MAX_AGE_MS,
      maxConcurrent: queue.fifo ? 1 : MAX_CONCURRENT,
      send: (returns) => this.#return(returns),
    })
  }

  /** Messages that Kafka has, and whose delete SQS has not answered. */
  get undeleted(): number {
    return this.#deletes.pending
  }

  /** Why SQS does not let the task extend timeouts; null: it does. */
  get refusal(): Error | null {
    return this.#visibility.refusal
  }

  /** Takes the messages of an answer. Returns the new ones; of those that the task holds already, the newer receipt handle counts. */
  received(messages: readonly SqsMessage[]): Delivery[] {
    const { clock, options, counters } = this.#options
    const now = clock.monotonic()
    const timeoutMs = options.visibilitySeconds * 1000
    const hiddenUntil = now + timeoutMs - Math.min(ANSWER_MS, timeoutMs / 10)
    const fresh: Delivery[] = []
    const again: Delivery[] = []
    for (const message of messages) {
      const known = this.held.get(message.id)
      if (known === undefined) {
        const delivery = new Delivery(message, now, hiddenUntil)
        this.held.set(message.id, delivery)
        fresh.push(delivery)
        continue
      }
      counters.deduplicated++
      known.receiptHandle = message.receiptHandle
      known.hiddenUntil = hiddenUntil
      this.#visibility.forget(known)
      again.push(known)
    }
    // A mirror must not keep messages from the queue's real readers while Kafka is away, so it extends nothing.
    if (options.mode !== 'mirror') {
      if (fresh.length > 0) this.#visibility.hold(fresh, now)
      if (again.length > 0) this.#visibility.hold(again, now)
    }
    return fresh
  }

  /** Kafka has the records of these messages; with exactly once, in a transaction that is committed. */
  delivered(deliveries: readonly Delivery[]): void {
    const { options } = this.#options
    for (const delivery of deliveries) {
      delivery.message = null
      delivery.converted = null
      delivery.deadLetter = null
    }
    if (options.mode === 'mirror') return this.giveBack(deliveries, 0)
    if (!options.deleteMessages) {
      for (const delivery of deliveries) this.#leave(delivery)
      return
    }
    for (const delivery of deliveries) delivery.state = 'done'
    this.#deletes.add(deliveries)
  }

  /** Returns messages to the queue: SQS shows them to other readers after so many seconds, 0 at once. */
  giveBack(deliveries: readonly Delivery[], visibilitySeconds: number): void {
    if (deliveries.length === 0) return
    for (const delivery of deliveries) this.#release(delivery)
    this.#options.counters.returned += deliveries.length
    this.#returns.add(deliveries.map((delivery) => ({ delivery, visibilitySeconds, tries: 0 })))
  }

  /** The message has been hidden for longer than SQS was asked to: another reader may have it. */
  expired(delivery: Delivery): void {
    this.#lost(delivery)
  }

  /** Sends what waits. Resolves once SQS has answered. */
  async flush(): Promise<void> {
    await Promise.all([this.#deletes.flush(), this.#returns.flush()])
  }

  close(): void {
    this.#visibility.close()
    this.#deletes.close()
    this.#returns.close()
  }

  /** The message is not the task's any more. */
  #release(delivery: Delivery): void {
    delivery.state = 'over'
    this.#visibility.forget(delivery)
    if (this.held.get(delivery.id) === delivery) this.held.delete(delivery.id)
  }

  /** The message stays in the queue, and comes again after its visibility timeout. */
  #leave(delivery: Delivery): void {
    this.#release(delivery)
    this.#options.onSettled(delivery)
  }

  #lost(delivery: Delivery): void {
    const { state } = delivery
    this.#options.counters.expired++
    if (state === 'polled' || state === 'done') {
      // Kafka gets the message, or has it: it is still to be deleted, with this receipt handle or that of the next receive.
      this.#visibility.forget(delivery)
      return
    }
    if (state === 'over') return
    this.#release(delivery)
    this.#options.onLost(delivery)
  }

  async #delete(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const { api, queue, counters, log, signal, onFailure, onSettled } = this.#options
    const handles = deliveries.map(({ receiptHandle }) => receiptHandle)
    let failures: readonly EntryFailure[]
    try {
      failures = await api.deleteBatch(queue, handles, signal)
    } catch (error) {
      if (!signal.aborted) {
        log.warn('sqs_delete_failed', { message: 'Failed to delete messages from SQS', queue_url: queue.url, error })
      }
      if (signal.aborted || errorKind(error) === 'retriable') throw error
      // The messages come again once somebody has changed what is wrong.
      for (const delivery of deliveries) this.#release(delivery)
      onFailure(error)
      return []
    }
    const failed = new Map(failures.map((failure) => [failure.index, failure]))
    const again: Delivery[] = []
    for (const [i, delivery] of deliveries.entries()) {
      const failure = failed.get(i)
      const newer = delivery.receiptHandle !== handles[i]
      if (failure?.reason === 'retriable' || (failure !== undefined && newer)) {
        again.push(delivery)
        continue
      }
      if (failure === undefined) counters.deleted++
      else if (failure.reason === 'gone') counters.expired++
      else log.error('sqs_delete_refused', { queue_url: queue.url, message_id: delivery.id, code: failure.code })
      this.#release(delivery)
      onSettled(delivery)
    }
    return again
  }

  async #return(returns: readonly Return[]): Promise<readonly Return[]> {
    const { api, queue, log, signal } = this.#options
    const changes = returns.map(({ delivery: { receiptHandle }, visibilitySeconds }) => ({
      receiptHandle,
      visibilitySeconds,
    }))
    let failures: readonly { readonly index: number; readonly reason: string }[]
    try {
      failures = await api.changeVisibilityBatch(queue, changes, signal)
    } catch (error) {
      if (signal.aborted) return []
      log.warn('sqs_return_failed', { queue_url: queue.url, messages: returns.length, error })
      failures = returns.map((_, index) => ({ index, reason: errorKind(error) }))
    }
    const again: Return[] = []
    for (const { index, reason } of failures) {
      const entry = returns[index]!
      if (reason === 'retriable' && ++entry.tries < RETURN_TRIES) again.push(entry)
    }
    return again
  }
}
