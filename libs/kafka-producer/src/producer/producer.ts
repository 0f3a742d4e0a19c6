import { abortable } from '@tributary/async'
import { ConnectError } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import { codecOf } from '../batch/compression.ts'
import { BrokerError, fencedError, givenUp, producerErrors } from '../errors.ts'
import { UNKNOWN_TOPIC_OR_PARTITION } from '../protocol-errors.ts'
import { Metadata } from './metadata.ts'
import { Outage } from './outage.ts'
import { type Run, runsOf } from '../batch/partition-batch.ts'
import { PartitionQueue } from '../batch/partition-queue.ts'
import { PendingSend } from '../batch/pending-send.ts'
import { retryThroughOutage } from './outage.ts'
import { Sender } from './sender.ts'
import { fenced, Transaction } from './transaction.ts'
import type { KafkaProducer, ProduceResult, ProducerOptions, Sendable } from '../api/types.ts'
import type { ProducerIdentity, Wire } from '../wire/wire.ts'

/**
 * 1 MiB is the default of max.message.bytes; the rest is for the batch header and for data that compression makes
 * larger.
 */
const DEFAULT_MAX_REQUEST_BYTES = 1_000_000
const DEFAULT_MAX_REQUEST_RECORDS = 5000

type Lifecycle = 'new' | 'started' | 'closed'

/** The producer over any wire. Order, retries and transactions are decided here and in the files beside this one. */
export class IdempotentProducer implements KafkaProducer {
  readonly driver: 'platformatic' | 'kafkajs'
  readonly #wire: Wire
  readonly #retryBackoffMs: number
  readonly #outage: Outage
  readonly #metadata: Metadata
  readonly #transaction: Transaction | null
  readonly #sender: Sender
  readonly #queues = new Map<string, PartitionQueue[]>()
  readonly #unsettled = new Set<PendingSend>()
  #identity: ProducerIdentity = { producerId: -1n, epoch: -1 }
  #lifecycle: Lifecycle = 'new'
  /** When set, every call throws it. */
  #broken: Error | null = null
  #inFlightBytes = 0

  constructor(wire: Wire, options: ProducerOptions & { readonly log?: Logger | undefined }) {
    this.driver = wire.driver
    this.#wire = wire
    this.#retryBackoffMs = options.retryBackoffMs ?? 100
    this.#outage = new Outage((state, error) => options.onOutage?.(state, error))
    this.#metadata = new Metadata(wire)
    const shared = { wire, outage: this.#outage, retryBackoffMs: this.#retryBackoffMs }
    this.#transaction =
      options.transactionalId === undefined
        ? null
        : new Transaction({
            ...shared,
            transactionalId: options.transactionalId,
            transactionTimeoutMs: options.transactionTimeoutMs ?? 60_000,
          })
    this.#sender = new Sender({
      wire,
      metadata: this.#metadata,
      transaction: this.#transaction,
      outage: this.#outage,
      codec: codecOf(options.compression ?? 'none'),
      settings: {
        maxRequestBytes: options.maxRequestBytes ?? DEFAULT_MAX_REQUEST_BYTES,
        maxRequestRecords: options.maxRequestRecords ?? DEFAULT_MAX_REQUEST_RECORDS,
        retryBackoffMs: this.#retryBackoffMs,
        lingerMs: options.lingerMs ?? 0,
      },
      maySend: options.maySend ?? ((): boolean => true),
      onFenced: (cause) => this.#break(fenced(options.transactionalId ?? '', cause)),
      onStateLost: (queue, error) =>
        options.log?.warn('producer_state_lost', {
          topic: queue.topic,
          partition: queue.partition,
          may_be_written_twice: queue.inFlight?.mayBeWritten === true,
          error: error.message,
        }),
    })
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#lifecycle !== 'new') throw producerErrors.PRODUCER_STARTED('a producer starts once')
    this.#identity =
      this.#transaction !== null
        ? await this.#transaction.start(signal)
        : await this.#retryThroughOutage('start of the producer', signal, () =>
            this.#wire.initProducerId(null, null, 0, null),
          )
    if (this.#lifecycle === 'new') this.#lifecycle = 'started'
  }

  async partitionCount(topic: string, signal: AbortSignal): Promise<number> {
    const cached = this.#metadata.partitionCount(topic)
    if (cached !== null) return cached
    const refresh = (): Promise<number> =>
      this.#metadata.refresh(topic).then(
        (found) => found.partitionCount,
        (error: unknown) => {
          const missing = error instanceof BrokerError && error.protocolCode === UNKNOWN_TOPIC_OR_PARTITION
          throw missing ? givenUp(error, `metadata of topic "${topic}"`) : error
        },
      )
    return this.#retryThroughOutage(`metadata of topic "${topic}"`, signal, refresh)
  }

  async send(records: readonly Sendable[], signal: AbortSignal): Promise<ProduceResult> {
    this.#mustBeUsable()
    if (this.#transaction !== null && !this.#transaction.isOpen) {
      throw producerErrors.NO_TRANSACTION('a transactional producer sends inside a transaction only')
    }
    if (this.#transaction?.failure) throw this.#transaction.failure
    signal.throwIfAborted()
    const send = new PendingSend(records, (settled) => {
      this.#inFlightBytes -= settled.bytes
      this.#unsettled.delete(settled)
      signal.removeEventListener('abort', onAbort)
    })
    const onAbort = (): void => this.#forget(send, signal.reason)
    if (records.length === 0) return send
    this.#unsettled.add(send)
    signal.addEventListener('abort', onAbort, { once: true })
    for (const run of runsOf(send)) this.#add(run)
    return send.promise
  }

  beginTransaction(): void {
    this.#mustBeUsable()
    this.#transactional().begin()
  }

  async commitTransaction(signal: AbortSignal): Promise<void> {
    this.#mustBeUsable()
    const transaction = this.#transactional()
    if (!transaction.isOpen) throw producerErrors.NO_TRANSACTION('no transaction to commit')
    const settled = Promise.allSettled(Array.from(this.#unsettled, (send) => send.promise))
    await abortable(settled, signal)
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
    for (const send of [...this.#unsettled]) this.#forget(send, reason)
    await abortable(this.#sender.idle(), signal)
    await this.#end(false, signal)
  }

  async close(): Promise<void> {
    if (this.#lifecycle === 'closed') return
    this.#lifecycle = 'closed'
    const reason = producerErrors.PRODUCER_CLOSED('the producer was closed')
    for (const send of [...this.#unsettled]) this.#forget(send, reason)
    await this.#wire.close()
  }

  async #end(commit: boolean, signal: AbortSignal): Promise<void> {
    const transaction = this.#transactional()
    try {
      const identity = await transaction.end(commit, signal)
      if (identity === null) return
      this.#identity = identity
      for (const queues of this.#queues.values()) for (const queue of queues) queue?.restart(identity)
    } catch (error) {
      // Only the coordinator knows whether and how the transaction ended.
      const inDoubt = fencedError(`the end of a transaction of "${transaction.transactionalId}" is in doubt`, error)
      const isFinal = error instanceof ConnectError && error.kind !== 'retriable'
      this.#break(isFinal ? error : inDoubt)
      throw signal.aborted || isFinal ? error : inDoubt
    }
  }

  #add(run: Run): void {
    const { send, records, from, bytes } = run
    send.bytes += bytes
    this.#inFlightBytes += bytes
    const queue = this.#queue(records.topicOf(from), records.partitionOf(from))
    queue.add(run)
    this.#sender.wake(queue)
  }

  #queue(topic: string, partition: number): PartitionQueue {
    let partitions = this.#queues.get(topic)
    if (partitions === undefined) this.#queues.set(topic, (partitions = []))
    return (partitions[partition] ??= new PartitionQueue(topic, partition, this.#identity))
  }

  /** Gives up a send. Records that are already in a request may still be written. */
  #forget(send: PendingSend, reason: unknown): void {
    if (send.settled) return
    this.#transaction?.fail(reason instanceof Error ? reason : new Error('a send was given up', { cause: reason }))
    send.reject(reason)
    for (const queues of this.#queues.values()) for (const queue of queues) if (queue) this.#sender.forgetSettled(queue)
  }

  #break(error: Error): void {
    this.#broken ??= error
    for (const send of [...this.#unsettled]) this.#forget(send, error)
  }

  #retryThroughOutage<T>(what: string, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
    return retryThroughOutage(request, { what, signal, outage: this.#outage, retryBackoffMs: this.#retryBackoffMs })
  }

  #mustBeUsable(): void {
    if (this.#broken !== null) throw this.#broken
    if (this.#lifecycle !== 'started') {
      throw producerErrors.PRODUCER_NOT_STARTED(`the producer is ${this.#lifecycle}`)
    }
  }

  #transactional(): Transaction {
    if (this.#transaction === null) throw producerErrors.NOT_TRANSACTIONAL('no transactional id is set')
    return this.#transaction
  }
}
