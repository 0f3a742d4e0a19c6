import type { Props } from '@tributary/connect-api'
import type { ConfigStore, StatusStore } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { parseUnit } from '../assignment/group.ts'
import type { Overlaps } from '../assignment/overlaps.ts'
import { RemotePredecessor } from './remote-predecessor.ts'
import { sameProps } from '../model/props.ts'
import type { TaskId } from '../model/task.ts'

/** The parts of a `TaskUnit` that its preparation needs: its start before the group assigns the unit to this worker. */
export interface PreparableTask {
  readonly id: TaskId
  readonly props: Props
  start(): Promise<void>
  release(how: 'stop', finalState: 'SILENT'): Promise<void>
}

export interface PreparedTasksOptions<T extends PreparableTask> {
  readonly config: ConfigStore
  readonly status: StatusStore
  readonly overlaps: Overlaps
  /** Returns null when the task does not exist, or has no plugin on this worker. */
  readonly create: (unit: string, predecessor: RemotePredecessor) => T | null
  /** Called when a task is ready, so that the group may rebalance, and when one has ended, so that its unit is free again. */
  readonly onChange: () => void
  readonly log: Logger
}

interface Prepared<T> {
  readonly predecessor: RemotePredecessor
  /** null: the runs of the task cannot overlap, so its owner need not wait. */
  readonly task: T | null
  ready: boolean
}

/**
 * Starts and connects the tasks that are to move to this worker, while their owners still run them. A prepared task sends, commits
 * and reports nothing before the group assigns it to this worker.
 */
export class PreparedTasks<T extends PreparableTask> {
  readonly #options: PreparedTasksOptions<T>
  readonly #prepared = new Map<string, Prepared<T>>()
  /** The preparations that were called off and have not ended yet. */
  readonly #ending = new Map<string, Promise<void>>()

  constructor(options: PreparedTasksOptions<T>) {
    this.#options = options
  }

  /** The units in preparation, for the group's leader. */
  metadata(): { preparing: string[]; ready: string[] } {
    const units = [...this.#prepared]
    const named = (ready: boolean): string[] => units.filter(([, p]) => p.ready === ready).map(([unit]) => unit)
    return { preparing: named(false), ready: named(true) }
  }

  /** Calls off the preparation of every unit that is not in `wanted`. */
  keepOnly(wanted: ReadonlySet<string>): void {
    for (const unit of [...this.#prepared.keys()]) if (!wanted.has(unit)) this.#callOff(unit)
  }

  /** Prepares the units that are not prepared yet. Skips a unit whose called-off preparation has not ended; `onChange` follows. */
  prepare(units: readonly string[]): void {
    for (const unit of units) if (!this.#prepared.has(unit) && !this.#ending.has(unit)) this.#prepare(unit)
  }

  /** Calls off the connector's preparations that no longer match the config topic. */
  configChanged(connector: string): void {
    const outdated = [...this.#prepared].filter(([unit, { task }]) => {
      return parseUnit(unit).connector === connector && !this.#upToDate(unit, task)
    })
    for (const [unit] of outdated) this.#callOff(unit)
    if (outdated.length > 0) this.#options.onChange()
  }

  /** Whether a preparation that was called off still runs. It must end before the unit may run. */
  isEnding(unit: string): boolean {
    return this.#ending.has(unit)
  }

  /** Called when the group has assigned the unit to this worker. Returns its task, which takes over by itself; null without one. */
  take(unit: string): T | null {
    const prepared = this.#prepared.get(unit)
    this.#prepared.delete(unit)
    prepared?.predecessor.assignedHere()
    return prepared?.task ?? null
  }

  async stop(): Promise<void> {
    this.keepOnly(new Set())
    await Promise.all(this.#ending.values())
  }

  #prepare(unit: string): void {
    const { config, create, status, overlaps, log } = this.#options
    const { connector, task } = parseUnit(unit)
    const id = { connector, task: task! }
    const fields = { connector_name: connector, task }
    const startedAt = performance.now()
    const ready = (connected: boolean): void => {
      if (prepared.ready || this.#prepared.get(unit) !== prepared) return
      prepared.ready = true
      log.info('task_prepared', { ...fields, connected, waited_ms: Math.round(performance.now() - startedAt) })
      this.#options.onChange()
    }
    const predecessor = new RemotePredecessor({ id, status, onReady: ready })
    const prepared: Prepared<T> = {
      predecessor,
      task: overlaps.allowed(config.snapshot, unit) ? create(unit, predecessor) : null,
      ready: false,
    }
    this.#prepared.set(unit, prepared)
    if (prepared.task === null) return ready(false)
    log.info('task_preparing', fields)
    prepared.task.start().catch((error: unknown) => log.error('unit_operation_failed', { unit, error }))
  }

  #upToDate(unit: string, prepared: T | null): boolean {
    const { config, overlaps } = this.#options
    const { connector, task } = parseUnit(unit)
    const props = config.snapshot.tasks(connector)[task ?? 0]
    const allowed = overlaps.allowed(config.snapshot, unit)
    return prepared === null ? !allowed : allowed && props !== undefined && sameProps(props, prepared.props)
  }

  #callOff(unit: string): void {
    const { log, onChange } = this.#options
    const { predecessor, task } = this.#prepared.get(unit)!
    this.#prepared.delete(unit)
    if (!task) return
    const { connector: connector_name, task: number } = task.id
    log.info('task_preparation_ended', { connector_name, task: number })
    predecessor.callOff()
    const ended = task
      .release('stop', 'SILENT')
      .catch((error: unknown) => log.error('unit_stop_failed', { unit, error }))
      .then(() => {
        this.#ending.delete(unit)
        onChange()
      })
    this.#ending.set(unit, ended)
  }
}
