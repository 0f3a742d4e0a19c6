import type { Props } from '@tributary/connect-api'
import type { ConfigStore, StatusStore } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { parseUnit } from '../assignment/group.ts'
import type { Overlaps } from '../assignment/overlaps.ts'
import { RemotePredecessor } from './remote-predecessor.ts'
import { sameProps } from '../model/props.ts'
import type { TaskId } from '../model/task.ts'

/** A task that can be started before the group gives it to this worker: the parts of a `TaskUnit` that preparing needs. */
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
  /** null: there is no such task, or no plugin for it. */
  readonly create: (unit: string, predecessor: RemotePredecessor) => T | null
  /** One is ready, so that the group may meet; or one has ended, so that its unit can be taken or prepared anew. */
  readonly onChange: () => void
  readonly log: Logger
}

interface Prepared<T> {
  readonly predecessor: RemotePredecessor
  /** null: its runs cannot overlap, and its owner need not wait. */
  readonly task: T | null
  ready: boolean
}

/**
 * Tasks that are to move to this worker: started and connected here while their owners still run them. None sends, commits
 * or tells anything before the group gives it to this worker.
 */
export class PreparedTasks<T extends PreparableTask> {
  readonly #options: PreparedTasksOptions<T>
  readonly #prepared = new Map<string, Prepared<T>>()
  /** Those that were called off and are not over yet. */
  readonly #ending = new Map<string, Promise<void>>()

  constructor(options: PreparedTasksOptions<T>) {
    this.#options = options
  }

  metadata(): { preparing: string[]; ready: string[] } {
    const units = [...this.#prepared]
    const named = (ready: boolean): string[] => units.filter(([, p]) => p.ready === ready).map(([unit]) => unit)
    return { preparing: named(false), ready: named(true) }
  }

  /** Calls off what is no longer to come. */
  keepOnly(wanted: ReadonlySet<string>): void {
    for (const unit of [...this.#prepared.keys()]) if (!wanted.has(unit)) this.#callOff(unit)
  }

  /** Prepares what is not prepared yet; what has not ended since it was called off is to be asked for again. */
  prepare(units: readonly string[]): void {
    for (const unit of units) if (!this.#prepared.has(unit) && !this.#ending.has(unit)) this.#prepare(unit)
  }

  /** What is prepared of the connector is given up when it is not what the config topic asks for now. */
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

  /** The unit is this worker's now: answers its task, which goes on by itself; null when none was prepared. */
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
