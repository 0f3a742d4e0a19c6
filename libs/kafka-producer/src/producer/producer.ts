import { abortable } from '@tributary/async'
import { ConnectError } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import type { KafkaProducer, ProduceResult, ProducerOptions, Sendable, SendListener } from '../api/types.ts'
import { eachRun, type Run } from '../batch/partition-batch.ts'
import type { PartitionQueue } from '../batch/partition-queue.ts'
import { PendingSend } from '../batch/pending-send.ts'
import type { SendOwner } from '../batch/send-owner.ts'
import { BrokerError, fencedError, givenUp, producerErrors } from '../errors.ts'
import { UNKNOWN_TOPIC_OR_PARTITION } from '../protocol-errors.ts'
import type { Core } from './core.ts'
import { Outage, retryThroughOutage } from './outage.ts'
import { fenced, Transaction } from './transaction.ts'
import { UnsettledSends } from './unsettled-sends.ts'

type Lifecycle = 'new' | 'started' | 'closed'

export type IdempotentProducerOptions = ProducerOptions & {
  readonly log?: Logger | undefined
  /** Called once, when the producer has let go of its core. */
  readonly onClosed: () => Promise<void>
}

/**
 * The producer over any wire, and the records of one caller in a core that other producers may share. Order, retries and
 * transactions are decided here and in the files beside this one.
 */
export class IdempotentProducer implements KafkaProducer {
  readonly driver: 'tributary' | 'kafkajs'
  readonly #core: Core
  readonly #onClosed: () => Promise<void>
  readonly #outage: Outage
  readonly #transaction: Transaction | null
  readonly #owner: SendOwner
  readonly #queues = new Map<string, PartitionQueue[]>()
  readonly #unsettled = new UnsettledSends((sends, reason) => this.#forget(sends, reason))
  /** Metadata of topics from before does not count: a new task asks whether its topic exists. */
  readonly #createdAt = performance.now()
  #lifecycle: Lifecycle = 'new'
  /** When set, every call throws it. */
  #broken: Error | null = null
  #inFlightBytes = 0

  constructor(core: Core, options: IdempotentProducerOptions) {
    this.driver = core.wire.driver
    this.#core = core
    this.#onClosed = options.onClosed
    this.#outage = new Outage((state, error) => options.onOutage?.(state, error))
    this.#owner = this.#createOwner(options)
    this.#transaction = this.#createTransaction(options)
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#lifecycle !== 'new') throw producerErrors.PRODUCER_STARTED('a producer starts once')
    if (this.#transaction !== null) this.#core.restart(await this.#transaction.start(signal))
    else await this.#retryThroughOutage('start of the producer', signal, () => this.#core.start())
    if (this.#lifecycle === 'new') this.#lifecycle = 'started'
  }

  async partitionCount(topic: string, signal: AbortSignal): Promise<number> {
    const { metadata, inOwnContext } = this.#core
    const cached = metadata.partitionCount(topic, this.#createdAt)
    if (cached !== null) return cached
    const refresh = (): Promise<number> =>
      inOwnContext(() => metadata.refresh(topic)).then(
        (found) => found.partitionCount,
        (error: unknown) => {
          const missing = error instanceof BrokerError && error.protocolCode === UNKNOWN_TOPIC_OR_PARTITION
          throw missing ? givenUp(error, `metadata of topic "${topic}"`) : error
        },
      )
    return this.#retryThroughOutage(`metadata of topic "${topic}"`, signal, refresh)
  }

  send(records: readonly Sendable[], signal: AbortSignal): Promise<ProduceResult> {
    return new Promise((resolve, reject) => this.sendTo({ sent: resolve, notSent: reject }, records, signal))
  }

  sendTo(listener: SendListener, records: readonly Sendable[], signal: AbortSignal): void {
    this.#mustBeUsable()
    if (this.#transaction !== null && !this.#transaction.isOpen) {
      throw producerErrors.NO_TRANSACTION('a transactional producer sends inside a transaction only')
    }
    if (this.#transaction?.failure) throw this.#transaction.failure
    signal.throwIfAborted()
    const send = new PendingSend(records, this.#owner, signal, listener, this.#settled)
    if (records.length === 0) return queueMicrotask(() => listener.sent(send))
    this.#unsettled.add(send)
    eachRun(send, this.#add)
  }

  readonly #settled = (send: PendingSend): void => {
    this.#inFlightBytes -= send.bytes
    this.#unsettled.delete(send)
  }

  beginTransaction(): void {
    this.#mustBeUsable()
    this.#transactional().begin()
  }

  async commitTransaction(signal: AbortSignal): Promise<void> {
    this.#mustBeUsable()
    const transaction = this.#transactional()
    if (!transaction.isOpen) throw producerErrors.NO_TRANSACTION('no transaction to commit')
    await abortable(this.#unsettled.none(), signal)
    const failure = transaction.failure
    if (failure !== null) {
      await this.abortTransaction(signal)
      throw failure
    }
    await this.#end(true, signal)
  }

  async abortTransaction(signal: AbortSignal): Promise<void> {
    this.#mustBeUsable()
    const transaction = this.#transactional()
    if (!transaction.isOpen) return
    const reason = producerErrors.TRANSACTION_ABORTED('the transaction was aborted')
    this.#forget(this.#unsettled.all(), reason)
    await abortable(this.#core.sender.idle(), signal)
    await this.#end(false, signal)
  }

  async close(): Promise<void> {
    if (this.#lifecycle === 'closed') return
    this.#lifecycle = 'closed'
    const reason = producerErrors.PRODUCER_CLOSED('the producer was closed')
    this.#forget(this.#unsettled.all(), reason)
    this.#unsettled.close()
    for (const queue of this.#allQueues()) this.#core.release(queue)
    this.#queues.clear()
    await this.#onClosed()
  }

  async #end(commit: boolean, signal: AbortSignal): Promise<void> {
    const transaction = this.#transactional()
    try {
      const identity = await transaction.end(commit, signal)
      if (identity !== null) this.#core.restart(identity)
    } catch (error) {
      // Only the coordinator knows whether and how the transaction ended.
      const inDoubt = fencedError(`the end of a transaction of "${transaction.transactionalId}" is in doubt`, error)
      const isFinal = error instanceof ConnectError && error.kind !== 'retriable'
      this.#break(isFinal ? error : inDoubt)
      throw signal.aborted || isFinal ? error : inDoubt
    }
  }

  readonly #add = (run: Run): void => {
    const { send, records, from, bytes } = run
    send.bytes += bytes
    this.#inFlightBytes += bytes
    const queue = this.#queue(records.topicOf(from), records.partitionOf(from))
    queue.add(run)
    this.#core.sender.wake(queue)
  }

  #queue(topic: string, partition: number): PartitionQueue {
    let partitions = this.#queues.get(topic)
    if (partitions === undefined) this.#queues.set(topic, (partitions = []))
    return (partitions[partition] ??= this.#core.acquire(topic, partition))
  }

  #allQueues(): PartitionQueue[] {
    return Array.from(this.#queues.values(), (queues) => queues.filter((queue) => queue !== undefined)).flat()
  }

  /** Gives up sends. Records that are already in a request may still be written. */
  #forget(sends: readonly PendingSend[], reason: unknown): void {
    if (sends.length === 0) return
    this.#transaction?.fail(reason instanceof Error ? reason : new Error('a send was given up', { cause: reason }))
    for (const send of sends) send.reject(reason)
    for (const queue of this.#allQueues()) this.#core.sender.forgetSettled(queue)
  }

  #break(error: Error): void {
    this.#broken ??= error
    this.#forget(this.#unsettled.all(), error)
  }

  #retryThroughOutage<T>(what: string, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
    return retryThroughOutage(request, {
      what,
      signal,
      outage: this.#outage,
      retryBackoffMs: this.#core.retryBackoffMs,
    })
  }

  #mustBeUsable(): void {
    if (this.#broken !== null) throw this.#broken
    if (this.#lifecycle !== 'started') {
      throw producerErrors.PRODUCER_NOT_STARTED(`the producer is ${this.#lifecycle}`)
    }
  }

  #createOwner({ maySend = () => true, log }: IdempotentProducerOptions): SendOwner {
    const closed = (): boolean => this.#lifecycle === 'closed'
    return {
      maySend: () => !closed() && maySend(),
      failing: (subject, error) => {
        if (!closed()) this.#outage.failed(subject, error)
      },
      recovered: (subject) => {
        if (!closed()) this.#outage.over(subject)
      },
      stateLost: (topic, partition, mayBeWrittenTwice, error) =>
        log?.warn('producer_state_lost', {
          topic,
          partition,
          may_be_written_twice: mayBeWrittenTwice,
          error: error.message,
        }),
    }
  }

  #createTransaction({ transactionalId, transactionTimeoutMs }: IdempotentProducerOptions): Transaction | null {
    if (transactionalId === undefined) return null
    const transaction = new Transaction({
      wire: this.#core.wire,
      outage: this.#outage,
      retryBackoffMs: this.#core.retryBackoffMs,
      transactionalId,
      transactionTimeoutMs: transactionTimeoutMs ?? 60_000,
    })
    this.#core.useTransaction(transaction, (cause) => this.#break(fenced(transactionalId, cause)))
    return transaction
  }

  #transactional(): Transaction {
    if (this.#transaction === null) throw producerErrors.NOT_TRANSACTIONAL('no transactional id is set')
    return this.#transaction
  }
}
