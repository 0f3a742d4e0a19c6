import { Serial } from '@tributary/async'
import type { ErrorKind, Props, SourcePlugin } from '@tributary/connect-api'
import type { StatusStore, TargetState } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { SecondConnections } from '../hand-over/second-connections.ts'
import { HandOver, type HandOverOutcome, type HandOverReason, type ReplaceReason } from '../hand-over/hand-over.ts'
import { AGAIN_MS } from '../connection/connection-age.ts'
import { type PlannedRun, plannedRun, STAYS, whyAlone } from './overlap.ts'
import { outlook, RestartPolicy, type RestartSettings } from './restart-policy.ts'
import { TaskCounts } from './task-counts.ts'
import type { CreatedTask, TaskEnvironment } from './task-factory.ts'
import type { RemotePredecessor } from '../hand-over/remote-predecessor.ts'
import { refersToProviders, sameProps } from '../model/props.ts'
import { shownTrace, withSecondLine } from '../model/shown-error.ts'
import type { Lease, TaskId, TaskState } from '../model/task.ts'
import { type TaskFailure, TaskRun } from './task-run.ts'
import { TaskStatus } from './task-status.ts'

/** Time in ms between two looks at the config providers of a task that its configuration has failed. */
const VALUES_CHECK_MS = 5000

/** What all tasks of a worker share, with the settings of automatic restarts. */
export interface UnitEnvironment extends TaskEnvironment {
  readonly restart: RestartSettings
}

export interface TaskUnitOptions {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  readonly props: Props
  readonly target: TargetState
  /** The group's generation in which this worker got the task. */
  readonly epoch: number
  readonly environment: UnitEnvironment
  readonly status: StatusStore
  readonly workerId: string
  readonly createLease: () => Lease
  /** The task's run on another worker, which the first run on this worker follows with overlap; absent: none. */
  readonly predecessor?: RemotePredecessor
  readonly log: Logger
}

/**
 * A task that is assigned to this worker: starts, restarts, pauses and stops the task, and reports its state to the status topic.
 * Its runs follow each other, with overlap where the source allows that.
 */
export class TaskUnit {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  readonly epoch: number
  /** Why the task is FAILED; null otherwise. */
  failure: unknown = null
  readonly restartPolicy: RestartPolicy
  readonly counts = new TaskCounts(() => this.current)
  /** How many runs followed another run with overlap, over the task's life on this worker. */
  handOvers = 0
  readonly #options: TaskUnitOptions
  readonly #log: Logger
  readonly #operations = new Serial()
  readonly #status: TaskStatus
  #props: Props
  #target: TargetState
  #run: TaskRun | null = null
  #handOver: HandOver<TaskRun> | null = null
  readonly #remote: RemotePredecessor | null
  readonly #second = new SecondConnections()
  #startedAt = 0
  #moving = false
  /** A restart that has not begun; null: none. */
  #restarting: Promise<void> | null = null
  /** A replacement of the old connection waits for the operations before it. */
  #replacing = false
  /** Timer of the next restart, or of the healthy period. */
  #timer: NodeJS.Timeout | null = null
  #released = false

  constructor(options: TaskUnitOptions) {
    const { id, plugin, epoch, environment, status, workerId, predecessor } = options
    this.#options = options
    this.id = id
    this.plugin = plugin
    this.epoch = epoch
    this.restartPolicy = new RestartPolicy(environment.restart)
    this.#log = options.log.child({ connector_name: id.connector, task: id.task })
    this.#status = new TaskStatus({ id, epoch, store: status, workerId, log: options.log })
    this.#props = options.props
    this.#target = options.target
    this.#remote = predecessor ?? null
  }

  get props(): Props {
    return this.#props
  }
  /** The run that delivers records. During a hand-over in this process this is the predecessor. */
  get current(): CreatedTask | null {
    return this.#run?.created ?? null
  }
  get failed(): boolean {
    return this.failure !== null
  }
  /** ms that the present write to the status topic has been waiting; 0 without one. */
  get statusWaitsMs(): number {
    return this.#status.waitsMs
  }

  start(): Promise<void> {
    return this.#operations.run(() => this.#start())
  }

  /** Takes a new configuration. If it differs, a new run follows the present one, with overlap where that is possible. */
  update(props: Props): Promise<void> {
    if (sameProps(this.#props, props)) return Promise.resolve()
    this.#props = props
    this.#forgive()
    return this.#next(() => this.#changed())
  }

  /**
   * The user has put the same configuration again. A new run follows if a file that it names, such as a certificate, was written since
   * the present run began, or a config provider has new values.
   */
  async repeat(): Promise<void> {
    const run = this.#run
    if (run === null || !(await run.inputsChanged()) || run !== this.#run) return
    this.#log.info('config_values_changed', { action: 'new_run' })
    this.#forgive()
    await this.#next(async () => {
      if (run === this.#run) await this.#replaceRun()
    })
  }

  /**
   * What `update` would do with this configuration now; with the present one and `repeated`, what `repeat` would do. A source that then
   * takes no second connection turns a hand-over into a restart.
   */
  async planned(props: Props, repeated: boolean): Promise<PlannedRun> {
    const run = this.#run
    if (sameProps(this.#props, props) && !(repeated && (await run?.inputsChanged()))) return STAYS
    return plannedRun(this.#whyAlone(run) ?? this.#whyAlone(run, await this.#createRun(props)))
  }

  /** A user restarts the task: past failures and stalls no longer count. */
  restart(): Promise<void> {
    this.#forgive()
    return this.#restart()
  }

  setTarget(target: TargetState): void {
    this.#target = target
    this.#run?.setTarget(target)
    this.#handOver?.successor.setTarget(target)
  }

  /**
   * Another worker connects the task's next run. A source that allows one connection ends that of the present run now. Two runs that
   * connect again would go on ending each other, so the present one does not until the move is called off.
   */
  setMoving(moving: boolean): void {
    if (this.#moving === moving) return
    this.#moving = moving
    if (moving) this.current?.run.connection.hold()
    else this.current?.run.connection.release()
  }

  /** Ends the task on this worker. `lose`: another worker already has the task. `SILENT`: leaves the task's status as it is. */
  release(how: 'stop' | 'lose', finalState: 'UNASSIGNED' | 'DELETED' | 'SILENT'): Promise<void> {
    this.#released = true
    this.#handOver?.cancel()
    this.#handOver?.hurry()
    // A successor that is taking over stops as soon as it has, and delivers what it alone has received.
    if (this.#handOver?.cancelled === false) void this.#handOver.successor.end(how)
    if (how === 'lose') void this.#run?.end(how)
    return this.#operations.run(async () => {
      const last = this.#run
      await this.#stopCurrent(how)
      if (finalState === 'UNASSIGNED') this.#status.reportUnassigned(last?.created?.run.handOverState ?? null)
      if (finalState === 'DELETED') await this.#status.delete()
      await this.#status.idle()
      last?.forget()
    })
  }

  #forgive(): void {
    this.restartPolicy.refill()
    this.#options.environment.trials?.forget(this.id)
    this.#status.forgiveStalls()
  }

  /** Requests that come before a restart begins are that restart. */
  #restart(): Promise<void> {
    this.#restarting ??= this.#next(() => {
      this.#restarting = null
      return this.#beginAnew()
    })
    return this.#restarting
  }

  /** Cancels the present hand-over, as its successor is out of date, and then runs `operation`. */
  #next(operation: () => Promise<void>): Promise<void> {
    this.#handOver?.cancel()
    return this.#operations.run(operation)
  }

  /** `follows`: the run before was connected just now, so the source may still count its connection. */
  async #beginAnew(follows = this.#run?.streaming ?? false): Promise<void> {
    await this.#stopCurrent('stop')
    await this.#start()
    if (follows) this.current?.run.connection.bePatient(this.#options.environment.handOverTimeoutMs)
  }

  async #start(): Promise<void> {
    if (this.#released) return
    this.failure = null
    this.counts.beginAnew()
    const run = await this.#createRun()
    if (this.#released) return
    this.#startedAt = this.#options.environment.clock.monotonic()
    this.#run = run
    this.#run.start(this.#target, this.#remote?.over === false ? this.#remote : null)
  }

  async #changed(): Promise<void> {
    // An earlier operation may have applied the newest configuration already.
    if (this.#released || (this.#run?.props === this.#props && !this.failed)) return
    await this.#replaceRun()
  }

  async #replaceRun(): Promise<void> {
    const outcome = await this.#overlap('config_changed')
    if (outcome === null || outcome === 'kept' || outcome === 'lost') await this.#beginAnew()
  }

  /** Replaces a connection. A run may ask again and again: a second wish during a try is ignored. */
  #replace(run: TaskRun, reason: ReplaceReason): void {
    if (this.#replacing) return
    this.#replacing = true
    const replaced = this.#operations.run(async () => {
      this.#replacing = false
      if (run === this.#run && (await this.#overlap(reason)) === 'lost') await this.#beginAnew()
    })
    replaced.catch((error: unknown) => this.#options.log.error('unit_operation_failed', { error }))
  }

  /** Has a new run follow the present one with overlap. Returns null if no overlap is possible. */
  async #overlap(reason: HandOverReason): Promise<HandOverOutcome | null> {
    const predecessor = this.#run
    const { clock } = this.#options.environment
    if (predecessor === null || this.#whyAlone(predecessor, null, reason) !== null) return null
    const successor = await this.#createRun()
    if (predecessor !== this.#run || this.#whyAlone(predecessor, successor, reason) !== null) return null
    const onPredecessorEnded = (): void => this.#follows(successor, reason)
    const handOver = new HandOver({ predecessor, successor, reason, log: this.#log, onPredecessorEnded })
    this.#handOver = handOver
    const outcome = await handOver.run(this.#target)
    this.#handOver = null
    if (outcome !== 'cancelled' && reason !== 'connection_ending')
      this.#second.tried(handOver.refused, clock.monotonic())
    if (this.#run === predecessor) successor.forget()
    else predecessor.forget()
    return outcome
  }

  #whyAlone(
    predecessor: TaskRun | null,
    successor: TaskRun | null = null,
    reason: HandOverReason = 'config_changed',
  ): string | null {
    const intervalMs = Math.min(predecessor?.handOverPolicy?.maxConnectionAgeMs || AGAIN_MS, AGAIN_MS)
    return whyAlone(predecessor, successor, {
      released: this.#released,
      paused: this.#target === 'PAUSED',
      arriving: this.#remote?.over === false,
      failed: this.failed,
      refused: !this.#second.mayTry(reason, intervalMs, this.#options.environment.clock.monotonic()),
    })
  }

  /**
   * A run is about to connect again. Returns true if a config provider has new values, such as a rotated token: a new run follows
   * with them, once this one has delivered what it holds. While Kafka is away the run goes on, as its end would lose that.
   */
  async #reconnecting(run: TaskRun): Promise<boolean> {
    const mayEnd = (): boolean =>
      run === this.#run && !this.#released && this.#remote?.over !== false && run.created?.outage() === null
    if (!mayEnd() || !(await run.valuesChanged()) || !mayEnd()) return false
    this.#log.info('config_values_changed', { action: 'new_run' })
    const begun = this.#operations.run(async () => {
      if (run === this.#run) await this.#beginAnew()
    })
    begun.catch((error: unknown) => this.#log.error('unit_operation_failed', { error }))
    return true
  }

  #follows(successor: TaskRun, reason: HandOverReason): void {
    this.counts.goOn()
    this.handOvers++
    this.#run = successor
    if (reason === 'config_changed') this.#startedAt = this.#options.environment.clock.monotonic()
  }

  async #createRun(props = this.#props): Promise<TaskRun> {
    const { id, plugin, epoch, environment, createLease } = this.#options
    const run = new TaskRun({
      ...{ id, plugin, epoch, environment, createLease },
      props,
      status: this.#status,
      onState: (of, state) => this.#onState(of, state),
      onReplace: (old, reason) => this.#replace(old, reason),
      onReconnect: (lost) => this.#reconnecting(lost),
    })
    await run.resolve()
    return run
  }

  async #stopCurrent(how: 'stop' | 'lose'): Promise<void> {
    this.#clearTimer()
    const run = this.#run
    this.#run = null
    await run?.end(how)
    run?.forget()
  }

  #onState(run: TaskRun, state: TaskState): void {
    if (run !== this.#run) return
    if (state === 'failed') this.#runFailed(run.failure!)
    if (state === 'paused') this.#status.report('PAUSED')
    if (state !== 'running') return
    this.#status.report('RUNNING')
    if (this.#status.stalls > 0) this.#forgiveWhenHealthy()
  }

  #runFailed({ error, kind }: TaskFailure): void {
    if (this.#remote?.over === false) return this.#beginAfter(this.#remote, error)
    // The successor takes over from a failed run as from any other, or fails with the same error and reports that.
    this.#handOver?.predecessorFailed()
    if (this.#handOver?.cancelled === false) return this.#log.warn('predecessor_failed', { error })
    this.#failedWith(error, kind)
  }

  /** A run that failed beside its remote predecessor may succeed alone. Only a failure of the run alone is reported. */
  #beginAfter(remote: RemotePredecessor, error: unknown): void {
    this.#log.warn('hand_over_failed', { reason: 'moved', error })
    const began = this.#operations.run(async () => {
      if (this.#released) return
      await remote.finish(false)
      await this.#beginAnew(true)
    })
    // `finish` rejects if the task stays on the other worker.
    began.catch((cause: unknown) => this.#log.warn('hand_over_failed', { reason: 'moved', error: cause }))
  }

  #failedWith(error: unknown, kind: ErrorKind): void {
    const { environment } = this.#options
    this.#clearTimer()
    if (kind === 'config') this.#second.forget()
    this.failure = error
    const restart = this.restartPolicy.next(error, kind, environment.clock.monotonic() - this.#startedAt)
    const trace = shownTrace(error, (whole) => withSecondLine(whole, outlook(restart)))
    this.#log.error('task_failed', { kind, trace })
    this.#status.report('FAILED', trace)
    if (kind === 'config') this.#healWhenValuesChange(this.#run, 0)
    if (restart.kind !== 'after' || this.#released) return
    const { waitMs, attempt } = restart
    this.#log.info('task_restart_scheduled', { backoff_ms: waitMs, attempt })
    this.#timer = setTimeout(() => void this.#restart(), waitMs)
  }

  /**
   * Starts a task again that its configuration has failed, once a config provider has new values: a token may be rotated after the
   * server has refused the old one for good.
   */
  #healWhenValuesChange(run: TaskRun | null, waitMs: number): void {
    if (run === null || this.#released || !refersToProviders(run.props)) return
    const check = async (): Promise<void> => {
      const changed = await run.valuesChanged()
      if (run !== this.#run || this.#released || !this.failed) return
      if (!changed) return this.#healWhenValuesChange(run, VALUES_CHECK_MS)
      this.#log.info('config_values_changed', { action: 'restart' })
      await this.#restart()
    }
    this.#timer = setTimeout(() => {
      check().catch((error: unknown) => this.#log.error('unit_operation_failed', { error }))
    }, waitMs).unref()
  }

  /** Clears the task's stalls after a healthy period: the watchdog may have blamed the wrong task. */
  #forgiveWhenHealthy(): void {
    this.#clearTimer()
    this.#timer = setTimeout(() => {
      this.#status.forgiveStalls()
      this.#status.report(this.#target === 'PAUSED' ? 'PAUSED' : 'RUNNING')
    }, this.#options.environment.restart.healthyMs).unref()
  }

  #clearTimer(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }
}
