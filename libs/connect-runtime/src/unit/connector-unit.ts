import { backoffMs, Serial } from '@tributary/async'
import { type ConfigProviders, secretsOf } from '@tributary/config'
import { errorKind, type Props, type SourcePlugin } from '@tributary/connect-api'
import type { ConfigStore, ConnectorConfig, State, StatusStore, TargetState } from '@tributary/connect-storage'
import { hideSecrets, type Logger } from '@tributary/telemetry'
import type { ZombieFencing } from './zombie-fencing.ts'
import type { Group } from '../assignment/group.ts'
import { heldTooOften, MAX_STALLS } from '../isolation/stall-errors.ts'
import { type PluginScope, runInScope, runOutsideScopes } from '../isolation/plugin-scope.ts'
import { sameProps } from '../model/props.ts'
import { mustFence, taskConfigsOf } from './connector-tasks.ts'
import { shownTrace } from '../model/shown-error.ts'

export interface ConnectorUnitOptions {
  readonly connector: string
  readonly plugin: SourcePlugin
  readonly epoch: number
  readonly config: ConfigStore
  readonly status: StatusStore
  readonly fencing: ZombieFencing
  readonly providers: ConfigProviders
  readonly group: Group
  readonly workerId: string
  readonly log: Logger
}

/** A connector that is assigned to this worker. It splits its configuration into tasks and writes them to the config topic. */
export class ConnectorUnit {
  readonly connector: string
  readonly plugin: SourcePlugin
  readonly epoch: number
  failure: unknown = null
  readonly #options: ConnectorUnitOptions
  readonly #operations = new Serial()
  readonly #life = new AbortController()
  readonly #scope: PluginScope
  /** Past stalls no longer count. The next status resets their number to 0. */
  #forgiven = false
  /** A reconcile that has not begun; null: none. */
  #reconciling: Promise<void> | null = null
  /** Reconciles in a row that failed with an outage, and the timer of the next one. */
  #outages = 0
  #retry: NodeJS.Timeout | null = null
  /** Ends the redaction of the last configuration's secrets in this process. */
  #endRedaction: () => void = () => {}

  constructor(options: ConnectorUnitOptions) {
    this.#options = options
    const { connector, epoch: generation } = options
    this.#scope = {
      name: `connector ${connector}`,
      unit: () => ({ connector, task: null, generation, stalls: this.#stalls }),
      fail: (error) => runOutsideScopes(() => this.#failInBackground(error)),
    }
    this.connector = options.connector
    this.plugin = options.plugin
    this.epoch = options.epoch
  }

  /**
   * Brings tasks and status in line with the present configuration and target state. May be called at any time, and again.
   * Writes nothing without a lease: another worker may own the connector by then. Calls before a reconcile begins are that one.
   */
  reconcile(): Promise<void> {
    this.#reconciling ??= this.#operations.run(() => {
      this.#reconciling = null
      return this.#reconcile()
    })
    return this.#reconciling
  }

  async #reconcile(): Promise<void> {
    const { config, group, providers } = this.#options
    const { signal } = this.#life
    const wanted = this.#wanted()
    if (signal.aborted || wanted === null) return
    this.#hideSecretsOf(wanted.props)
    try {
      await group.waitForLease(signal)
      const tasks = this.#tasks(wanted.props, wanted.target)
      if (tasks && !this.#unchanged(tasks)) {
        if (await mustFence(config.snapshot, providers, this.connector, wanted.props, tasks.length))
          await this.#fence(wanted, signal)
        // A newer configuration or target state has a reconcile of its own.
        if (!this.#isCurrent(wanted)) return
        await group.waitForLease(signal)
        await config.putTaskConfigs(this.connector, tasks, this.epoch)
      }
      this.failure = null
      this.#outages = 0
      await this.#report(stateOf(wanted.target))
    } catch (error) {
      if (signal.aborted) return
      if (errorKind(error) === 'retriable') this.#reconcileAgain()
      await this.#failedWith(error)
    }
  }

  /** Schedules a reconcile after an outage, with exponentially growing waits of 1 to 60 s. */
  #reconcileAgain(): void {
    const waitMs = backoffMs(++this.#outages, { baseMs: 1000, maxMs: 60_000 })
    const again = (): void => {
      this.reconcile().catch((error: unknown) => {
        this.#options.log.warn('status_write_failed', { connector_name: this.connector, error })
      })
    }
    if (this.#retry) clearTimeout(this.#retry)
    this.#retry = setTimeout(() => runOutsideScopes(again), waitMs)
  }

  /** A user changed or restarted the connector: past stalls no longer count. */
  changed(): Promise<void> {
    this.#forgiven = true
    return this.reconcile()
  }

  /** Ends the connector on this worker. `SILENT`: leaves its status as it is. */
  release(finalState: 'UNASSIGNED' | 'DELETED' | 'SILENT'): Promise<void> {
    this.#life.abort(new Error(`connector ${this.connector} is released`))
    if (this.#retry) clearTimeout(this.#retry)
    return this.#operations.run(async () => {
      if (finalState === 'UNASSIGNED') await this.#report('UNASSIGNED')
      if (finalState === 'DELETED') await this.#options.status.deleteConnector(this.connector)
      this.#endRedaction()
    })
  }

  get #stalls(): number {
    return this.#forgiven ? 0 : (this.#options.status.connector(this.connector)?.stalls ?? 0)
  }

  #hideSecretsOf(props: Props): void {
    const endRedaction = hideSecrets(secretsOf(this.plugin.connector.spec, props))
    this.#endRedaction()
    this.#endRedaction = endRedaction
  }

  async #failedWith(error: unknown): Promise<void> {
    const { log } = this.#options
    this.failure = error
    const trace = shownTrace(error)
    log.error('connector_failed', { connector_name: this.connector, trace })
    await this.#report('FAILED', trace)
  }

  /** The plugin threw in a timer, in a callback, or in a promise that nobody awaits. */
  #failInBackground(error: unknown): void {
    const failing = this.#operations.run(async () => {
      if (!this.#life.signal.aborted) await this.#failedWith(error)
    })
    failing.catch((cause: unknown) => {
      this.#options.log.warn('status_write_failed', { connector_name: this.connector, error: cause })
    })
  }

  /** What the config topic says now; null once the connector is deleted. */
  #wanted(): Wanted | null {
    const { snapshot } = this.#options.config
    const props = snapshot.config(this.connector)
    return props && { props, target: snapshot.targetState(this.connector) }
  }

  #isCurrent({ props, target }: Wanted): boolean {
    const now = this.#wanted()
    return !this.#life.signal.aborted && now?.props === props && now.target === target
  }

  /** Returns the tasks that the connector should have; null while it is paused: its tasks stay as they are. */
  #tasks(props: Props, target: TargetState): Props[] | null {
    const { plugin } = this.#options
    if (target === 'STOPPED') return []
    if (target === 'PAUSED') return null
    const last = this.#options.status.connector(this.connector)
    if (this.#stalls >= MAX_STALLS) throw heldTooOften(this.#scope.name, this.#stalls, last?.trace)
    return runInScope(this.#scope, () => taskConfigsOf(plugin, props))
  }

  #unchanged(tasks: readonly Props[]): boolean {
    const present = this.#options.config.snapshot.tasks(this.connector)
    return present.length === tasks.length && present.every((task, i) => sameProps(task, tasks[i]!))
  }

  /**
   * Removes all tasks from the config topic and fences them. If this worker dies meanwhile, the connector has no tasks. Its next
   * owner finds that the tasks differ from those wanted, and fences again.
   */
  async #fence(wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { config, fencing } = this.#options
    const { snapshot } = config
    if (snapshot.tasks(this.connector).length > 0) await config.putTaskConfigs(this.connector, [], this.epoch)
    const cfg = snapshot.appliedOffset
    // A stop, a deletion or a newer configuration ends the wait.
    const changed = new AbortController()
    const check = (): void => {
      if (!this.#isCurrent(wanted)) changed.abort()
    }
    const unlisten = config.listen({
      connectorConfigUpdated: check,
      connectorRemoved: check,
      targetStateUpdated: check,
    })
    const ends = AbortSignal.any([signal, changed.signal])
    try {
      await fencing.fence(this.connector, snapshot.taskNumbers(this.connector), cfg, ends)
    } catch (error) {
      if (!changed.signal.aborted) throw error
    } finally {
      unlisten()
    }
  }

  async #report(state: State, trace?: string): Promise<void> {
    const { status, workerId } = this.#options
    const generation = this.epoch
    const known = status.connector(this.connector)
    // Each write of task configs leads to another reconcile, which need not repeat the status.
    const reported = known?.state === state && known.workerId === workerId && known.generation === generation
    if (reported && known.trace === trace && !this.#forgiven) return
    await status.putConnector(this.connector, {
      state,
      workerId,
      generation,
      ...(trace === undefined ? {} : { trace }),
      ...(this.#forgiven && { stalls: 0 }),
    })
  }
}

/** What the user wants of the connector. */
interface Wanted {
  readonly props: ConnectorConfig
  readonly target: TargetState
}

function stateOf(target: TargetState): State {
  switch (target) {
    case 'STARTED':
      return 'RUNNING'
    case 'PAUSED':
      return 'PAUSED'
    case 'STOPPED':
      return 'STOPPED'
    default:
      return target satisfies never
  }
}
