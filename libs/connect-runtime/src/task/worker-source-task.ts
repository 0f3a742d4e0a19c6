import { setImmediate as nextTurn } from 'node:timers/promises'
import { Gate } from '@tributary/async'
import { END_OF_INPUT, errorCode, errorKind, type Polled } from '@tributary/connect-api'
import type { ProduceResult } from '@tributary/kafka-producer'
import { type Batch, countRecords, positionBatch } from '../records/batch.ts'
import { BatchConverter } from '../records/batch-converter.ts'
import { BatchSender } from '../records/batch-sender.ts'
import { commitRecords } from '../records/commit-records.ts'
import { DEFAULT_RECONNECT, Reconnector } from '../connection/reconnector.ts'
import { handOverStateOf, PredecessorGoesOn } from '../hand-over/predecessor.ts'
import { followPredecessor } from '../hand-over/follow-predecessor.ts'
import { InFlight } from '../commit/in-flight.ts'
import { Beside } from './beside.ts'
import { Deliveries } from './deliveries.ts'
import { Offers } from './offers.ts'
import { OffsetCommitter } from '../commit/offset-committer.ts'
import { checkPolled, unexpectedEnd } from '../records/record-contract.ts'
import { BadRecordError } from '../records/stage-failure.ts'
import type { TaskParts } from './task-parts.ts'
import type { TaskState } from '../model/task.ts'
import { TaskProgress } from '../model/task-progress.ts'
import { BackgroundReconnect } from '../connection/background-reconnect.ts'
import { closeTask, startProducer, startTask, tellTask } from './task-start.ts'
import { TransactionBoundary } from '../commit/transaction-boundary.ts'
import { TransactionRequests } from '../commit/transaction-requests.ts'

/** Time in ms for an abandoned task to abort its transaction. */
const ABORT_TIMEOUT_MS = 1000
/** The reason of an abort that is no failure. */
class Abandoned extends Error {}

/**
 * One run of a source task. `#work` calls the steps of a record in order: poll, transform and convert, produce, acknowledge,
 * commit. Every wait takes a signal: `#stopping` ends the intake, `#abandon` ends all work.
 */
export class WorkerSourceTask {
  readonly progress: TaskProgress
  readonly connection: Reconnector
  /** Sends what the source has not just brought. */
  readonly beside: Beside
  /** The state that the task leaves to its successor; null until the run has ended with everything delivered. */
  handOverState: string | null = null
  readonly #parts: TaskParts
  readonly #inFlight: InFlight
  readonly #offsets: OffsetCommitter
  readonly #converter: BatchConverter
  readonly #sender: BatchSender
  readonly #deliveries: Deliveries
  readonly #offers: Offers
  readonly #transactions: TransactionBoundary | null
  readonly #transactionRequests = new TransactionRequests()
  readonly #stopping = new AbortController()
  readonly #abandon = new AbortController()
  readonly #resumed = new Gate(true)
  readonly #backgroundReconnect: BackgroundReconnect
  #state: TaskState = 'starting'
  #ends = false
  #lost = false
  #finished: Promise<void> | null = null
  #committing: Promise<void> = Promise.resolve()

  constructor(parts: TaskParts) {
    this.#parts = parts
    const { task, plugin, memory, clock, log, config } = parts
    this.progress = new TaskProgress(clock.now())
    const policy = plugin.reconnectPolicy?.(parts.props) ?? DEFAULT_RECONNECT
    this.connection = new Reconnector({ task, policy, clock, log, replaced: () => parts.replaced() })
    this.#sender = new BatchSender(parts)
    this.#converter = new BatchConverter(parts, this.#sender, this.progress)
    const onFailure = (error: unknown): void => this.fail(error)
    this.#inFlight = new InFlight({ config, progress: this.progress, memory: memory.share, onFailure })
    const eitherEnd = AbortSignal.any([this.#stopping.signal, this.#abandon.signal])
    eitherEnd.addEventListener('abort', () => (this.#ends = true), { once: true })
    this.#backgroundReconnect = new BackgroundReconnect({ task, connection: this.connection, signal: eitherEnd })
    const lost = (): boolean => this.#lost
    const [inFlight, progress, signal] = [this.#inFlight, this.progress, this.#abandon.signal]
    this.#offsets = new OffsetCommitter({ parts, inFlight, progress, lost })
    this.#deliveries = new Deliveries({ sender: this.#sender, inFlight, signal, onAcknowledged: this.#acknowledged })
    const [converter, send, background] = [this.#converter, this.#deliveries.start, this.#backgroundReconnect]
    const steps = { converter, inFlight, progress, send, fail: onFailure, ends: () => this.#ends, lost }
    this.#offers = new Offers({ ...parts, ...steps, resumed: this.#resumed, connection: this.connection, background })
    const transactional = { parts, signal, permitted: () => this.#leaseValid(), onFailure, outages: converter.outages }
    this.#transactions = config.exactlyOnce ? new TransactionBoundary(transactional) : null
    const beside = { inFlight, transactions: this.#transactions, ends: eitherEnd, signal }
    this.beside = new Beside({ ...parts, ...beside, runs: () => this.#state === 'running' && !this.#ends })
  }

  get state(): TaskState {
    return this.#state
  }
  /** Runs until stopped or failed; never rejects. `onState` reports the outcome. */
  run(): Promise<void> {
    return (this.#finished ??= this.#run())
  }

  pause(): void {
    this.#resumed.close()
    if (this.#state === 'running') this.#enter('paused')
  }

  resume(): void {
    this.#resumed.open()
    if (this.#state === 'paused') this.#enter('running')
  }

  /**
   * Stops the intake, delivers the queued records, commits and closes, within `task.shutdown.graceful.timeout.ms`. Resolves at the
   * end of the run. `patient`: the run waits for Kafka, and for what a converter waits for, without that limit, until a second call sets the limit.
   */
  async stop(patient = false): Promise<void> {
    if (this.#finished === null) return
    this.#stopping.abort(new Abandoned('stopping'))
    this.#drain()
    const { shutdownTimeoutMs } = this.#parts.config
    const timer = setInterval(() => {
      if (patient && (this.#inFlight.records > 0 || this.progress.held?.step === 'converter')) return
      this.#giveUp(`not done ${shutdownTimeoutMs} ms after the stop`)
    }, shutdownTimeoutMs)
    await this.#finished
    clearInterval(timer)
  }

  /**
   * Called when another worker has the task. A source that can resume drops its unsent records, since the new owner reads them
   * again. A source that cannot resume still sends them, without offsets.
   */
  async lose(): Promise<void> {
    const { plugin, props } = this.#parts
    if (plugin.connector.exactlyOnce?.(props) ?? false) this.#giveUp('the task was assigned to another worker')
    this.#lost = true
    this.#parts.lease.release()
    await this.stop()
  }

  /** Ends the run as failed. The caller may have caught the error outside the run: in a callback, or by the watchdog. */
  fail(error: unknown): void {
    if (!this.#abandon.signal.aborted) this.#abandon.abort(error)
  }

  async #run(): Promise<void> {
    this.#committing = this.#commitLoop()
    let failure: unknown
    try {
      await this.#start()
      await this.#work()
      await this.#flush()
      this.handOverState = handOverStateOf(this.#parts.task, this.#parts.log)
    } catch (error) {
      failure = this.#abandon.signal.aborted ? this.#abandon.signal.reason : error
      if (errorCode(failure) === 'PRODUCER_FENCED' && !(await this.#stillOurs())) failure = new Abandoned('fenced')
      if (failure instanceof PredecessorGoesOn) failure = new Abandoned('not needed')
    }
    this.#stopping.abort(new Abandoned('ended'))
    await this.#inFlight.settled()
    await this.#committing
    if (failure !== undefined) await this.#settleAfterFailure(failure instanceof Abandoned)
    this.#abandon.abort(new Abandoned('ended'))
    await closeTask(this.#parts)
    this.connection.close()
    if (failure === undefined || failure instanceof Abandoned) this.#enter('stopped')
    else this.#enter('failed', failure)
  }

  /** Whether this worker still has the task after the fencing. Without a lease, waits until the group has answered. */
  async #stillOurs(): Promise<boolean> {
    const signal = this.#stopping.signal
    await this.#parts.lease.passed(signal).catch(() => undefined)
    return !this.#lost && !signal.aborted
  }

  /** Starts the task. A run with a predecessor also connects and takes over; any other run connects at its first poll. */
  async #start(): Promise<void> {
    const parts = this.#parts
    const { predecessor, offsets, id } = parts
    const abandon = this.#abandon.signal
    if (predecessor === null) await startProducer(parts, abandon)
    await startTask(parts, this.#transactionRequests, this.#converter.removed, this.#offers.offer)
    if (predecessor !== null) {
      await followPredecessor(predecessor, {
        ...parts,
        connection: this.connection,
        startProducer: () => startProducer(parts, abandon),
        offset: (partition) => offsets.offset(id.connector, partition),
        stopping: this.#stopping.signal,
        abandon,
      })
    }
    this.#enter(this.#resumed.isOpen ? 'running' : 'paused')
  }

  /** The steps of a record, from poll to commit. */
  async #work(): Promise<void> {
    for (;;) {
      const records = await this.#poll()
      this.#inFlight.check()
      if (records === END_OF_INPUT) return this.#commitPosition()
      if (records.length === 0) await this.#commitPosition()
      this.progress.polled(countRecords(records), this.#parts.clock.now())
      for (const { records: part, end, last } of this.#transactionRequests.split(records)) {
        if (part.length > 0) await this.#backgroundReconnect.during(this.#deliver(part, last ? records : null))
        if (end !== null) await this.#transactions?.end(end)
      }
    }
  }

  /**
   * A bad record that is not tolerated fails the task once the records before it are delivered. `polled`: what `poll` returned, if
   * these are its last records.
   */
  async #deliver(part: Polled[], polled: readonly Polled[] | null): Promise<void> {
    const signal = this.#abandon.signal
    const records = this.#converter.unpack(part)
    try {
      await this.#submit(await this.#converter.convert(records, polled, signal))
    } catch (error) {
      if (!(error instanceof BadRecordError)) throw error
      const before = records.slice(0, error.index)
      if (before.length > 0) await this.#submit(await this.#converter.convert(before, null, signal))
      throw error.cause
    }
  }

  /** Hands the batch to the producer without awaiting the acknowledgement. */
  async #submit(batch: Batch): Promise<void> {
    this.progress.holds('lease', batch.recordCount, this.#parts.clock.now())
    await this.#leaseValid()
    if (this.#transactions) return this.#produceInTransaction(this.#transactions, batch)
    await this.#room(batch)
    this.#deliveries.start(batch)
  }

  async #commitPosition(): Promise<void> {
    const { task, clock } = this.#parts
    const position = task.position?.() ?? null
    if (position !== null) await this.#submit(positionBatch(position, clock.monotonic()))
  }

  /** Returns the next batch. Waits while the task is paused; connects and reconnects the source. */
  async #poll(): Promise<Polled[] | typeof END_OF_INPUT> {
    const { task, plugin } = this.#parts
    for (;;) {
      if (!this.#resumed.isOpen && !this.#stopping.signal.aborted) await this.#unlessStopped(this.#pausedUntilResumed())
      const stopping = this.#stopping.signal.aborted
      const readable = this.connection.connected || this.#backgroundReconnect.hasQueuedMessages
      if (stopping && (!task.drain || !readable)) return END_OF_INPUT
      if (!readable) {
        await this.#unlessStopped(this.#connect())
        continue
      }
      try {
        const records = checkPolled(await this.#offers.poll(this.#abandon.signal), `the task of ${plugin.class}`)
        if (records === END_OF_INPUT) return this.#parts.finite || this.#ends ? records : unexpectedEnd()
        this.connection.polled()
        if (records.length === 0) await this.#backgroundReconnect.settle()
        return records
      } catch (error) {
        // poll may throw the abort reason, which can be retriable; do not poll again.
        if (this.#abandon.signal.aborted || !this.connection.mayPass(error)) throw error
        if (this.#stopping.signal.aborted) return END_OF_INPUT
        if (this.connection.survives(error)) await this.#unlessStopped(this.#waitToPollAgain(error))
        else if (!(await this.#backgroundReconnect.settle())) this.connection.lost(error)
      }
    }
  }

  /** Leaves no transaction open before it connects, since the source may be away for long. */
  async #connect(): Promise<void> {
    await this.#transactions?.closeBeforeWait()
    await this.connection.connect(this.#stopping.signal)
  }

  async #waitToPollAgain(error: unknown): Promise<void> {
    await this.#transactions?.closeBeforeWait()
    await this.connection.waitToPollAgain(error, this.#stopping.signal)
  }

  async #pausedUntilResumed(): Promise<void> {
    await this.#transactions?.closeBeforeWait()
    await this.#resumed.passed(this.#stopping.signal)
  }

  /** Produces records and offsets in one transaction (KIP-618). Its commit acknowledges the batch. */
  async #produceInTransaction(transactions: TransactionBoundary, batch: Batch): Promise<void> {
    const run = (): Promise<void> =>
      transactions.run({
        ...batch,
        send: () => this.#sender.send(batch, this.#abandon.signal),
        committed: (result) => {
          this.#acknowledged(batch, result)
          this.progress.committed(batch.recordCount)
        },
      })
    this.progress.held = null
    if (this.#parts.config.transactionBoundary !== 'poll') return run()
    await this.#room(batch)
    this.#inFlight.during({ ...batch, offsets: new Map() }, run)
    // An answer of the coordinator holds up all that waits, so it must not wait for several polls.
    await nextTurn()
  }

  /** Waits until another batch may be sent, within the in-flight limits. */
  async #room(batch: Batch): Promise<void> {
    this.progress.holds('room', batch.recordCount, this.#parts.clock.now())
    await this.#inFlight.room(this.#abandon.signal)
    this.progress.held = null
  }

  /** Called when the broker has the batch. A null result: the connector discarded the batch. */
  readonly #acknowledged = (batch: Batch, result: ProduceResult | null): void => {
    const { memory, clock, tracing } = this.#parts
    this.progress.acknowledged(batch, clock.now(), clock.monotonic() - batch.polledAt)
    tracing.batchEnded()
    memory.acknowledged(batch)
    commitRecords(this.#parts, batch, result)
  }

  /** Commits the offsets of the acknowledged prefix at intervals, until the run stops. */
  async #commitLoop(): Promise<void> {
    const signal = this.#stopping.signal
    try {
      await this.#offsets.run(signal, this.#abandon.signal)
    } catch (error) {
      if (!signal.aborted && !(error instanceof Abandoned)) this.fail(error)
    }
  }

  /** After the last poll: awaits the acknowledgements, then commits. */
  async #flush(): Promise<void> {
    const signal = this.#abandon.signal
    this.#stopping.abort(new Abandoned('ended'))
    await this.#transactions?.finish(signal)
    await this.#inFlight.settled()
    this.#inFlight.check()
    if (this.#transactions) return signal.throwIfAborted()
    // Awaits a write of the commit loop, since the next run reads the offsets as soon as this run is over.
    await this.#committing
    signal.throwIfAborted()
    await this.#offsets.commit(signal)
  }

  /**
   * A failed task commits the offsets of acknowledged records, so that a restart does not send them again. No task leaves a
   * transaction open: readers of committed records, and of offsets, would wait for its timeout.
   */
  async #settleAfterFailure(abandoned: boolean): Promise<void> {
    const { config, log } = this.#parts
    const signal = AbortSignal.timeout(abandoned ? ABORT_TIMEOUT_MS : config.shutdownTimeoutMs)
    try {
      if (abandoned) await this.#transactions?.abort(signal)
      else if (this.#transactions) await this.#transactions.settle(signal)
      else await this.#offsets.commit(signal)
    } catch (error) {
      log.warn('final_commit_failed', { error })
    }
    if (!abandoned) this.#countAbandoned('the task failed')
  }

  #drain(): void {
    tellTask(this.#parts.task, 'drain', (error) => {
      this.#parts.log.error('drain_failed', { error })
      this.#giveUp('the source could not be drained')
    })
  }

  #giveUp(reason: string): void {
    if (this.#abandon.signal.aborted) return
    this.#countAbandoned(reason)
    this.#abandon.abort(new Abandoned(reason))
  }

  #countAbandoned(reason: string): void {
    const { unacknowledged } = this.progress
    const queued = this.#parts.stats.queueSize
    this.progress.abandoned += unacknowledged + queued
    this.#parts.log.warn('task_abandoned', { reason, records_in_flight: unacknowledged, records_queued: queued })
  }

  async #leaseValid(): Promise<void> {
    if (!this.#lost) await this.#parts.lease.passed(this.#abandon.signal)
  }

  /** Awaits `waiting`. At a stop, swallows the error with which the wait ended, unless the run is abandoned. */
  async #unlessStopped(waiting: Promise<void>): Promise<void> {
    try {
      await waiting
    } catch (error) {
      if (!this.#stopping.signal.aborted) throw error
      this.#abandon.signal.throwIfAborted()
    }
  }

  #enter(state: TaskState, error?: unknown): void {
    const before = this.#state
    if (before === state) return
    this.#state = state
    const told = state === 'paused' ? state : before === 'paused' && state === 'running' ? 'resumed' : null
    if (told !== null) tellTask(this.#parts.task, told, (cause) => this.fail(cause))
    this.#parts.onState(state, error, error === undefined ? null : errorKind(error))
  }
}
