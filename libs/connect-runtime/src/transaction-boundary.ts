import { type Clock, errorKind } from '@tributary/connect-api'
import type { KafkaProducer, ProducerRecord } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import { backoffMs } from './backoff.ts'
import type { SourceTaskConfig } from './source-task-config.ts'

export interface TransactionalBatch {
  /** Sends records and offsets; answers what to do once the transaction is committed. May run again after an abort. */
  send(): Promise<() => void>
  committed(): Promise<void> | undefined
}

export interface TransactionBoundaryOptions {
  readonly producer: KafkaProducer
  readonly config: SourceTaskConfig
  readonly clock: Clock
  readonly log: Logger
}

/**
 * `transaction.boundary` (KIP-618): `poll` commits each batch, `interval` what came together within
 * `transaction.boundary.interval.ms`. After an abort every batch of the transaction is sent again.
 */
export class TransactionBoundary {
  readonly #options: TransactionBoundaryOptions
  #batches: TransactionalBatch[] = []
  #afterCommit: (() => void)[] = []
  #openedAt = 0

  constructor(options: TransactionBoundaryOptions) {
    this.#options = options
  }

  /** Sends a batch in the open transaction, or a new one, and commits when the boundary is reached. */
  async run(signal: AbortSignal, batch: TransactionalBatch): Promise<void> {
    const { producer, clock, log } = this.#options
    if (this.#batches.length === 0) {
      log.debug('transaction_begun')
      producer.beginTransaction()
      this.#openedAt = clock.monotonic()
    }
    this.#batches.push(batch)
    try {
      this.#afterCommit.push(await batch.send())
    } catch (error) {
      await this.#again(error, signal)
    }
    await this.commitWhenDue(signal)
  }

  async sendOffsets(records: readonly ProducerRecordLike[], signal: AbortSignal): Promise<void> {
    const timestamp = this.#options.clock.now()
    const { failures } = await this.#options.producer.send(
      records.map((record): ProducerRecord => ({ ...record, timestamp })),
      signal,
    )
    if (failures[0]) throw failures[0].error
  }

  async commitWhenDue(signal: AbortSignal): Promise<void> {
    if (this.#batches.length === 0) return
    const { config, clock } = this.#options
    const due =
      config.transactionBoundary === 'poll' || clock.monotonic() - this.#openedAt >= config.transactionIntervalMs
    if (due) await this.commit(signal)
  }

  /** Commits what is open, if anything. */
  async commit(signal: AbortSignal): Promise<void> {
    const { producer, log } = this.#options
    while (this.#batches.length > 0) {
      log.debug('transaction_ending', { batches: this.#batches.length })
      try {
        await producer.commitTransaction(signal)
      } catch (error) {
        await this.#again(error, signal)
        continue
      }
      log.debug('transaction_committed', { batches: this.#batches.length })
      const done = this.#batches
      const after = this.#afterCommit
      this.#batches = []
      this.#afterCommit = []
      for (const acknowledge of after) acknowledge()
      for (const batch of done) await batch.committed()
    }
  }

  /** After a failure: commits what was sent whole, else aborts. */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#afterCommit.length === this.#batches.length) await this.commit(signal)
    else await this.abort(signal)
  }

  /** Aborts what is open, if anything; its batches are forgotten. */
  async abort(signal: AbortSignal): Promise<void> {
    if (this.#batches.length === 0) return
    this.#batches = []
    this.#afterCommit = []
    await this.#options.producer.abortTransaction(signal)
  }

  /** Aborts and sends all batches of the transaction again; only an outage is worth it. */
  async #again(error: unknown, signal: AbortSignal): Promise<void> {
    const { producer, clock, log } = this.#options
    for (let failure = error, attempt = 1; ; attempt++) {
      if (signal.aborted || errorKind(failure) !== 'retriable') throw failure
      log.warn('transaction_aborted', { attempt, error: failure })
      try {
        await clock.sleep(backoffMs(attempt, { baseMs: 100, maxMs: 10_000 }), signal)
        await producer.abortTransaction(signal)
        producer.beginTransaction()
        this.#openedAt = clock.monotonic()
        this.#afterCommit = []
        for (const batch of this.#batches) this.#afterCommit.push(await batch.send())
        return
      } catch (again) {
        failure = again
      }
    }
  }
}

type ProducerRecordLike = Pick<ProducerRecord, 'topic' | 'partition' | 'key' | 'value'>
