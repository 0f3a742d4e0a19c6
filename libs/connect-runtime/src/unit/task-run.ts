import { type ErrorKind, errorKind, type HandOverPolicy, type Props, type SourcePlugin } from '@tributary/connect-api'
import type { TargetState } from '@tributary/connect-storage'
import { hideSecrets } from '@tributary/telemetry'
import { diedTooOften, heldTooOften, MAX_STALLS } from '../isolation/stall-errors.ts'
import { MAX_DEATHS } from '../isolation/start-trials.ts'
import { type PluginScope, runInScope, runOutsideScopes } from '../isolation/plugin-scope.ts'
import type { OverlappingRun, ReplaceReason } from '../hand-over/hand-over.ts'
import { handOverPolicyOf } from '../model/hand-over-policy.ts'
import type { PredecessorRun } from '../hand-over/predecessor.ts'
import type { Lease, TaskId, TaskState } from '../model/task.ts'
import { ConnectionAge } from '../connection/connection-age.ts'
import { fileStamps } from '../model/file-stamps.ts'
import { refersToProviders, type ResolvedProps, resolveProps, sameProps } from '../model/props.ts'
import { type CreatedTask, createTask, type TaskEnvironment } from './task-factory.ts'
import type { TaskStatus } from './task-status.ts'

export interface TaskRunOptions {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  /** As stored: references are not resolved. */
  readonly props: Props
  readonly epoch: number
  readonly environment: TaskEnvironment
  readonly status: TaskStatus
  readonly createLease: () => Lease
  /** Called outside of all plugin scopes. */
  readonly onState: (run: TaskRun, state: TaskState) => void
  /**
   * The connection is to be replaced: it is as old as `maxConnectionAgeMs` allows (called again and again while the run goes on), or
   * the source is about to close it.
   */
  readonly onReplace: (run: TaskRun, reason: ReplaceReason) => void
  /** Asked before each try to connect again: whether another run replaces this one because a config provider has new values. */
  readonly onReconnect: (run: TaskRun) => Promise<boolean>
}

export interface TaskFailure {
  readonly error: unknown
  readonly kind: ErrorKind
}

/** One run of a task, from its creation to its end. The plugin's code runs in the run's own plugin scope. */
export class TaskRun implements OverlappingRun {
  /** As stored: references are not resolved. */
  readonly props: Props
  /** null before the start, and if the task could not be created. */
  created: CreatedTask | null = null
  /** Why the run failed; null otherwise. */
  failure: TaskFailure | null = null
  readonly #options: TaskRunOptions
  readonly #scope: PluginScope
  readonly #ended = Promise.withResolvers<void>()
  /** null before `resolve`, and if that failed. */
  #resolved: ResolvedProps | null = null
  #unresolved: unknown = null
  /** Of the files that the configuration names, when it was resolved. */
  #files = ''
  #age: ConnectionAge | null = null
  /** Ends the redaction of the run's secrets in this process. */
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

  /** Resolves once the run is over, whether it stopped or failed. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  get over(): boolean {
    return this.failure !== null || this.created?.run.state === 'stopped'
  }

  /** How the run may overlap with another. null: not at all, or its configuration is wrong; its start reports the error. */
  get handOverPolicy(): HandOverPolicy | null {
    const resolved = this.#resolved
    if (resolved === null) return null
    try {
      return runInScope(this.#scope, () => handOverPolicyOf(this.#options.plugin, resolved.props))
    } catch {
      return null
    }
  }

  /** Connected, and running or about to run: a run with a predecessor is connected before its state is `running`. */
  get streaming(): boolean {
    const run = this.created?.run
    return (run?.state === 'running' || run?.state === 'starting') && run.connection.connected
  }

  /** Resolves the references of the configuration. To be awaited before `start`, which reports an error. */
  async resolve(): Promise<void> {
    try {
      this.#resolved = await this.#resolveNow()
      this.#files = await fileStamps(this.#resolved.props)
    } catch (error) {
      this.#unresolved = error
    }
  }

  /** Whether a config provider has other values now than those of this run. False while a value cannot be read. */
  async valuesChanged(): Promise<boolean> {
    if (!refersToProviders(this.props)) return false
    try {
      const { props } = await this.#resolveNow()
      return this.#resolved === null || !sameProps(props, this.#resolved.props)
    } catch (error) {
      this.#options.environment.log.warn('config_provider_failed', { ...this.#logFields, error })
      return false
    }
  }

  /** Whether a file that the configuration names was written since the run began, or `valuesChanged`. */
  async inputsChanged(): Promise<boolean> {
    if (this.#resolved !== null && (await fileStamps(this.#resolved.props)) !== this.#files) return true
    return this.valuesChanged()
  }

  /** Starts the run, with overlap if `predecessor` is not null. An error becomes the run's failure. */
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

  /** Ends the run. `lose`: another worker already has the task. `patient`: the successor runs, so this run may wait for Kafka. */
  async end(how: 'stop' | 'lose' | 'patient'): Promise<void> {
    this.#age?.close()
    await runInScope(this.#scope, () => {
      return how === 'lose' ? this.created?.run.lose() : this.created?.run.stop(how === 'patient')
    })
  }

  /** Ends the redaction of the run's secrets. Call this once nothing more is logged or reported of the run. */
  forget(): void {
    this.#endRedaction()
  }

  #create(predecessor: PredecessorRun | null): CreatedTask {
    const { environment, plugin, id, status, createLease } = this.#options
    const { stalls, stored } = status
    if (stalls >= MAX_STALLS) throw heldTooOften(this.#scope.name, stalls, stored?.trace)
    const deaths = environment.trials?.deaths(id) ?? 0
    if (deaths >= MAX_DEATHS) throw diedTooOften(this.#scope.name, deaths)
    const resolved = this.#resolved
    if (resolved === null) throw this.#unresolved
    this.#endRedaction = hideSecrets(resolved.secrets)
    return createTask(environment, {
      ...resolved,
      stored: this.props,
      id,
      plugin,
      lease: createLease(),
      predecessor,
      onState: (state, error, kind) => {
        if (state === 'failed') this.#failedWith(error, kind ?? 'fatal')
        else this.#entered(state)
      },
      onConnectionEnding: () => runOutsideScopes(() => this.#options.onReplace(this, 'connection_ending')),
      replaced: () => runOutsideScopes(() => this.#options.onReconnect(this)),
      onTopic: (topic) => runOutsideScopes(() => status.reportTopic(topic)),
    })
  }

  get #logFields(): { connector_name: string; task: number } {
    const { connector: connector_name, task } = this.#options.id
    return { connector_name, task }
  }

  #resolveNow(): Promise<ResolvedProps> {
    const { environment, plugin } = this.#options
    return resolveProps(environment, plugin, this.props)
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
    const onOld = (): void => this.#options.onReplace(this, 'connection_age')
    this.#age = new ConnectionAge({ ageMs: () => connection.ageMs, maxAgeMs, onOld })
  }
}
