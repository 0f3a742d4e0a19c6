import { backoffMs, MAX_TIMER_MS, Serial } from '@tributary/async'
import { type Clock, errorCode, errorKind } from '@tributary/connect-api'
import type { KafkaProducer, ProducerRecord } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import { runtimeErrors } from '../errors.ts'
import type { SourceTaskConfig } from '../model/source-task-config.ts'

export interface TransactionalBatch {
  readonly byteCount: number
  /** Sends records and offsets. Resolves with the callback for the commit of the transaction. Runs again after an abort. */
  readonly send: () => Promise<() => void>
  /** Sends the offsets alone, after the connector has discarded the records. */
  readonly discard: () => Promise<() => void>
  readonly committed: () => Promise<void> | undefined
}

export interface TransactionBoundaryOptions {
  readonly producer: KafkaProducer
  readonly config: SourceTaskConfig
  readonly clock: Clock
  readonly log: Logger
  /** Ends every wait. */
  readonly signal: AbortSignal
  /** Resolves once this worker may have side effects. The commit at the end of an interval awaits it. */
  readonly permitted: () => Promise<void>
  /** Called when the commit at the end of an interval fails. No caller awaits that commit. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Ends transactions as `transaction.boundary` says (KIP-618). `poll` commits after each batch. `interval` commits after
 * `transaction.boundary.interval.ms`, or sooner once the transaction holds `max.in.flight.bytes`. `connector` ends the transaction
 * where the connector calls `end`. The batches of a transaction are kept until its commit, to be sent again after an abort.
 */
export class TransactionBoundary {
  readonly #options: TransactionBoundaryOptions
  /** Runs one operation at a time, since the task goes on polling while the end of an interval commits. */
  readonly #operations = new Serial()
  #batches: TransactionalBatch[] = []
  #afterCommit: (() => void)[] = []
  /** The producer has an open transaction. It holds the batches whose callbacks are in `#afterCommit`. */
  #open = false
  #intervalEnd: NodeJS.Timeout | null = null

  constructor(options: TransactionBoundaryOptions) {
    this.#options = options
  }

  /** Sends a batch in the open transaction, or in a new one. Commits when the boundary is reached. */
  run(batch: TransactionalBatch): Promise<void> {
    const { config, signal } = this.#options
    return this.#operations.run(async () => {
      this.#batches.push(batch)
      try {
        if (this.#open) this.#afterCommit.push(await batch.send())
        else await this.#sendAll()
      } catch (error) {
        await this.#resend(error, signal)
      }
      const byteCount = this.#batches.reduce((sum, { byteCount }) => sum + byteCount, 0)
      const full = config.transactionBoundary === 'interval' && byteCount >= config.maxInFlightBytes
      if (full || config.transactionBoundary === 'poll') await this.#commit(signal)
    })
  }

  /** The offsets topic comes back after a deletion, so its absence is an outage. */
  async sendOffsets(records: readonly ProducerRecordLike[], signal: AbortSignal): Promise<void> {
    const { clock, producer } = this.#options
    const timestamp = clock.now()
    const stamped = records.map((record): ProducerRecord => ({ ...record, timestamp }))
    try {
      const { failures } = await producer.send(stamped, signal)
      if (failures[0]) throw failures[0].error
    } catch (error) {
      if (errorCode(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      throw runtimeErrors.OFFSETS_TOPIC_DELETED('the offsets topic was deleted; waiting for its return', {
        cause: error,
      })
    }
  }

  /** Ends the transaction as the connector asked. The offsets of an aborted transaction are committed all the same. */
  end(how: 'commit' | 'abort'): Promise<void> {
    const { signal, log } = this.#options
    return this.#operations.run(async () => {
      if (how === 'abort' && this.#batches.length > 0) {
        log.info('transaction_discarded', { batches: this.#batches.length })
        await this.#abortAtBroker(signal)
        this.#batches = this.#batches.map((batch) => ({ ...batch, send: batch.discard }))
      }
      await this.#commit(signal)
    })
  }

  /**
   * Leaves no transaction open before a long wait: an open one would hold up all readers of committed records, and time out. A
   * transaction that the connector has not ended is aborted, and sent again with the next batch.
   */
  closeBeforeWait(): Promise<void> {
    const { config, signal } = this.#options
    return this.#operations.run(() =>
      config.transactionBoundary === 'connector' ? this.#abortAtBroker(signal) : this.#commit(signal),
    )
  }

  /** At a stop: commits the open transaction. One that the connector has not ended is aborted; the next run reads it again. */
  finish(signal: AbortSignal): Promise<void> {
    const { config } = this.#options
    return this.#operations.run(() =>
      config.transactionBoundary === 'connector' ? this.#forget(signal) : this.#commit(signal),
    )
  }

  /** After a failure: commits the transaction if all its batches were sent; otherwise aborts it. */
  settle(signal: AbortSignal): Promise<void> {
    const { config } = this.#options
    return this.#operations.run(() =>
      this.#allSent && config.transactionBoundary !== 'connector' ? this.#commit(signal) : this.#forget(signal),
    )
  }

  /** Aborts the open transaction, if there is one, and forgets its batches. */
  abort(signal: AbortSignal): Promise<void> {
    return this.#operations.run(() => this.#forget(signal))
  }

  get #allSent(): boolean {
    return this.#afterCommit.length === this.#batches.length
  }

  async #commit(signal: AbortSignal): Promise<void> {
    const { producer, log } = this.#options
    while (this.#batches.length > 0) {
      log.debug('transaction_ending', { batches: this.#batches.length })
      try {
        if (!this.#open) await this.#sendAll()
        await producer.commitTransaction(signal)
      } catch (error) {
        await this.#resend(error, signal)
        continue
      }
      log.debug('transaction_committed', { batches: this.#batches.length })
      const done = this.#batches
      const after = this.#afterCommit
      this.#batches = []
      this.#markClosed()
      for (const acknowledge of after) acknowledge()
      for (const batch of done) await batch.committed()
    }
  }

  /** Begins a transaction and sends all its batches. */
  async #sendAll(): Promise<void> {
    const { producer, config, log } = this.#options
    log.debug('transaction_begun')
    producer.beginTransaction()
    this.#open = true
    if (config.transactionBoundary === 'interval') {
      this.#intervalEnd = setTimeout(() => this.#intervalOver(), Math.min(config.transactionIntervalMs, MAX_TIMER_MS))
    }
    for (const batch of this.#batches) this.#afterCommit.push(await batch.send())
  }

  #intervalOver(): void {
    const { signal, permitted, onFailure } = this.#options
    this.#intervalEnd = null
    const commit = async (): Promise<void> => {
      await permitted()
      // A batch that failed in the meantime ends the task, so there is nothing to commit.
      if (this.#open && this.#allSent) await this.#commit(signal)
    }
    this.#operations.run(commit).catch(onFailure)
  }

  /** Aborts the transaction and sends all its batches again, until that succeeds. Throws any error that is no outage. */
  async #resend(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    for (let failure = error, attempt = 1; ; attempt++) {
      if (signal.aborted || errorKind(failure) !== 'retriable') throw failure
      log.warn('transaction_aborted', { attempt, error: failure })
      try {
        await clock.sleep(backoffMs(attempt, { baseMs: 100, maxMs: 10_000 }), signal)
        await this.#abortAtBroker(signal)
        await this.#sendAll()
        return
      } catch (again) {
        failure = again
      }
    }
  }

  async #forget(signal: AbortSignal): Promise<void> {
    this.#batches = []
    await this.#abortAtBroker(signal)
  }

  /** Aborts the open transaction at the broker and keeps its batches. */
  async #abortAtBroker(signal: AbortSignal): Promise<void> {
    const { producer } = this.#options
    const open = this.#open
    this.#markClosed()
    if (open) await producer.abortTransaction(signal)
  }

  #markClosed(): void {
    this.#open = false
    this.#afterCommit = []
    if (this.#intervalEnd) clearTimeout(this.#intervalEnd)
    this.#intervalEnd = null
  }
}

type ProducerRecordLike = Pick<ProducerRecord, 'topic' | 'partition' | 'key' | 'value'>
