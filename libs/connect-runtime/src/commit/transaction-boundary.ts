import { backoffMs, MAX_TIMER_MS, Serial } from '@tributary/async'
import { type Clock, errorKind } from '@tributary/connect-api'
import type { KafkaProducer, ProducerRecord } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import type { SourceTaskConfig } from '../model/source-task-config.ts'

export interface TransactionalBatch {
  readonly byteCount: number
  /** Sends records and offsets; answers what to do once the transaction is committed. May run again after an abort. */
  readonly send: () => Promise<() => void>
  /** Sends the offsets alone: the connector discarded the records. */
  readonly discard: () => Promise<() => void>
  readonly committed: () => Promise<void> | undefined
}

export interface TransactionBoundaryOptions {
  readonly producer: KafkaProducer
  readonly config: SourceTaskConfig
  readonly clock: Clock
  readonly log: Logger
  /** Ends all waiting. */
  readonly signal: AbortSignal
  /** Resolves once this worker may have side effects; a commit that no batch brought about asks it. */
  readonly permitted: () => Promise<void>
  /** An interval's commit failed, which nobody waits for. */
  readonly onFailure: (error: unknown) => void
}

/**
 * `transaction.boundary` (KIP-618): `poll` commits each batch; `interval` what came together within
 * `transaction.boundary.interval.ms`, or earlier at `max.in.flight.bytes`; `connector` where `end` says. A transaction's
 * batches are kept until it is committed: after an abort by an outage, or while nothing comes, all of it is sent again.
 */
export class TransactionBoundary {
  readonly #options: TransactionBoundaryOptions
  /** Polling goes on while an interval's end commits: one thing at a time. */
  readonly #operations = new Serial()
  #batches: TransactionalBatch[] = []
  #afterCommit: (() => void)[] = []
  /** The producer has a transaction open that holds all batches that `#afterCommit` has. */
  #open = false
  #intervalEnd: NodeJS.Timeout | null = null

  constructor(options: TransactionBoundaryOptions) {
    this.#options = options
  }

  /** Sends a batch in the open transaction, or a new one, and commits when the boundary is reached. */
  run(batch: TransactionalBatch): Promise<void> {
    const { config, signal } = this.#options
    return this.#operations.run(async () => {
      this.#batches.push(batch)
      try {
        if (this.#open) this.#afterCommit.push(await batch.send())
        else await this.#sendAll()
      } catch (error) {
        await this.#again(error, signal)
      }
      const byteCount = this.#batches.reduce((sum, { byteCount }) => sum + byteCount, 0)
      const full = config.transactionBoundary === 'interval' && byteCount >= config.maxInFlightBytes
      if (full || config.transactionBoundary === 'poll') await this.#commit(signal)
    })
  }

  async sendOffsets(records: readonly ProducerRecordLike[], signal: AbortSignal): Promise<void> {
    const timestamp = this.#options.clock.now()
    const { failures } = await this.#options.producer.send(
      records.map((record): ProducerRecord => ({ ...record, timestamp })),
      signal,
    )
    if (failures[0]) throw failures[0].error
  }

  /** The connector says where its transaction ends; an aborted one's offsets are committed all the same. */
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
   * Nothing may come for long: an open transaction would hold up all who read committed records, and time out. What the
   * connector has not ended is aborted, and sent again with the next batch.
   */
  rest(): Promise<void> {
    const { config, signal } = this.#options
    return this.#operations.run(() =>
      config.transactionBoundary === 'connector' ? this.#abortAtBroker(signal) : this.#commit(signal),
    )
  }

  /** At a stop: commits what is open. What the connector has not ended the next run reads again. */
  finish(signal: AbortSignal): Promise<void> {
    const { config } = this.#options
    return this.#operations.run(() =>
      config.transactionBoundary === 'connector' ? this.#forget(signal) : this.#commit(signal),
    )
  }

  /** After a failure: commits what was sent whole, else aborts. */
  settle(signal: AbortSignal): Promise<void> {
    const { config } = this.#options
    return this.#operations.run(() =>
      this.#whole && config.transactionBoundary !== 'connector' ? this.#commit(signal) : this.#forget(signal),
    )
  }

  /** Aborts what is open, if anything; its batches are forgotten. */
  abort(signal: AbortSignal): Promise<void> {
    return this.#operations.run(() => this.#forget(signal))
  }

  get #whole(): boolean {
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
        await this.#again(error, signal)
        continue
      }
      log.debug('transaction_committed', { batches: this.#batches.length })
      const done = this.#batches
      const after = this.#afterCommit
      this.#batches = []
      this.#closed()
      for (const acknowledge of after) acknowledge()
      for (const batch of done) await batch.committed()
    }
  }

  /** Begins a transaction and sends in it all that belongs to it. */
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
      // A batch may have failed meanwhile, which is the end of the task.
      if (this.#open && this.#whole) await this.#commit(signal)
    }
    this.#operations.run(commit).catch(onFailure)
  }

  /** Aborts and sends all batches of the transaction again; only an outage is worth it. */
  async #again(error: unknown, signal: AbortSignal): Promise<void> {
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

  /** Keeps the batches. */
  async #abortAtBroker(signal: AbortSignal): Promise<void> {
    const { producer } = this.#options
    const open = this.#open
    this.#closed()
    if (open) await producer.abortTransaction(signal)
  }

  #closed(): void {
    this.#open = false
    this.#afterCommit = []
    if (this.#intervalEnd) clearTimeout(this.#intervalEnd)
    this.#intervalEnd = null
  }
}

type ProducerRecordLike = Pick<ProducerRecord, 'topic' | 'partition' | 'key' | 'value'>
