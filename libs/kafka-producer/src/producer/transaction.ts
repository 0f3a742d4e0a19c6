import { sleep } from '@tributary/async'
import type { FatalError } from '@tributary/connect-api'
import { BrokerError, fencedError, isFenced, producerErrors, remedyOf } from '../errors.ts'
import { CONCURRENT_TRANSACTIONS } from '../protocol-errors.ts'
import type { Outage } from './outage.ts'
import type { PartitionQueue } from '../batch/partition-queue.ts'
import { retryThroughOutage } from './outage.ts'
import type { BrokerAddress, ProducerIdentity, TransactionIdentity, Wire } from '../wire/wire.ts'

/**
 * The coordinator answers CONCURRENT_TRANSACTIONS while it writes the markers of the last transaction, which takes 1 to
 * 3 ms. After these tries the backoff of the sender takes over.
 */
const MARKER_WAIT_MS = 1
const MAX_MARKER_TRIES = 50

export interface TransactionParts {
  readonly wire: Wire
  readonly outage: Outage
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  readonly retryBackoffMs: number
}

/**
 * The part of a transactional producer that talks to the coordinator (KIP-98): the identity, the partitions of the open
 * transaction, and its end.
 *
 * States: none → open → ending → none. After a failure an open transaction can only be aborted.
 */
export class Transaction {
  readonly transactionalId: string
  readonly #parts: TransactionParts
  #state: 'none' | 'open' | 'ending' = 'none'
  #identity: ProducerIdentity = { producerId: -1n, epoch: -1 }
  #coordinator: BrokerAddress | null = null
  readonly #included = new Set<PartitionQueue>()
  /** The coordinator may know the transaction. */
  #begunAtBroker = false
  #adding: Promise<void> = Promise.resolve()
  #failure: Error | null = null
  #newEpochRequired = false

  constructor(parts: TransactionParts) {
    this.transactionalId = parts.transactionalId
    this.#parts = parts
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** The reason why the open transaction can only be aborted; null when it can be committed. */
  get failure(): Error | null {
    return this.#failure
  }

  /**
   * Takes the transactional id over: fences the earlier producers of the id and aborts the transaction that they left
   * open.
   */
  start(signal: AbortSignal): Promise<ProducerIdentity> {
    return this.#initialize(null, signal)
  }

  begin(): void {
    if (this.#state !== 'none') {
      throw producerErrors.TRANSACTION_OPEN('a transaction is open already')
    }
    this.#state = 'open'
  }

  /** From now on the transaction can only be aborted. */
  fail(error: Error): void {
    if (this.#state !== 'none') this.#failure ??= error
  }

  /**
   * The transaction must end with a new epoch: a batch was given up that the broker may have or may still receive, or
   * the broker does not know the sequence.
   */
  requireNewEpoch(): void {
    this.#newEpochRequired = true
  }

  /**
   * Adds the partitions of the queues to the transaction, one request at a time. Undefined when all are part of it
   * already, so that the hot path does not await.
   */
  include(queues: readonly PartitionQueue[]): Promise<void> | undefined {
    if (queues.every((queue) => this.#included.has(queue))) return undefined
    const added = this.#adding.then(() => this.#add(queues))
    this.#adding = added.catch(() => undefined)
    return added
  }

  async #add(queues: readonly PartitionQueue[]): Promise<void> {
    const missing = queues.filter((queue) => !this.#included.has(queue))
    if (missing.length === 0) return
    this.#begunAtBroker = true
    for (let tries = 1; ; tries++) {
      try {
        await this.#atCoordinator((coordinator) =>
          this.#parts.wire.addPartitionsToTransaction(coordinator, this.#current(), missing),
        )
        break
      } catch (error) {
        const waiting = error instanceof BrokerError && error.protocolCode === CONCURRENT_TRANSACTIONS
        if (!waiting || tries === MAX_MARKER_TRIES) throw error
        await sleep(MARKER_WAIT_MS)
      }
    }
    for (const queue of missing) this.#included.add(queue)
  }

  /**
   * Ends the transaction, whose sends are all settled. Repeats EndTxn until it is answered: the coordinator answers a
   * second one for the same outcome like the first. Resolves to the new identity, if there is one.
   */
  async end(commit: boolean, signal: AbortSignal): Promise<ProducerIdentity | null> {
    this.#state = 'ending'
    const begun = this.#begunAtBroker
    const newEpochRequired = this.#newEpochRequired
    if (begun)
      await this.#retryThroughOutage(commit ? 'commit' : 'abort', signal, (coordinator) =>
        this.#endTxn(coordinator, commit),
      )
    const identity = newEpochRequired ? await this.#bumpEpoch(signal) : null
    this.#state = 'none'
    this.#failure = null
    this.#newEpochRequired = false
    this.#begunAtBroker = false
    this.#included.clear()
    return identity
  }

  #endTxn(coordinator: BrokerAddress, commit: boolean): Promise<void> {
    return this.#parts.wire.endTransaction(coordinator, this.#current(), commit)
  }

  /** Takes a new epoch (KIP-360). The brokers then refuse the old one, so a batch in doubt can no longer arrive. */
  #bumpEpoch(signal: AbortSignal): Promise<ProducerIdentity> {
    if (!this.#parts.wire.canBumpEpoch) {
      // A plain InitProducerId could fence a newer producer that took the id over meanwhile.
      throw fencedError(`a transaction of "${this.transactionalId}" was aborted with a batch in doubt`)
    }
    return this.#initialize(this.#identity, signal)
  }

  async #initialize(current: ProducerIdentity | null, signal: AbortSignal): Promise<ProducerIdentity> {
    const { wire, transactionTimeoutMs } = this.#parts
    this.#identity = await this.#retryThroughOutage('start of the producer', signal, (coordinator) =>
      wire.initProducerId(coordinator, this.transactionalId, transactionTimeoutMs, current),
    )
    return this.#identity
  }

  #current(): TransactionIdentity {
    return { transactionalId: this.transactionalId, ...this.#identity }
  }

  async #retryThroughOutage<T>(
    what: string,
    signal: AbortSignal,
    request: (at: BrokerAddress) => Promise<T>,
  ): Promise<T> {
    const { outage, retryBackoffMs } = this.#parts
    return retryThroughOutage(() => this.#atCoordinator(request), {
      what: `${what} with transactional id "${this.transactionalId}"`,
      signal,
      outage,
      retryBackoffMs,
    })
  }

  /**
   * Sends the request once, to the known coordinator or to one that it looks up. Throws `PRODUCER_FENCED` when
   * fenced.
   */
  async #atCoordinator<T>(request: (at: BrokerAddress) => Promise<T>): Promise<T> {
    try {
      this.#coordinator ??= await this.#parts.wire.findTransactionCoordinator(this.transactionalId)
      return await request(this.#coordinator)
    } catch (error) {
      const remedy = remedyOf(error)
      if (remedy === 'coordinator' || remedy === 'stale') this.#coordinator = null
      if (remedy === 'fenced') throw fenced(this.transactionalId, error)
      throw error
    }
  }
}

export function fenced(transactionalId: string, cause: unknown): FatalError {
  if (isFenced(cause)) return cause
  const why = `transactional id "${transactionalId}" is held by a newer producer, or its transaction timed out`
  return fencedError(why, cause)
}
