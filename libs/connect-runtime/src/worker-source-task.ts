import { END_OF_INPUT, NotConnectedError, type SourceRecord, errorKind } from '@tributary/connect-api'
import type { ProduceResult, ProducerRecord } from '@tributary/kafka-producer'
import { type Batch, byteCountOf, lastOffsets } from './batch.ts'
import { BatchSender } from './batch-sender.ts'
import { ConnectionKeeper, DEFAULT_RECONNECT } from './connection-keeper.ts'
import { Gate } from './gate.ts'
import { BadRecordError } from './record-encoder.ts'
import { SubmittedBatches } from './submitted-batches.ts'
import type { TaskParts } from './task-parts.ts'
import { TaskProgress } from './task-progress.ts'
import { TransactionBoundary } from './transaction-boundary.ts'

/** One state machine: starting → running ⇄ paused → draining → stopped; any → failed. */
export type TaskState = 'starting' | 'running' | 'paused' | 'draining' | 'stopped' | 'failed'

/** Tells a stop that is over from one that gave something up. */
class Abandoned extends Error {}

/**
 * One source task, from poll to commit: the way of a record (stops 2 to 7) as calls, in order, in `#work`. Everything
 * that awaits takes a signal: `#stopping` ends intake, `#abandon` ends all.
 */
export class WorkerSourceTask {
  readonly progress = new TaskProgress()
  readonly connection: ConnectionKeeper
  readonly #parts: TaskParts
  readonly #submitted = new SubmittedBatches()
  readonly #sender: BatchSender
  readonly #transactions: TransactionBoundary | null
  readonly #stopping = new AbortController()
  readonly #abandon = new AbortController()
  readonly #resumed = new Gate(true)
  readonly #room = new Gate(true)
  readonly #committable = new Gate(false)
  readonly #sends = new Set<Promise<void>>()
  #state: TaskState = 'starting'
  #withoutLease = false
  #finished: Promise<void> | null = null

  constructor(parts: TaskParts) {
    this.#parts = parts
    const { task, plugin, clock, log, config } = parts
    const policy = plugin.reconnectPolicy?.(parts.props) ?? DEFAULT_RECONNECT
    this.connection = new ConnectionKeeper({ task, policy, clock, log })
    this.#sender = new BatchSender(parts)
    this.#transactions = config.exactlyOnce
      ? new TransactionBoundary({ producer: parts.producer, config, clock, log })
      : null
  }

  get state(): TaskState {
    return this.#state
  }

  /** Runs until stopped or failed; never rejects. The outcome is told by `onState`. */
  run(): Promise<void> {
    this.#finished ??= this.#run()
    return this.#finished
  }

  pause(): void {
    this.#resumed.close()
    if (this.#state === 'running') this.#enter('paused')
  }

  resume(): void {
    this.#resumed.open()
    if (this.#state === 'paused') this.#enter('running')
  }

  /** Stops intake, delivers what is queued, commits, closes, within `task.shutdown.graceful.timeout.ms`. Resolves when over. */
  async stop(): Promise<void> {
    if (this.#finished === null) return
    this.#stopping.abort(new Abandoned('stopping'))
    this.#parts.task.drain?.()
    const { shutdownTimeoutMs } = this.#parts.config
    const timer = setTimeout(() => this.#giveUp(`not done ${shutdownTimeoutMs} ms after the stop`), shutdownTimeoutMs)
    await this.#finished
    clearTimeout(timer)
  }

  /**
   * The task now belongs to another worker. A source that can resume drops what it has not sent, as the new owner reads
   * it again; one that cannot still sends it, without offsets.
   */
  async lose(): Promise<void> {
    const { plugin, props } = this.#parts
    if (plugin.connector.exactlyOnce?.(props) ?? false) this.#giveUp('the task was assigned to another worker')
    this.#withoutLease = true
    this.#parts.lease.release()
    await this.stop()
  }

  async #run(): Promise<void> {
    const committing = this.#commitLoop()
    let failure: unknown
    try {
      await this.#start()
      await this.#work()
      await this.#flush()
    } catch (error) {
      failure = this.#abandon.signal.aborted ? this.#abandon.signal.reason : error
    }
    this.#stopping.abort(new Abandoned('ended'))
    await Promise.allSettled(this.#sends)
    if (failure !== undefined && !(failure instanceof Abandoned)) await this.#commitWhatIsAcked()
    this.#abandon.abort(new Abandoned('ended'))
    await committing.catch((error: unknown) => (failure ??= error))
    await this.#close()
    if (failure === undefined || failure instanceof Abandoned) this.#enter('stopped')
    else this.#enter('failed', failure)
  }

  async #start(): Promise<void> {
    const { task, producer, offsets, lease, log } = this.#parts
    const signal = this.#abandon.signal
    const { id, props, stats, clock } = this.#parts
    log.debug('producer_starting')
    await producer.start(signal)
    log.debug('producer_started')
    await lease.passed(signal)
    await offsets.refresh(signal)
    await task.start({
      connector: id.connector,
      task: id.task,
      config: props,
      offset: (partition) => offsets.offset(id.connector, partition),
      log,
      stats,
      clock,
    })
    this.#enter(this.#resumed.isOpen ? 'running' : 'paused')
  }

  /** A record's way, stops 2 to 7. */
  async #work(): Promise<void> {
    for (;;) {
      const records = await this.#poll()
      if (records === END_OF_INPUT) return
      if (records.length === 0) {
        await this.#transactions?.commitWhenDue(this.#abandon.signal)
        continue
      }
      try {
        await this.#deliver(records)
      } catch (error) {
        if (!(error instanceof BadRecordError)) throw error
        if (error.index > 0) await this.#deliver(records.slice(0, error.index))
        throw error.cause
      }
    }
  }

  async #deliver(records: SourceRecord[]): Promise<void> {
    const batch = await this.#transformAndConvert(records)
    await this.#leaseValid()
    if (this.#transactions) await this.#produceInTransaction(batch)
    else await this.#produce(batch)
  }

  /** Stop 2: the next batch; waits while paused, connects and connects again. */
  async #poll(): Promise<SourceRecord[] | typeof END_OF_INPUT> {
    const { task } = this.#parts
    for (;;) {
      if (!this.#resumed.isOpen && !this.#stopping.signal.aborted) await this.#unlessStopped(this.#pausedUntilResumed())
      const stopping = this.#stopping.signal.aborted
      if (stopping && (!task.drain || !this.connection.connected)) return END_OF_INPUT
      if (!this.connection.connected) {
        await this.#unlessStopped(this.connection.connect(this.#stopping.signal))
        continue
      }
      try {
        const records = await task.poll(this.#abandon.signal)
        if (records !== END_OF_INPUT && records.length > 0) this.connection.delivered()
        return records
      } catch (error) {
        if (!(error instanceof NotConnectedError)) throw error
        if (this.#stopping.signal.aborted) return END_OF_INPUT
        this.connection.lost(error)
      }
    }
  }

  async #pausedUntilResumed(): Promise<void> {
    await this.#transactions?.commit(this.#abandon.signal)
    await this.#resumed.passed(this.#stopping.signal)
  }

  /** Stops 3 and 4: transformations, then converters; bad records become dead letters of the same batch. */
  async #transformAndConvert(records: SourceRecord[]): Promise<Batch> {
    const { encoder, topics, clock } = this.#parts
    const signal = this.#abandon.signal
    const polledAt = clock.monotonic()
    this.progress.polled(records.length)
    const deadLetters: ProducerRecord[] = []
    const transformed = await encoder.transform(records, signal, deadLetters)
    await topics.ensure(transformed, signal)
    const traceparent = this.#parts.tracing.batchStarted(records.length)
    const { encoded, indexes } = await encoder.convert(transformed, topics.counts, traceparent, signal, deadLetters)
    for (const deadLetter of deadLetters) encoded.push(await this.#sender.addressed(deadLetter, signal))
    return { records, encoded, indexes, offsets: lastOffsets(records), byteCount: byteCountOf(encoded), polledAt }
  }

  /** Stop 5: hands the batch to the producer and goes on, within the in-flight budget. */
  async #produce(batch: Batch): Promise<void> {
    await this.#room.passed(this.#abandon.signal)
    const submitted = this.#submitted.submit(batch.offsets, batch.records.length, batch.byteCount)
    this.#budget()
    this.#track(
      this.#sender.send(batch, this.#abandon.signal).then((result) => {
        this.#acknowledged(batch, result)
        if (this.#submitted.ack(submitted)) this.#committable.open()
        this.#budget()
      }),
    )
  }

  /** Stops 5 to 7 at once: records and offsets in one transaction (KIP-618). */
  async #produceInTransaction(batch: Batch): Promise<void> {
    const { offsets, id } = this.#parts
    const entries = [...batch.offsets].map(([partition, offset]) => ({ partition, offset }))
    await this.#transactions!.run(this.#abandon.signal, {
      send: async () => {
        const result = await this.#sender.send(batch, this.#abandon.signal)
        await this.#transactions!.sendOffsets(offsets.encode(id.connector, entries), this.#abandon.signal)
        return () => this.#acknowledged(batch, result)
      },
      committed: () => {
        this.progress.committed(batch.records.length)
        return this.#parts.task.commit?.(this.#abandon.signal)
      },
    })
  }

  /** Stop 6: the broker has the batch. */
  #acknowledged(batch: Batch, result: ProduceResult): void {
    const { task, clock, tracing } = this.#parts
    this.progress.acknowledged(batch.records.length, clock.now(), clock.monotonic() - batch.polledAt)
    tracing.batchEnded()
    if (!task.commitRecord) return
    const produced = new Map(batch.indexes.map((record, i) => [record, i]))
    for (let i = 0; i < batch.records.length; i++) {
      const at = produced.get(i)
      const offset = at === undefined ? null : result.offset(at)
      const to = at === undefined ? undefined : batch.encoded[at]
      task.commitRecord(
        batch.records[i]!,
        offset === null || !to ? null : { topic: to.topic, partition: to.partition, offset, timestamp: to.timestamp },
      )
    }
  }

  /** Stop 7: the offsets of the acknowledged prefix, when something changed, at most each `offset.commit.interval.ms`. */
  async #commitOffsets(signal: AbortSignal): Promise<void> {
    if (this.#withoutLease) return
    await this.#parts.lease.passed(signal)
    const taken = this.#submitted.takeCommittable()
    if (taken === null) return
    const { offsets, id, task, log } = this.#parts
    try {
      await offsets.write(
        id.connector,
        [...taken.offsets].map(([partition, offset]) => ({ partition, offset })),
        signal,
      )
    } catch (error) {
      this.#submitted.restore(taken)
      throw error
    }
    log.debug('offsets_committed', { records: taken.recordCount })
    this.progress.committed(taken.recordCount)
    await task.commit?.(signal)
  }

  async #commitLoop(): Promise<void> {
    const signal = this.#stopping.signal
    try {
      for (;;) {
        await this.#committable.passed(signal)
        this.#committable.close()
        await this.#commitOffsets(this.#abandon.signal)
        await this.#parts.clock.sleep(this.#parts.config.commitIntervalMs, signal)
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof Abandoned)) this.#fail(error)
    }
  }

  /** After the last poll: awaits the acknowledgements and commits. */
  async #flush(): Promise<void> {
    const signal = this.#abandon.signal
    if (this.#transactions) return this.#transactions.commit(signal)
    await Promise.all(this.#sends)
    await this.#commitOffsets(signal)
  }

  /** A failed task leaves behind the offsets of what the broker has, so that a restart does not repeat it. */
  async #commitWhatIsAcked(): Promise<void> {
    if (this.#transactions) return
    const signal = AbortSignal.timeout(this.#parts.config.shutdownTimeoutMs)
    await this.#commitOffsets(signal).catch((error: unknown) => this.#parts.log.warn('final_commit_failed', { error }))
  }

  async #close(): Promise<void> {
    const { task, producer, encoder, log } = this.#parts
    for (const release of [() => task.stop(), () => producer.close(), () => Promise.resolve(encoder.close())]) {
      await release().catch((error: unknown) => log.warn('close_failed', { error }))
    }
  }

  #giveUp(reason: string): void {
    if (this.#abandon.signal.aborted) return
    const { inFlightRecords } = this.#submitted
    const queued = this.#parts.stats.queueSize
    this.progress.abandoned += inFlightRecords + queued
    this.#parts.log.warn('task_abandoned', { reason, records_in_flight: inFlightRecords, records_queued: queued })
    this.#abandon.abort(new Abandoned(reason))
  }

  #fail(error: unknown): void {
    if (!this.#abandon.signal.aborted) this.#abandon.abort(error)
  }

  #track(send: Promise<void>): void {
    const tracked = send.catch((error: unknown) => this.#fail(error)).finally(() => this.#sends.delete(tracked))
    this.#sends.add(tracked)
  }

  #budget(): void {
    const { maxInFlightRecords, maxInFlightBytes } = this.#parts.config
    this.progress.inFlightRecords = this.#submitted.inFlightRecords
    if (this.#submitted.inFlightRecords >= maxInFlightRecords || this.#submitted.inFlightBytes >= maxInFlightBytes) {
      this.#room.close()
    } else this.#room.open()
  }

  async #leaseValid(): Promise<void> {
    if (!this.#withoutLease) await this.#parts.lease.passed(this.#abandon.signal)
  }

  /** Awaits something that a stop may interrupt. */
  async #unlessStopped(waiting: Promise<void>): Promise<void> {
    try {
      await waiting
    } catch (error) {
      if (!this.#stopping.signal.aborted) throw error
      this.#abandon.signal.throwIfAborted()
    }
  }

  #enter(state: TaskState, error?: unknown): void {
    if (this.#state === state) return
    this.#state = state
    this.#parts.onState(state, error, error === undefined ? null : errorKind(error))
  }
}
