import { type ErrorKind, errorKind, type Props, type SourcePlugin, traceOf } from '@tributary/connect-api'
import type { State, StatusStore, TargetState } from '@tributary/connect-storage'
import { type Logger, redactLogs } from '@tributary/telemetry'
import { RestartPolicy } from './restart-policy.ts'
import { Serial } from './serial.ts'
import { type CreatedTask, createTask, type TaskEnvironment } from './task-factory.ts'
import type { Lease, TaskId, TaskState } from './task-parts.ts'

export interface TaskUnitOptions {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  readonly props: Props
  readonly target: TargetState
  /** The group's generation in which this worker got the task. */
  readonly epoch: number
  readonly environment: TaskEnvironment
  readonly status: StatusStore
  readonly workerId: string
  readonly createLease: () => Lease
  readonly log: Logger
}

/** A task that is assigned to this worker: starts, restarts, pauses, stops it, and tells its state to the status topic. */
export class TaskUnit {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  readonly epoch: number
  current: CreatedTask | null = null
  /** Why it is FAILED; null otherwise. */
  failure: unknown = null
  readonly restartPolicy = new RestartPolicy()
  readonly #options: TaskUnitOptions
  readonly #operations = new Serial()
  readonly #statuses = new Serial()
  #props: Props
  #target: TargetState
  #startedAt = 0
  /** Counts the runs: what an earlier one still tells is not this one's state. */
  #attempt = 0
  #restartTimer: NodeJS.Timeout | null = null
  /** While the task runs no log line of this process shows its secrets. */
  #endRedaction: () => void = () => {}
  #released = false

  constructor(options: TaskUnitOptions) {
    this.#options = options
    this.id = options.id
    this.plugin = options.plugin
    this.epoch = options.epoch
    this.#props = options.props
    this.#target = options.target
  }

  get props(): Props {
    return this.#props
  }
  get failed(): boolean {
    return this.failure !== null
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

  restart(): Promise<void> {
    return this.#operations.run(async () => {
      await this.#stopCurrent('stop')
      this.#start()
    })
  }

  setTarget(target: TargetState): void {
    this.#target = target
    if (target === 'PAUSED') this.current?.run.pause()
    else this.current?.run.resume()
  }

  /** Ends the task for good on this worker. `lose`: another worker has it already. */
  release(how: 'stop' | 'lose', finalState: 'UNASSIGNED' | 'DELETED' | 'SILENT'): Promise<void> {
    this.#released = true
    if (how === 'lose') void this.current?.run.lose()
    return this.#operations.run(async () => {
      await this.#stopCurrent(how)
      const { status } = this.#options
      const { connector, task } = this.id
      if (finalState === 'UNASSIGNED') this.#report('UNASSIGNED')
      if (finalState === 'DELETED') await this.#statuses.run(() => status.deleteTask(connector, task))
      await this.#statuses.idle()
    })
  }

  #start(): void {
    if (this.#released) return
    const { environment, createLease, status } = this.#options
    this.failure = null
    this.#startedAt = environment.clock.monotonic()
    const attempt = ++this.#attempt
    let run: CreatedTask
    try {
      run = createTask(environment, {
        id: this.id,
        plugin: this.plugin,
        props: this.#props,
        lease: createLease(),
        onState: (state, error, kind) => {
          if (attempt === this.#attempt) this.#onState(state, error, kind)
        },
        onTopic: (topic) => {
          void this.#statuses
            .run(() => status.putTopic(this.id.connector, this.id.task, topic))
            .catch(this.#statusFailed)
        },
      })
    } catch (error) {
      this.#failedWith(error, errorKind(error))
      return
    }
    this.current = run
    this.#endRedaction = redactLogs(run.redact)
    if (this.#target === 'PAUSED') run.run.pause()
    void run.run.run()
  }

  async #stopCurrent(how: 'stop' | 'lose'): Promise<void> {
    if (this.#restartTimer) clearTimeout(this.#restartTimer)
    this.#restartTimer = null
    const run = this.current?.run
    this.current = null
    this.#attempt++
    await (how === 'lose' ? run?.lose() : run?.stop())
    this.#endRedaction()
    this.#endRedaction = () => {}
  }

  #onState(state: TaskState, error: unknown, kind: ErrorKind | null): void {
    if (state === 'running') this.#report('RUNNING')
    if (state === 'paused') this.#report('PAUSED')
    if (state === 'failed') this.#failedWith(error, kind ?? 'fatal')
  }

  #failedWith(error: unknown, kind: ErrorKind): void {
    const { log, environment } = this.#options
    this.failure = error
    const trace = (this.current?.redact ?? String)(traceOf(error))
    log.error('task_failed', { connector_name: this.id.connector, task: this.id.task, kind, trace })
    this.#report('FAILED', trace)
    const waitMs = this.restartPolicy.next(error, kind, environment.clock.monotonic() - this.#startedAt)
    if (waitMs === null || this.#released) return
    log.info('task_restart_scheduled', { connector_name: this.id.connector, task: this.id.task, backoff_ms: waitMs })
    this.#restartTimer = setTimeout(() => void this.restart(), waitMs)
  }

  #report(state: State, trace?: string): void {
    const { status, workerId } = this.#options
    const entry = { state, workerId, generation: this.epoch, ...(trace === undefined ? {} : { trace }) }
    void this.#statuses.run(() => status.putTask(this.id.connector, this.id.task, entry)).catch(this.#statusFailed)
  }

  readonly #statusFailed = (error: unknown): void => {
    this.#options.log.warn('status_write_failed', { connector_name: this.id.connector, task: this.id.task, error })
  }
}

export function sameProps(a: Props, b: Props): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
