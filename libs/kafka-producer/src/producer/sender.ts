import { BrokerError, givenUp, isUnreachable, refusedRecord, remedyOf } from '../errors.ts'
import {
  LEADER_NOT_AVAILABLE,
  NETWORK_EXCEPTION,
  protocolErrorOf,
  type Remedy,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../protocol-errors.ts'
import type { Codec } from '../batch/compression.ts'
import type { Metadata } from './metadata.ts'
import { retryDelayMs } from './outage.ts'
import type { PartitionBatch } from '../batch/partition-batch.ts'
import type { BatchLimits, PartitionQueue } from '../batch/partition-queue.ts'
import { encodeBatch } from '../batch/record-batch.ts'
import type { Transaction } from './transaction.ts'
import type { BrokerAddress, ProduceAnswer, ProducerIdentity, Wire } from '../wire/wire.ts'

/**
 * A topic that the metadata does not show for so many tries (about 6 s by default) was deleted. A new topic shows up
 * sooner.
 */
const MAX_UNKNOWN_TOPIC_TRIES = 10
/** Bytes of one request over all its partitions; far below socket.request.max.bytes of the broker (100 MiB). */
const MAX_MERGED_BYTES = 4 * 1024 * 1024
/** After these codes the leader may nevertheless have written the batch. */
const IN_DOUBT: ReadonlySet<number> = new Set([
  ...[7 /* REQUEST_TIMED_OUT */, NETWORK_EXCEPTION, 20 /* NOT_ENOUGH_REPLICAS_AFTER_APPEND */],
])

export interface SenderParts {
  /** `retry`: for batches that failed before. */
  readonly wireFor: (retry: boolean) => Wire
  readonly metadata: Metadata
  /** Takes another producer id. */
  readonly newIdentity: () => Promise<ProducerIdentity>
  /** Nothing of the queue is in flight, and nothing waits there or it lingers. */
  readonly onQuiet: (queue: PartitionQueue) => void
  /** Runs code outside of the async context of the caller that happened to cause it. */
  readonly inOwnContext: (code: () => void) => void
  readonly codec: Codec | null
  readonly settings: BatchLimits & { readonly retryBackoffMs: number; readonly lingerMs: number }
}

/**
 * Sends batches from the queues to the brokers until each record is written, refused or given up. A queue is sent as
 * soon as it has records and no batch in flight, with `lingerMs` that many ms later unless a batch is full. Queues that become
 * ready in the same turn of the event loop and have the same leader share a request: the first of a turn leaves at once, the
 * others at its end; after a turn with several, all of the next turn leave at its end.
 */
export class Sender {
  /** Null when the producer has no transactional id. */
  transaction: Transaction | null = null
  /** The producer cannot be used any more. */
  onFenced: (cause: unknown) => void = () => {}
  readonly #parts: SenderParts
  #ready = new Set<PartitionQueue>()
  #flushScheduled = false
  /** Queues that become ready wait for the end of the turn. */
  #collecting = false
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
    else this.#parts.onQuiet(queue)
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
    this.#ready.add(queue)
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    const flush = (): void => this.#parts.inOwnContext(() => this.#flush())
    if (this.#collecting) setImmediate(flush)
    else queueMicrotask(flush)
  }

  #flush(): void {
    const ready = this.#ready
    this.#ready = new Set()
    this.#flushScheduled = false
    if (this.#collecting) this.#collecting = ready.size > 1
    else {
      this.#collecting = true
      setImmediate(() => (this.#collecting = this.#ready.size > 0))
    }
    this.#send(ready)
  }

  #send(ready: ReadonlySet<PartitionQueue>): void {
    const { metadata } = this.#parts
    const shared = new Map<number, { leader: BrokerAddress; queues: PartitionQueue[]; bytes: number }>()
    for (const queue of ready) {
      // The queue was sent since it was scheduled, and does not wait for its next try.
      if (queue.inFlight !== null && queue.retryTimer === null) continue
      queue.retryTimer = null
      const batch = queue.inFlight === null ? this.#take(queue) : this.#permitted(queue, queue.inFlight)
      if (batch === null) continue
      const leader = metadata.leader(queue.topic, queue.partition)
      if (leader === null || queue.sendAlone) {
        this.#transmit(leader, [queue])
        continue
      }
      // Batches that failed before share no request with others.
      const key = queue.failedTries > 0 ? -1 - leader.nodeId : leader.nodeId
      const group = shared.get(key)
      if (group !== undefined && group.bytes + batch.bytes <= MAX_MERGED_BYTES) {
        group.queues.push(queue)
        group.bytes += batch.bytes
      } else {
        if (group !== undefined) this.#transmit(group.leader, group.queues)
        shared.set(key, { leader, queues: [queue], bytes: batch.bytes })
      }
    }
    for (const { leader, queues } of shared.values()) this.#transmit(leader, queues)
  }

  #take(queue: PartitionQueue): PartitionBatch | null {
    if (queue.lingerTimer !== null) clearTimeout(queue.lingerTimer)
    queue.lingerTimer = null
    const batch = queue.take(this.#parts.settings)
    if (queue.holdsBack) {
      queue.heldTimer ??= setTimeout(() => {
        queue.heldTimer = null
        if (queue.inFlight === null) this.#schedule(queue)
      }, this.#parts.settings.retryBackoffMs)
    }
    return batch
  }

  /** What of a batch may be sent again now. Null: nothing; it is tried later. */
  #permitted(queue: PartitionQueue, batch: PartitionBatch): PartitionBatch | null {
    if (batch.runs.every((run) => run.send.owner.maySend())) return batch
    if (batch.runs.some((run) => !run.send.settled && run.send.owner.maySend())) {
      queue.withhold()
      return queue.inFlight
    }
    queue.retryTimer = setTimeout(() => this.#schedule(queue), this.#parts.settings.retryBackoffMs)
    return null
  }

  /** Sends the batches in flight of the queues. Every outcome, also an unexpected error, ends in the queues. */
  #transmit(leader: BrokerAddress | null, queues: readonly PartitionQueue[]): void {
    this.#requests++
    for (const queue of queues) queue.sharedRequest = queues.length > 1
    this.#produce(leader, queues)
      .then(
        (answers) => answers.forEach((answer, queue) => this.#answered(queue, answer)),
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

  /** The answers to the batches that could be encoded. */
  async #produce(
    leader: BrokerAddress | null,
    queues: readonly PartitionQueue[],
  ): Promise<Map<PartitionQueue, ProduceAnswer>> {
    const { transaction } = this
    const adding = transaction?.include(queues)
    if (adding !== undefined) await adding
    const target = leader ?? (await this.#leader(queues[0]!))
    const encoded = await this.#encode(queues)
    if (encoded.length === 0) return new Map()
    const batches = encoded.map((queue) => queue.inFlight as PartitionBatch)
    const wire = this.#parts.wireFor(encoded[0]!.failedTries > 0)
    try {
      const answers = await wire.produce(target, transaction?.transactionalId ?? null, batches)
      return new Map(encoded.map((queue, i) => [queue, answers[i]!]))
    } catch (error) {
      if (remedyOf(error) !== 'config' && !isUnreachable(error)) for (const batch of batches) batch.mayBeWritten = true
      throw error
    }
  }

  /** Asks for the leader of a partition. */
  async #leader({ topic, partition }: PartitionQueue): Promise<BrokerAddress> {
    const { metadata } = this.#parts
    const { partitionCount } = await metadata.refresh(topic)
    if (partition >= partitionCount) throw new BrokerError(UNKNOWN_TOPIC_OR_PARTITION, `${topic}-${partition}`)
    const leader = metadata.leader(topic, partition)
    if (leader === null) throw new BrokerError(LEADER_NOT_AVAILABLE, `leader of ${topic}-${partition}`)
    return leader
  }

  /** Encodes the batches in flight. Returns the queues whose batch is encoded: one that cannot be keeps no other from leaving. */
  async #encode(queues: readonly PartitionQueue[]): Promise<PartitionQueue[]> {
    const { codec, newIdentity } = this.#parts
    const done: PartitionQueue[] = []
    for (const queue of queues) {
      try {
        if (queue.hasNoEpochLeft) queue.restart(await newIdentity())
        const batch = queue.inFlight as PartitionBatch
        if (batch.encoded.length === 0) {
          const encoded = encodeBatch(batch, codec, this.transaction !== null)
          batch.encoded = encoded instanceof Promise ? await encoded : encoded
        }
        done.push(queue)
      } catch (error) {
        this.#failed(queue, error)
      }
    }
    return done
  }

  #answered(queue: PartitionQueue, answer: ProduceAnswer): void {
    if (protocolErrorOf(answer.code).remedy !== 'none') {
      const what = `produce to ${queue.topic}-${queue.partition}`
      this.#failed(queue, new BrokerError(answer.code, what, answer.message))
      return
    }
    this.#recovered(queue)
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
        this.#failing(queue, error as Error)
        return this.#retryLater(queue)
      case 'refused':
        return this.#refused(queue, batch, error as BrokerError)
      case 'state':
        if (this.transaction !== null) {
          // Earlier batches of the transaction are in doubt too. Only an abort and a new epoch make the state clean.
          this.transaction.requireNewEpoch()
          return this.#giveUp(queue, error)
        }
        for (const owner of new Set(batch.runs.map((run) => run.send.owner)))
          owner.stateLost(queue.topic, queue.partition, batch.mayBeWritten, error as Error)
        queue.bumpEpoch()
        return this.#retryLater(queue)
      case 'fenced':
        this.onFenced(error)
        return this.#giveUp(queue, error)
      case 'fatal':
        if (!this.#takenApart(queue, batch)) this.#giveUp(queue, error)
        return
      case 'none':
      case 'config':
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
    return remedy === 'fenced' && this.transaction === null ? 'state' : remedy
  }

  #refused(queue: PartitionQueue, batch: PartitionBatch, error: BrokerError): void {
    if (batch.count > 1) return this.#split(queue)
    const failure = refusedRecord(error, `record of about ${batch.bytes} bytes for ${queue.topic}-${queue.partition}`)
    // The broker did not use the sequence number, so no batch is in doubt.
    queue.finish()
    queue.isolate(batch.runs[0]!.send.owner)
    batch.refuse(failure)
    this.#recovered(queue)
    this.#next(queue)
  }

  /**
   * What one producer sent may be the cause of an error that ends the sends of a batch. So it ends them only when no other
   * producer's records were in the batch, and no other batch in the request. Returns whether the batch is sent again.
   */
  #takenApart(queue: PartitionQueue, batch: PartitionBatch): boolean {
    if (batch.isMixed) {
      // With other sizes under the same numbers the broker could not tell whether it has the records.
      if (batch.mayBeWritten) queue.bumpEpoch()
      this.#split(queue)
      return true
    }
    if (!queue.sharedRequest) return false
    queue.sendAlone = true
    this.#retryLater(queue)
    return true
  }

  #split(queue: PartitionQueue): void {
    queue.split()
    this.#recovered(queue)
    this.#next(queue)
  }

  /** Tells the owners of records that go to a partition, or wait for it, of an outage; each of them once. */
  #failing(queue: PartitionQueue, error: Error): void {
    for (const owner of queue.owners()) {
      if (queue.failing.has(owner)) continue
      queue.failing.add(owner)
      owner.failing(queue, error)
    }
  }

  #recovered(queue: PartitionQueue): void {
    if (queue.failing.size === 0) return
    for (const owner of queue.failing) owner.recovered(queue)
    queue.failing.clear()
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
    this.transaction?.fail(reason)
    this.#drop(queue)
    batch?.reject(reason)
  }

  #drop(queue: PartitionQueue): void {
    if (queue.retryTimer !== null) clearTimeout(queue.retryTimer)
    queue.retryTimer = null
    this.#recovered(queue)
    if (queue.finish().mayBeWritten) {
      // The sequence numbers can neither be used again (the broker would take other records for these) nor be skipped.
      if (this.transaction === null) queue.bumpEpoch()
      else this.transaction.requireNewEpoch()
    }
    this.#next(queue)
  }
}
