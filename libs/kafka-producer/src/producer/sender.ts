import { BrokerError, givenUp, isUnreachable, refusedRecord, remedyOf } from '../errors.ts'
import { LEADER_NOT_AVAILABLE, protocolErrorOf, type Remedy, UNKNOWN_TOPIC_OR_PARTITION } from '../protocol-errors.ts'
import type { Codec } from '../batch/compression.ts'
import type { Metadata } from './metadata.ts'
import { type Outage, retryDelayMs } from './outage.ts'
import type { PartitionBatch } from '../batch/partition-batch.ts'
import type { BatchLimits, PartitionQueue } from '../batch/partition-queue.ts'
import { encodeBatch } from '../batch/record-batch.ts'
import type { Transaction } from './transaction.ts'
import type { BrokerAddress, ProduceAnswer, Wire } from '../wire/wire.ts'

/**
 * A topic that the metadata does not show for so many tries (about 6 s by default) was deleted. A new topic shows up
 * sooner.
 */
const MAX_UNKNOWN_TOPIC_TRIES = 10
/** Bytes of one request over all its partitions; far below socket.request.max.bytes of the broker (100 MiB). */
const MAX_MERGED_BYTES = 4 * 1024 * 1024
/** After these codes the leader may nevertheless have written the batch. */
const IN_DOUBT: ReadonlySet<number> = new Set([7 /* REQUEST_TIMED_OUT */, 20 /* NOT_ENOUGH_REPLICAS_AFTER_APPEND */])

export interface SenderParts {
  readonly wire: Wire
  readonly metadata: Metadata
  /** Null when the producer has no transactional id. */
  readonly transaction: Transaction | null
  readonly outage: Outage
  readonly codec: Codec | null
  readonly settings: BatchLimits & { readonly retryBackoffMs: number; readonly lingerMs: number }
  /** Whether a request may be sent now. */
  readonly maySend: () => boolean
  /** The producer cannot be used any more. */
  readonly onFenced: (cause: unknown) => void
  readonly onStateLost: (queue: PartitionQueue, error: Error) => void
}

/**
 * Sends batches from the queues to the brokers until each record is written, refused or given up. A queue is sent as
 * soon as it has records and no batch in flight, with `lingerMs` that many ms later unless a batch is full. Queues that become ready in the same turn of the event loop
 * and have the same leader share a request.
 */
export class Sender {
  readonly #parts: SenderParts
  #ready: PartitionQueue[] = []
  #flushScheduled = false
  #requests = 0
  #onIdle: (() => void)[] = []

  constructor(parts: SenderParts) {
    this.#parts = parts
  }

  /** Call this when records were added to the queue. */
  wake(queue: PartitionQueue): void {
    const { settings } = this.#parts
    if (settings.lingerMs > 0 && !queue.isFull(settings)) return this.#linger(queue)
    if (queue.inFlight === null) this.#schedule(queue)
  }

  /** The time counts from the first record that waits, also while a batch is in flight. */
  #linger(queue: PartitionQueue): void {
    queue.lingerTimer ??= setTimeout(() => {
      queue.lingerTimer = null
      if (queue.inFlight === null && queue.hasWaiting()) this.#schedule(queue)
    }, this.#parts.settings.lingerMs)
  }

  /** The batch in flight has ended: sends what waits, unless that lingers. */
  #next(queue: PartitionQueue): void {
    const lingers = queue.lingerTimer !== null && !queue.isFull(this.#parts.settings)
    if (!lingers && queue.hasWaiting()) this.#schedule(queue)
  }

  /** Call this when a send was given up: drops its records when no request with them is in flight. */
  forgetSettled(queue: PartitionQueue): void {
    queue.forgetSettled()
    if (queue.retryTimer !== null && queue.inFlight?.isAbandoned() === true) this.#drop(queue)
  }

  /** Resolves when no request is in flight. */
  idle(): Promise<void> {
    if (this.#requests === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  #schedule(queue: PartitionQueue): void {
    this.#ready.push(queue)
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    queueMicrotask(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    const { metadata, settings, maySend } = this.#parts
    const ready = this.#ready
    this.#ready = []
    const shared = new Map<number, { leader: BrokerAddress; queues: PartitionQueue[]; bytes: number }>()
    for (const queue of ready) {
      // The queue was scheduled twice in this turn, or it waits for its next try.
      if (queue.inFlight !== null && queue.retryTimer === null) continue
      queue.retryTimer = null
      const batch = queue.inFlight ?? this.#take(queue)
      if (batch === null) continue
      if (!maySend()) {
        queue.retryTimer = setTimeout(() => this.#schedule(queue), settings.retryBackoffMs)
        continue
      }
      const leader = metadata.leader(queue.topic, queue.partition)
      if (leader === null) {
        this.#transmit(leader, [queue])
        continue
      }
      const group = shared.get(leader.nodeId)
      if (group !== undefined && group.bytes + batch.bytes <= MAX_MERGED_BYTES) {
        group.queues.push(queue)
        group.bytes += batch.bytes
      } else {
        if (group !== undefined) this.#transmit(group.leader, group.queues)
        shared.set(leader.nodeId, { leader, queues: [queue], bytes: batch.bytes })
      }
    }
    for (const { leader, queues } of shared.values()) this.#transmit(leader, queues)
  }

  #take(queue: PartitionQueue): PartitionBatch | null {
    if (queue.lingerTimer !== null) clearTimeout(queue.lingerTimer)
    queue.lingerTimer = null
    return queue.take(this.#parts.settings)
  }

  /** Sends the batches in flight of the queues. Every outcome, also an unexpected error, ends in the queues. */
  #transmit(leader: BrokerAddress | null, queues: readonly PartitionQueue[]): void {
    this.#requests++
    this.#produce(leader, queues)
      .then(
        (answers) => queues.forEach((queue, i) => this.#answered(queue, answers[i]!)),
        (error: unknown) => queues.forEach((queue) => this.#failed(queue, error)),
      )
      .finally(() => {
        this.#requests--
        if (this.#requests > 0) return
        for (const resolve of this.#onIdle.splice(0)) resolve()
      })
      .catch((error: unknown) => {
        for (const queue of queues) if (queue.inFlight !== null) this.#giveUp(queue, error)
      })
  }

  async #produce(leader: BrokerAddress | null, queues: readonly PartitionQueue[]): Promise<ProduceAnswer[]> {
    const { codec, metadata, transaction, wire } = this.#parts
    const adding = transaction?.include(queues)
    if (adding !== undefined) await adding
    let target = leader
    if (target === null) {
      const { topic, partition } = queues[0]!
      const { partitionCount } = await metadata.refresh(topic)
      if (partition >= partitionCount) throw new BrokerError(UNKNOWN_TOPIC_OR_PARTITION, `${topic}-${partition}`)
      target = metadata.leader(topic, partition)
      if (target === null) throw new BrokerError(LEADER_NOT_AVAILABLE, `leader of ${topic}-${partition}`)
    }
    const batches = queues.map((queue) => queue.inFlight as PartitionBatch)
    for (const batch of batches) {
      if (batch.encoded.length > 0) continue
      const encoded = encodeBatch(batch, codec, transaction !== null)
      batch.encoded = encoded instanceof Promise ? await encoded : encoded
    }
    try {
      return await wire.produce(target, transaction?.transactionalId ?? null, batches)
    } catch (error) {
      if (remedyOf(error) !== 'config' && !isUnreachable(error)) for (const batch of batches) batch.mayBeWritten = true
      throw error
    }
  }

  #answered(queue: PartitionQueue, answer: ProduceAnswer): void {
    if (protocolErrorOf(answer.code).remedy !== 'none') {
      const what = `produce to ${queue.topic}-${queue.partition}`
      this.#failed(queue, new BrokerError(answer.code, what, answer.message))
      return
    }
    this.#parts.outage.over(queue)
    queue.written(answer.baseOffset)
    this.#next(queue)
  }

  #failed(queue: PartitionQueue, error: unknown): void {
    const batch = queue.inFlight
    if (batch === null) return
    const code = error instanceof BrokerError ? error.protocolCode : null
    if (code !== null && IN_DOUBT.has(code)) batch.mayBeWritten = true
    if (batch.isAbandoned()) return this.#drop(queue)
    const remedy = this.#remedy(queue, error)
    switch (remedy) {
      case 'retry':
      case 'stale':
      case 'coordinator':
        if (remedy === 'stale') this.#parts.metadata.invalidate(queue.topic)
        this.#parts.outage.failed(queue, error as Error)
        return this.#retryLater(queue)
      case 'refused':
        return this.#refused(queue, batch, error as BrokerError)
      case 'state':
        if (this.#parts.transaction !== null) {
          // Earlier batches of the transaction are in doubt too. Only an abort and a new epoch make the state clean.
          this.#parts.transaction.requireNewEpoch()
          return this.#giveUp(queue, error)
        }
        this.#parts.onStateLost(queue, error as Error)
        queue.bumpEpoch()
        return this.#retryLater(queue)
      case 'fenced':
        this.#parts.onFenced(error)
        return this.#giveUp(queue, error)
      case 'none':
      case 'config':
      case 'fatal':
        return this.#giveUp(queue, error)
      default:
        remedy satisfies never
    }
  }

  /** The remedy of `remedyOf`, corrected by the state of this producer. */
  #remedy(queue: PartitionQueue, error: unknown): Remedy {
    const remedy = remedyOf(error)
    const code = error instanceof BrokerError ? error.protocolCode : null
    if (code === UNKNOWN_TOPIC_OR_PARTITION && ++queue.unknownTopicTries >= MAX_UNKNOWN_TOPIC_TRIES) return 'config'
    // Nobody can fence a producer without a transactional id, so the state of the broker is out of step.
    return remedy === 'fenced' && this.#parts.transaction === null ? 'state' : remedy
  }

  #refused(queue: PartitionQueue, batch: PartitionBatch, error: BrokerError): void {
    if (batch.count > 1) {
      queue.split()
    } else {
      const failure = refusedRecord(error, `record of about ${batch.bytes} bytes for ${queue.topic}-${queue.partition}`)
      // The broker did not use the sequence number, so no batch is in doubt.
      queue.finish()
      batch.refuse(failure)
    }
    this.#parts.outage.over(queue)
    this.#next(queue)
  }

  #retryLater(queue: PartitionQueue): void {
    queue.failedTries++
    queue.retryTimer = setTimeout(
      () => this.#schedule(queue),
      retryDelayMs(this.#parts.settings.retryBackoffMs, queue.failedTries),
    )
  }

  #giveUp(queue: PartitionQueue, error: unknown): void {
    const batch = queue.inFlight
    const reason = givenUp(error, `produce to ${queue.topic}-${queue.partition}`)
    this.#parts.transaction?.fail(reason)
    this.#drop(queue)
    batch?.reject(reason)
  }

  #drop(queue: PartitionQueue): void {
    if (queue.retryTimer !== null) clearTimeout(queue.retryTimer)
    queue.retryTimer = null
    this.#parts.outage.over(queue)
    if (queue.finish().mayBeWritten) {
      // The sequence numbers can neither be used again (the broker would take other records for these) nor be skipped.
      if (this.#parts.transaction === null) queue.bumpEpoch()
      else this.#parts.transaction.requireNewEpoch()
    }
    this.#next(queue)
  }
}
