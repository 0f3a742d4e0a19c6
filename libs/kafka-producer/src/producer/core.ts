import { AsyncLocalStorage } from 'node:async_hooks'
import { type Codec, codecOf } from '../batch/compression.ts'
import { PartitionQueue } from '../batch/partition-queue.ts'
import type { ProducerOptions } from '../api/types.ts'
import type { ProducerIdentity, Wire } from '../wire/wire.ts'
import { Metadata } from './metadata.ts'
import { Sender } from './sender.ts'
import type { Transaction } from './transaction.ts'

/**
 * 1 MiB is the default of max.message.bytes; the rest is for the batch header and for data that compression makes
 * larger.
 */
const DEFAULT_MAX_REQUEST_BYTES = 1_000_000
const DEFAULT_MAX_REQUEST_RECORDS = 5000
const DEFAULT_RETRY_BACKOFF_MS = 100

/** What producers that share a core have in common. */
export type CoreOptions = Pick<
  ProducerOptions,
  'compression' | 'maxRequestBytes' | 'maxRequestRecords' | 'lingerMs' | 'retryBackoffMs'
>

/**
 * The part of a producer that several producers of a process may share: connections, producer id, metadata, and the queues of the
 * partitions with their sequence numbers. Each transactional producer has one of its own.
 */
export class Core {
  readonly wire: Wire
  readonly metadata: Metadata
  readonly sender: Sender
  readonly retryBackoffMs: number
  /** Runs code so that sockets and timers that come of it do not belong to the task that happened to call first. */
  readonly inOwnContext: <T>(code: () => T) => T
  readonly #createWire: () => Wire
  readonly #queues = new Map<string, Map<number, PartitionQueue>>()
  #identity: ProducerIdentity = { producerId: -1n, epoch: -1 }
  #starting: Promise<void> | null = null
  #retryWire: Wire | null = null
  #closed = false

  /** Throws `UNSUPPORTED_COMPRESSION`. Takes the present async context for its own. */
  constructor(createWire: () => Wire, options: CoreOptions) {
    const codec: Codec | null = codecOf(options.compression ?? 'none')
    this.inOwnContext = AsyncLocalStorage.snapshot()
    this.#createWire = createWire
    this.wire = createWire()
    this.metadata = new Metadata(this.wire)
    this.retryBackoffMs = options.retryBackoffMs ?? DEFAULT_RETRY_BACKOFF_MS
    this.sender = new Sender({
      wireFor: (retry) => this.#wireFor(retry),
      metadata: this.metadata,
      newIdentity: () => this.newIdentity(),
      onQuiet: (queue) => this.#removeUnused(queue),
      inOwnContext: this.inOwnContext,
      codec,
      settings: {
        maxRequestBytes: options.maxRequestBytes ?? DEFAULT_MAX_REQUEST_BYTES,
        maxRequestRecords: options.maxRequestRecords ?? DEFAULT_MAX_REQUEST_RECORDS,
        retryBackoffMs: this.retryBackoffMs,
        lingerMs: options.lingerMs ?? 0,
      },
    })
  }

  /** Takes a producer id, unless there is one. One try, which callers share. */
  start(): Promise<void> {
    this.#starting ??= this.inOwnContext(() => this.newIdentity()).then(
      () => undefined,
      (error: unknown) => {
        this.#starting = null
        throw error
      },
    )
    return this.#starting
  }

  /** A new producer id, which queues without an epoch left go on with. Not for transactional producers. */
  async newIdentity(): Promise<ProducerIdentity> {
    this.#identity = await this.wire.initProducerId(null, null, 0, null)
    return this.#identity
  }

  /** Continues with the identity that `transaction` has taken. */
  restart(identity: ProducerIdentity): void {
    this.#identity = identity
    for (const queues of this.#queues.values()) for (const queue of queues.values()) queue.restart(identity)
  }

  /** Makes the producer transactional. */
  useTransaction(transaction: Transaction, onFenced: (cause: unknown) => void): void {
    this.sender.transaction = transaction
    this.sender.onFenced = onFenced
  }

  /** The queue of a partition. The caller writes there until it calls `release`. */
  acquire(topic: string, partition: number): PartitionQueue {
    let partitions = this.#queues.get(topic)
    if (partitions === undefined) this.#queues.set(topic, (partitions = new Map<number, PartitionQueue>()))
    let queue = partitions.get(partition)
    if (queue === undefined) partitions.set(partition, (queue = new PartitionQueue(topic, partition, this.#identity)))
    queue.users++
    return queue
  }

  release(queue: PartitionQueue): void {
    queue.users--
    this.#removeUnused(queue)
  }

  /** Forgets a queue that nobody uses, so that topics that come and go do not add up. */
  #removeUnused(queue: PartitionQueue): void {
    if (queue.users > 0 || queue.inFlight !== null || queue.hasWaiting()) return
    const { topic, partition } = queue
    const partitions = this.#queues.get(topic)
    if (partitions?.get(partition) !== queue) return
    partitions.delete(partition)
    // The next queue of this partition begins with sequence 0, which the broker expects of a new epoch only.
    const { producerId, epoch } = this.#identity
    if (queue.identity.producerId === producerId)
      this.#identity = { producerId, epoch: Math.max(epoch, queue.identity.epoch + 1) }
    if (partitions.size > 0) return
    this.#queues.delete(topic)
    this.metadata.forget(topic)
  }

  /**
   * Batches that failed before have connections of their own: Kafka answers the requests of a connection in their order, so a
   * partition that gets no answer would hold up all others.
   */
  #wireFor(retry: boolean): Wire {
    if (!retry || this.sender.transaction !== null || this.#closed) return this.wire
    return (this.#retryWire ??= this.#createWire())
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([this.wire.close(), this.#retryWire?.close()])
  }
}
