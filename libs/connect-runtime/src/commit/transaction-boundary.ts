import { backoffMs, MAX_TIMER_MS, Serial } from '@tributary/async'
import { type Clock, errorCode, errorKind, type SourceTask } from '@tributary/connect-api'
import type { OffsetStore } from '@tributary/connect-storage'
import type { KafkaProducer, ProduceResult, ProducerRecord } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import { runtimeErrors } from '../errors.ts'
import { type Batch, offsetEntries } from '../records/batch.ts'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import type { TaskId } from '../model/task.ts'

export interface TransactionalBatch {
  readonly byteCount: number
  readonly offsets: Batch['offsets']
  /** Sends the records. Runs again after an abort. Null: the connector has discarded them. */
  readonly send: () => Promise<ProduceResult | null>
  /** The transaction is committed. `result` is that of `send`. */
  readonly committed: (result: ProduceResult | null) => void
}

export interface TransactionBoundaryOptions {
  readonly parts: {
    readonly id: TaskId
    readonly task: Pick<SourceTask, 'commit'>
    readonly producer: KafkaProducer
    readonly offsets: Pick<OffsetStore, 'encode'>
    readonly config: SourceTaskConfig
    readonly clock: Clock
    readonly log: Logger
  }
  /** Ends every wait. */
  readonly signal: AbortSignal
  /** Resolves once this worker may have side effects. What no caller awaits awaits it. */
  readonly permitted: () => Promise<void>
  /** Called when the commit at the end of an interval fails. No caller awaits that commit. */
  readonly onFailure: (error: unknown) => void
  /** See BatchConverter. */
  readonly outages?: Set<() => void>
}

/**
 * Ends transactions as `transaction.boundary` says (KIP-618). `poll` commits each batch at once. The batches that come while a
 * transaction ends share the next one, since a transactional id has one open transaction. `interval` commits after
 * `transaction.boundary.interval.ms`, or sooner once the transaction holds `max.in.flight.bytes`. `connector` ends the transaction
 * where the connector calls `end`. The batches of a transaction are kept until its commit, to be sent again after an abort.
 */
export class TransactionBoundary {
  readonly #options: TransactionBoundaryOptions
  /** Runs one operation at a time, since the task goes on polling while the end of an interval commits. */
  readonly #operations = new Serial()
  #batches: TransactionalBatch[] = []
  /** Of those batches of the open transaction that are sent. */
  #results: (ProduceResult | null)[] = []
  #open = false
  #intervalEnd: NodeJS.Timeout | null = null
  /** The batches that will share the next transaction, and what comes of it; null: none waits. */
  #next: { readonly batches: TransactionalBatch[]; readonly done: Promise<void> } | null = null
  /** The first failure of a transaction that no caller awaits: nothing may follow it. */
  #failure: { readonly error: unknown } | null = null

  constructor(options: TransactionBoundaryOptions) {
    this.#options = options
    options.outages?.add(() => void this.closeBeforeWait().catch(options.onFailure))
  }

  /** Sends a batch in the open transaction, or in a new one. With the boundary `poll`, resolves once that is committed. */
  run(batch: TransactionalBatch): Promise<void> {
    const { signal } = this.#options
    const { config } = this.#options.parts
    if (config.transactionBoundary === 'poll') return this.#runWithNext(batch)
    return this.#operations.run(async () => {
      this.#batches.push(batch)
      try {
        if (this.#open) this.#results.push(await batch.send())
        else await this.#sendAll()
      } catch (error) {
        await this.#resend(error, signal)
      }
      const byteCount = this.#batches.reduce((sum, { byteCount }) => sum + byteCount, 0)
      if (config.transactionBoundary === 'interval' && byteCount >= config.maxInFlightBytes) await this.#commit(signal)
    })
  }

  #runWithNext(batch: TransactionalBatch): Promise<void> {
    if (this.#next !== null) {
      this.#next.batches.push(batch)
      return this.#next.done
    }
    const batches = [batch]
    const done = this.#operations.run(async () => {
      this.#next = null
      try {
        await this.#options.permitted()
        await this.#runTogether(batches)
      } catch (error) {
        this.#failure = { error }
        throw error
      }
    })
    this.#next = { batches, done }
    return done
  }

  /** A batch that fails for its data must not keep those before it from being committed: each gets a transaction of its own then. */
  async #runTogether(batches: TransactionalBatch[]): Promise<void> {
    const { signal } = this.#options
    this.#batches = batches
    try {
      await this.#commit(signal)
    } catch (error) {
      // Once they are committed, the error is one of the task that was told so, and nothing may be sent again.
      const committed = this.#batches !== batches
      if (committed || batches.length === 1 || errorKind(error) !== 'data') throw error
      await this.#abortAtBroker(signal)
      for (const batch of batches) await this.#runTogether([batch])
    }
  }

  /**
   * Runs `send` in a transaction of its own, between those of the task, which it neither delays for long nor fails: what rejects the
   * promise has been aborted. A transaction that the connector has not ended is aborted before, and sent again with the next batch.
   */
  alone<T>(send: () => Promise<T>): Promise<T> {
    const { parts, signal, permitted, onFailure } = this.#options
    const { producer, config } = parts
    return this.#operations.run(async () => {
      try {
        await permitted()
        await (config.transactionBoundary === 'connector' ? this.#abortAtBroker(signal) : this.#commit(signal))
      } catch (error) {
        onFailure(error)
        throw error
      }
      try {
        producer.beginTransaction()
        this.#open = true
        const result = await send()
        await producer.commitTransaction(signal)
        this.#markClosed()
        return result
      } catch (error) {
        // A task whose source is idle would not notice that its producer is fenced.
        await this.#abortAtBroker(signal).catch(onFailure)
        if (errorCode(error) === 'PRODUCER_FENCED') onFailure(error)
        throw error
      }
    })
  }

  /** Ends the transaction as the connector asked. The offsets of an aborted transaction are committed all the same. */
  end(how: 'commit' | 'abort'): Promise<void> {
    const { parts, signal } = this.#options
    return this.#operations.run(async () => {
      if (how === 'abort' && this.#batches.length > 0) {
        parts.log.info('transaction_discarded', { batches: this.#batches.length })
        await this.#abortAtBroker(signal)
        this.#batches = this.#batches.map((batch) => ({ ...batch, send: () => Promise.resolve(null) }))
      }
      await this.#commit(signal)
    })
  }

  /**
   * Leaves no transaction open before a long wait: an open one would hold up all readers of committed records, and time out. A
   * transaction that the connector has not ended is aborted, and sent again with the next batch.
   */
  closeBeforeWait(): Promise<void> {
    const { parts, signal } = this.#options
    return this.#operations.run(() =>
      parts.config.transactionBoundary === 'connector' ? this.#abortAtBroker(signal) : this.#commit(signal),
    )
  }

  /** At a stop: commits the open transaction. One that the connector has not ended is aborted; the next run reads it again. */
  finish(signal: AbortSignal): Promise<void> {
    const { parts } = this.#options
    return this.#operations.run(() =>
      parts.config.transactionBoundary === 'connector' ? this.#forget(signal) : this.#commit(signal),
    )
  }

  /** After a failure: commits the transaction if all its batches were sent; otherwise aborts it. */
  settle(signal: AbortSignal): Promise<void> {
    const { parts } = this.#options
    return this.#operations.run(async () => {
      try {
        if (this.#allSent && parts.config.transactionBoundary !== 'connector') await this.#commit(signal)
      } finally {
        await this.#forget(signal)
      }
    })
  }

  /** Aborts the open transaction, if there is one, and forgets its batches. */
  abort(signal: AbortSignal): Promise<void> {
    return this.#operations.run(() => this.#forget(signal))
  }

  get #allSent(): boolean {
    return this.#results.length === this.#batches.length
  }

  async #commit(signal: AbortSignal): Promise<void> {
    const { producer, task, log } = this.#options.parts
    if (this.#failure !== null) throw this.#failure.error
    while (this.#batches.length > 0) {
      try {
        // Records and offsets that are sent together share their requests.
        await Promise.all([this.#open ? null : this.#sendAll(), this.#sendOffsets(signal)])
        log.debug('transaction_ending', { batches: this.#batches.length })
        await producer.commitTransaction(signal)
      } catch (error) {
        await this.#resend(error, signal)
        continue
      }
      log.debug('transaction_committed', { batches: this.#batches.length })
      const done = this.#batches
      const results = this.#results
      this.#batches = []
      this.#markClosed()
      done.forEach((batch, i) => batch.committed(results[i]!))
      await task.commit?.(signal)
    }
  }

  /** Begins a transaction and sends all its batches. */
  async #sendAll(): Promise<void> {
    const { producer, config, log } = this.#options.parts
    log.debug('transaction_begun')
    producer.beginTransaction()
    this.#open = true
    if (config.transactionBoundary === 'interval') {
      this.#intervalEnd = setTimeout(() => this.#intervalOver(), Math.min(config.transactionIntervalMs, MAX_TIMER_MS))
    }
    this.#results = await Promise.all(this.#batches.map((batch) => batch.send()))
  }

  /** Sends the last offset of each source partition. The offsets topic comes back after a deletion, so its absence is an outage. */
  async #sendOffsets(signal: AbortSignal): Promise<void> {
    const { clock, producer, offsets: store, id } = this.#options.parts
    const offsets = new Map(this.#batches.flatMap((batch) => [...batch.offsets]))
    if (offsets.size === 0) return
    const timestamp = clock.now()
    const encoded = store.encode(id.connector, offsetEntries(offsets))
    const records = encoded.map((record): ProducerRecord => ({ ...record, timestamp }))
    try {
      const { failures } = await producer.send(records, signal)
      if (failures[0]) throw failures[0].error
    } catch (error) {
      if (errorCode(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      const text = 'the offsets topic was deleted; waiting for its return'
      throw runtimeErrors.OFFSETS_TOPIC_DELETED(text, { cause: error })
    }
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
    const { clock, log } = this.#options.parts
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
    const { producer } = this.#options.parts
    // One whose abort was given up is still open: the last abort of the run ends it.
    if (this.#open) await producer.abortTransaction(signal)
    this.#markClosed()
  }

  #markClosed(): void {
    this.#open = false
    this.#results = []
    if (this.#intervalEnd) clearTimeout(this.#intervalEnd)
    this.#intervalEnd = null
  }
}
