import { type ErrorKind, errorKind, type Props, type SourcePlugin, traceOf } from '@tributary/connect-api'
import type { StatusStore, TargetState } from '@tributary/connect-storage'
import { type Logger, redactLogs } from '@tributary/telemetry'
import { heldTooOften, MAX_STALLS } from '../isolation/held-loop.ts'
import { type PluginScope, runInScope, runOutsideScopes } from '../isolation/plugin-scope.ts'
import { outlook, RestartPolicy, type RestartSettings } from './restart-policy.ts'
import { Serial } from './serial.ts'
import { type CreatedTask, createTask, resolveProps, type TaskEnvironment } from './task-factory.ts'
import type { Lease, TaskId, TaskState } from '../task/task-parts.ts'
import { TaskStatus } from './task-status.ts'

/** What all tasks of a worker share, and how they heal. */
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
  readonly log: Logger
}

/** One run of the task, from its creation on; what an earlier one still tells is not this unit's state. */
interface Run {
  readonly scope: PluginScope
  created: CreatedTask | null
}

const unchanged = (text: string): string => text

/**
 * A task that is assigned to this worker: starts, restarts, pauses, stops it, and tells its state to the status topic. All
 * code of the plugin runs in a scope of its own, so that what it breaks fails this task and no other.
 */
export class TaskUnit {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  readonly epoch: number
  /** Why it is FAILED; null otherwise. */
  failure: unknown = null
  readonly restartPolicy: RestartPolicy
  /** Hides the secrets of the last started configuration in a text. */
  redact = unchanged
  readonly #options: TaskUnitOptions
  readonly #operations = new Serial()
  readonly #status: TaskStatus
  #props: Props
  #target: TargetState
  #run: Run | null = null
  #startedAt = 0
  /** To the next restart, or to the end of the healthy period. */
  #timer: NodeJS.Timeout | null = null
  /** As long as the unit is here no log line of this process shows its secrets. */
  #endRedaction: () => void = () => {}
  #released = false

  constructor(options: TaskUnitOptions) {
    const { id, plugin, epoch, environment, status, workerId, log } = options
    this.#options = options
    this.id = id
    this.plugin = plugin
    this.epoch = epoch
    this.restartPolicy = new RestartPolicy(environment.restart)
    this.#status = new TaskStatus({ id, epoch, store: status, workerId, log })
    this.#props = options.props
    this.#target = options.target
  }

  get props(): Props {
    return this.#props
  }
  get current(): CreatedTask | null {
    return this.#run?.created ?? null
  }
  get failed(): boolean {
    return this.failure !== null
  }
  /** ms that the status topic has been behind what the task does. */
  get statusWaitsMs(): number {
    return this.#status.waitsMs
  }

  start(): Promise<void> {
    return this.#operations.run(() => Promise.resolve(this.#start()))
  }

  /** Takes a new configuration: the task restarts when it differs. */
  update(props: Props): Promise<void> {
    if (sameProps(this.#props, props)) return Promise.resolve()
    this.#props = props
    return this.restart()
  }

  /** Someone wants it to run: what went wrong in the past counts no more. */
  restart(): Promise<void> {
    this.restartPolicy.refill()
    this.#status.forgiveStalls()
    return this.#restart()
  }

  setTarget(target: TargetState): void {
    this.#target = target
    if (target === 'PAUSED') this.current?.run.pause()
    else this.current?.run.resume()
  }

  /** Ends the task for good on this worker. `lose`: another worker has it already. */
  release(how: 'stop' | 'lose', finalState: 'UNASSIGNED' | 'DELETED' | 'SILENT'): Promise<void> {
    this.#released = true
    if (how === 'lose' && this.#run) void this.#end(this.#run, how)
    return this.#operations.run(async () => {
      await this.#stopCurrent(how)
      if (finalState === 'UNASSIGNED') this.#status.report('UNASSIGNED')
      if (finalState === 'DELETED') await this.#status.delete()
      await this.#status.idle()
      this.#endRedaction()
    })
  }

  #restart(): Promise<void> {
    return this.#operations.run(async () => {
      await this.#stopCurrent('stop')
      this.#start()
    })
  }

  #start(): void {
    if (this.#released) return
    this.failure = null
    this.#startedAt = this.#options.environment.clock.monotonic()
    const run: Run = { scope: this.#createScope(() => run), created: null }
    this.#run = run
    runInScope(run.scope, () => {
      try {
        run.created = this.#create(run)
      } catch (error) {
        runOutsideScopes(() => this.#failedWith(error, errorKind(error)))
        return
      }
      if (this.#target === 'PAUSED') run.created.run.pause()
      void run.created.run.run()
    })
  }

  #create(run: Run): CreatedTask {
    const { environment, createLease } = this.#options
    const { stalls, stored } = this.#status
    if (stalls >= MAX_STALLS) throw heldTooOften(run.scope.name, stalls, stored?.trace)
    const resolved = resolveProps(environment, this.plugin, this.#props)
    this.#endRedaction()
    this.redact = resolved.redact
    this.#endRedaction = redactLogs(resolved.redact)
    return createTask(environment, {
      ...resolved,
      id: this.id,
      plugin: this.plugin,
      lease: createLease(),
      onState: (state, error, kind) => {
        if (run === this.#run) runOutsideScopes(() => this.#onState(state, error, kind))
      },
      onTopic: (topic) => runOutsideScopes(() => this.#status.reportTopic(topic)),
    })
  }

  #createScope(run: () => Run): PluginScope {
    const { connector, task } = this.id
    return {
      name: `task ${task} of connector ${connector}`,
      unit: () => ({ connector, task, generation: this.epoch, stalls: this.#status.stalls }),
      fail: (error) => run().created?.run.fail(error),
    }
  }

  async #stopCurrent(how: 'stop' | 'lose'): Promise<void> {
    this.#clearTimer()
    const run = this.#run
    this.#run = null
    if (run) await this.#end(run, how)
  }

  async #end({ scope, created }: Run, how: 'stop' | 'lose'): Promise<void> {
    await runInScope(scope, () => (how === 'lose' ? created?.run.lose() : created?.run.stop()))
  }

  #onState(state: TaskState, error: unknown, kind: ErrorKind | null): void {
    if (state === 'failed') return this.#failedWith(error, kind ?? 'fatal')
    if (state === 'paused') this.#status.report('PAUSED')
    if (state !== 'running') return
    this.#status.report('RUNNING')
    if (this.#status.stalls > 0) this.#forgiveWhenHealthy()
  }

  #failedWith(error: unknown, kind: ErrorKind): void {
    const { log, environment } = this.#options
    const { connector, task } = this.id
    this.#clearTimer()
    this.failure = error
    const restart = this.restartPolicy.next(error, kind, environment.clock.monotonic() - this.#startedAt)
    const trace = this.redact(withSecondLine(traceOf(error), outlook(restart)))
    log.error('task_failed', { connector_name: connector, task, kind, trace })
    this.#status.report('FAILED', trace)
    if (restart.kind !== 'after' || this.#released) return
    const { waitMs, attempt } = restart
    log.info('task_restart_scheduled', { connector_name: connector, task, backoff_ms: waitMs, attempt })
    this.#timer = setTimeout(() => void this.#restart(), waitMs)
  }

  /** It ended processes in the past, and may have been innocent: a healthy period clears it. */
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

export function sameProps(a: Props, b: Props): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

/** The first line stays the reason. */
function withSecondLine(trace: string, line: string | null): string {
  if (line === null) return trace
  const [reason, ...rest] = trace.split('\n')
  return [reason, line, ...rest].join('\n')
}
