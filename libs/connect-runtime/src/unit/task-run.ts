import { type ErrorKind, errorKind, type HandOverPolicy, type Props, type SourcePlugin } from '@tributary/connect-api'
import type { TargetState } from '@tributary/connect-storage'
import { redactLogs } from '@tributary/telemetry'
import { heldTooOften, MAX_STALLS } from '../isolation/stall-errors.ts'
import { type PluginScope, runInScope, runOutsideScopes } from '../isolation/plugin-scope.ts'
import type { OverlappingRun } from '../hand-over/hand-over.ts'
import type { PredecessorRun } from '../hand-over/predecessor.ts'
import type { Lease, TaskId, TaskState } from '../model/task.ts'
import { ConnectionAge } from '../connection/connection-age.ts'
import { resolveProps } from '../model/props.ts'
import { type CreatedTask, createTask, type TaskEnvironment } from './task-factory.ts'
import type { TaskStatus } from './task-status.ts'

export interface TaskRunOptions {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  /** As stored, references not resolved. */
  readonly props: Props
  readonly epoch: number
  readonly environment: TaskEnvironment
  readonly status: TaskStatus
  readonly createLease: () => Lease
  /** Outside of all scopes. */
  readonly onState: (run: TaskRun, state: TaskState) => void
  /** The connection has reached the age at which it is to be replaced. */
  readonly onOld: (run: TaskRun) => void
}

export interface TaskFailure {
  readonly error: unknown
  readonly kind: ErrorKind
}

const unchanged = (text: string): string => text

/** One run of a task, from its creation to its end. All code of the plugin runs in a scope of its own. */
export class TaskRun implements OverlappingRun {
  /** As stored. */
  readonly props: Props
  /** null before the start, and where it could not be made. */
  created: CreatedTask | null = null
  /** Why it failed; null otherwise. */
  failure: TaskFailure | null = null
  /** Hides the secrets of the configuration in a text. */
  redact = unchanged
  readonly #options: TaskRunOptions
  readonly #scope: PluginScope
  readonly #ended = Promise.withResolvers<void>()
  #age: ConnectionAge | null = null
  /** As long as the run is here no log line of this process shows its secrets. */
  #endRedaction: () => void = () => {}

  constructor(options: TaskRunOptions) {
    const { connector, task } = options.id
    const { status, epoch: generation } = options
    this.#options = options
    this.props = options.props
    this.#scope = {
      name: `task ${task} of connector ${connector}`,
      unit: () => ({ connector, task, generation, stalls: status.stalls }),
      fail: (error) => this.created?.run.fail(error),
    }
  }

  /** Resolves once it is over, however it ended. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  get over(): boolean {
    return this.failure !== null || this.created?.run.state === 'stopped'
  }

  /** How it may overlap with another run; null: not at all, or its configuration is wrong, which its start will tell. */
  get handOverPolicy(): HandOverPolicy | null {
    const { environment, plugin } = this.#options
    try {
      const { props } = resolveProps(environment, plugin, this.props)
      return runInScope(this.#scope, () => plugin.handOver?.(props) ?? null)
    } catch {
      return null
    }
  }

  /** Connected, and handing out what comes, or about to: a run that takes over is connected before it is running. */
  get streaming(): boolean {
    const run = this.created?.run
    return (run?.state === 'running' || run?.state === 'starting') && run.connection.connected
  }

  /** Starts alone, or after `predecessor` with overlap. What goes wrong becomes the run's failure. */
  start(target: TargetState, predecessor: PredecessorRun | null): void {
    runInScope(this.#scope, () => {
      try {
        this.created = this.#create(predecessor)
      } catch (error) {
        this.#failedWith(error, errorKind(error))
        this.#ended.resolve()
        return
      }
      this.setTarget(target)
      void this.created.run.run().then(() => this.#ended.resolve())
    })
  }

  setTarget(target: TargetState): void {
    if (target === 'PAUSED') this.created?.run.pause()
    else this.created?.run.resume()
  }

  /** `lose`: another worker has the task already; `patient`: its successor is there, and can wait until Kafka has all. */
  async end(how: 'stop' | 'lose' | 'patient'): Promise<void> {
    this.#age?.close()
    await runInScope(this.#scope, () => {
      return how === 'lose' ? this.created?.run.lose() : this.created?.run.stop(how === 'patient')
    })
  }

  /** Nothing will be told of it any more, so that its secrets cannot be either. */
  forget(): void {
    this.#endRedaction()
  }

  #create(predecessor: PredecessorRun | null): CreatedTask {
    const { environment, plugin, id, status, createLease } = this.#options
    const { stalls, stored } = status
    if (stalls >= MAX_STALLS) throw heldTooOften(this.#scope.name, stalls, stored?.trace)
    const resolved = resolveProps(environment, plugin, this.props)
    this.redact = resolved.redact
    this.#endRedaction = redactLogs(resolved.redact)
    return createTask(environment, {
      ...resolved,
      id,
      plugin,
      lease: createLease(),
      predecessor,
      onState: (state, error, kind) => {
        if (state === 'failed') this.#failedWith(error, kind ?? 'fatal')
        else this.#entered(state)
      },
      onTopic: (topic) => runOutsideScopes(() => status.reportTopic(topic)),
    })
  }

  #failedWith(error: unknown, kind: ErrorKind): void {
    this.#age?.close()
    this.failure = { error, kind }
    runOutsideScopes(() => this.#options.onState(this, 'failed'))
  }

  #entered(state: TaskState): void {
    runOutsideScopes(() => {
      if (state === 'running') this.#watchAge()
      this.#options.onState(this, state)
    })
  }

  #watchAge(): void {
    const maxAgeMs = this.handOverPolicy?.maxConnectionAgeMs ?? 0
    const connection = this.created?.run.connection
    if (this.#age !== null || maxAgeMs <= 0 || connection === undefined) return
    const onOld = (): void => this.#options.onOld(this)
    this.#age = new ConnectionAge({ ageMs: () => connection.ageMs, maxAgeMs, onOld })
  }
}
