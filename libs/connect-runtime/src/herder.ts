import type { SourcePlugin } from '@tributary/connect-api'
import type { ConfigStore, RestartRequest, StatusStore } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { ConnectorUnit } from './connector-unit.ts'
import { type Group, type MemberAssignment, type MemberMetadata, parseUnit, unitOf } from './group.ts'
import { GroupLease } from './lease.ts'
import type { TaskEnvironment } from './task-factory.ts'
import { TaskUnit } from './task-unit.ts'
import { findPlugin, unitsOf } from './units.ts'

/** Changes of the config topic that come together cause one round of the group. */
const DEBOUNCE_MS = 20

export interface HerderOptions {
  readonly plugins: readonly SourcePlugin[]
  readonly config: ConfigStore
  readonly status: StatusStore
  readonly environment: TaskEnvironment
  /** host:port of this worker's admin server. */
  readonly workerId: string
  readonly group: () => Group
  readonly log: Logger
}

interface OwnedUnit {
  readonly epoch: number
  readonly unit: ConnectorUnit | TaskUnit
  stopping: boolean
  /** Resolves once a stop is over. */
  stopped: Promise<void>
}

/**
 * Runs on this worker what the group assigns to it: applies each assignment as a difference, so that nothing whose place
 * and configuration stay the same is touched, and follows the config topic for what is here already.
 */
export class Herder {
  readonly #options: HerderOptions
  readonly #own = new Map<string, OwnedUnit>()
  #units = ''
  #rejoinTimer: NodeJS.Timeout | null = null
  #latest: MemberAssignment | null = null
  #leaseLost = false
  #unlisten: (() => void) | null = null
  #stopped = false

  constructor(options: HerderOptions) {
    this.#options = options
  }

  start(): void {
    this.#units = this.#unitSet()
    this.#unlisten = this.#options.config.listen({
      connectorConfigUpdated: (connector) => this.#changed(connector),
      targetStateUpdated: (connector) => this.#changed(connector),
      tasksUpdated: (connector) => this.#changed(connector),
      connectorRemoved: () => this.#rejoinWhenUnitsChanged(),
      restartRequested: (request) => this.#restart(request),
    })
  }

  tasks(connector?: string): TaskUnit[] {
    const tasks = [...this.#own.values()].map((o) => o.unit).filter((u) => u instanceof TaskUnit)
    return connector === undefined ? tasks : tasks.filter((t) => t.id.connector === connector)
  }

  metadata(): MemberMetadata {
    return {
      worker: this.#options.workerId,
      cfg: String(this.#options.config.snapshot.appliedOffset),
      own: [...this.#own].map(([unit, { epoch, stopping }]) => [unit, epoch, stopping ? 1 : 0] as const),
    }
  }

  /** The group's answer of one round. What is taken away is marked before this returns; the rest goes on in the background. */
  apply(assignment: MemberAssignment): void {
    const wanted = new Set(assignment.run)
    const lost = this.#leaseLost
    this.#leaseLost = false
    this.#latest = assignment
    for (const [unit, owned] of this.#own) {
      if (!wanted.has(unit) && !owned.stopping) this.#release(unit, owned, lost ? 'lose' : 'stop')
    }
    this.#watch(this.#takeWhatIsNew(assignment))
  }

  /** A member that has read less of the config topic than the leader catches up first. */
  async #takeWhatIsNew(assignment: MemberAssignment): Promise<void> {
    const { config } = this.#options
    if (config.snapshot.appliedOffset < BigInt(assignment.cfg)) await config.refresh()
    if (assignment !== this.#latest || this.#stopped) return
    for (const unit of assignment.run) if (!this.#own.has(unit)) this.#take(unit)
  }

  /** The group no longer knows this member: everything is suspended (the lease says so) until the next assignment. */
  leaseLost(): void {
    this.#leaseLost = true
  }

  /** Stops everything that the group has not taken away already, and follows the config topic no more. */
  async stop(): Promise<void> {
    this.#unlisten?.()
    // A round that began before the member said that it leaves may still come to its end.
    this.#stopped = true
    for (const [unit, owned] of this.#own) if (!owned.stopping) this.#release(unit, owned, 'stop')
    await Promise.all([...this.#own.values()].map((owned) => owned.stopped))
    if (this.#rejoinTimer) clearTimeout(this.#rejoinTimer)
  }

  #take(unit: string): void {
    const { config, status, plugins, environment, workerId, group, log } = this.#options
    const { connector, task } = parseUnit(unit)
    const props = config.snapshot.config(connector)
    const plugin = findPlugin(plugins, props?.['connector.class'])
    const epoch = group().generation
    if (!plugin) return
    if (task === null) {
      const owned = new ConnectorUnit({ connector, plugin, epoch, config, status, workerId, log })
      this.#own.set(unit, { unit: owned, epoch, stopping: false, stopped: Promise.resolve() })
      this.#watch(owned.reconcile())
      return
    }
    const taskProps = config.snapshot.tasks(connector)[task]
    if (!taskProps) return
    const owned = new TaskUnit({
      id: { connector, task },
      plugin,
      props: taskProps,
      target: config.snapshot.targetState(connector),
      epoch,
      environment,
      status,
      workerId,
      createLease: () => new GroupLease(group()),
      log,
    })
    this.#own.set(unit, { unit: owned, epoch, stopping: false, stopped: Promise.resolve() })
    this.#watch(owned.start())
  }

  /** Stops a unit in the background; once it has really stopped, another round may give it to someone else. */
  #release(unit: string, owned: OwnedUnit, how: 'stop' | 'lose'): void {
    const { config, log } = this.#options
    owned.stopping = true
    const { connector } = parseUnit(unit)
    const deleted = config.snapshot.config(connector) === null
    const stopped = config.snapshot.targetState(connector) === 'STOPPED'
    const isTask = owned.unit instanceof TaskUnit
    const final = how === 'lose' ? 'SILENT' : deleted || (isTask && stopped) ? 'DELETED' : 'UNASSIGNED'
    const releasing = owned.unit instanceof TaskUnit ? owned.unit.release(how, final) : owned.unit.release(final)
    owned.stopped = releasing
      .catch((error: unknown) => log.error('unit_stop_failed', { unit, error }))
      .then(() => {
        this.#own.delete(unit)
        this.#rejoinSoon()
      })
  }

  /** Something about one connector changed: what is here follows, and the group meets when units came or went. */
  #changed(connector: string): void {
    const { config } = this.#options
    const target = config.snapshot.targetState(connector)
    const owned = this.#own.get(unitOf.connector(connector))
    if (owned?.unit instanceof ConnectorUnit && !owned.stopping) this.#watch(owned.unit.reconcile())
    const tasks = config.snapshot.tasks(connector)
    for (const task of this.tasks(connector)) {
      const props = tasks[task.id.task]
      if (!props || target === 'STOPPED') continue
      task.setTarget(target)
      this.#watch(task.update(props))
    }
    this.#rejoinWhenUnitsChanged()
  }

  #restart(request: RestartRequest): void {
    const { connector, includeTasks, onlyFailed, task } = request
    const owned = this.#own.get(unitOf.connector(connector))
    if (task === undefined && owned?.unit instanceof ConnectorUnit && (!onlyFailed || owned.unit.failure !== null)) {
      this.#watch(owned.unit.reconcile())
    }
    for (const unit of this.tasks(connector)) {
      const meant = task === undefined ? includeTasks : task === unit.id.task
      if (meant && (!onlyFailed || unit.failed)) this.#watch(unit.restart())
    }
  }

  #rejoinWhenUnitsChanged(): void {
    const units = this.#unitSet()
    if (units === this.#units) return
    this.#units = units
    this.#rejoinSoon()
  }

  /** Changes that come together, or units that stop together, cause one round. */
  #rejoinSoon(): void {
    this.#rejoinTimer ??= setTimeout(() => {
      this.#rejoinTimer = null
      this.#options.group().rejoin()
    }, DEBOUNCE_MS)
  }

  #unitSet(): string {
    const { connectors, tasks } = unitsOf(this.#options.config.snapshot, this.#options.plugins)
    return [...connectors, ...tasks].join('\n')
  }

  /** Nobody waits for these; a rejection would be a bug of ours, and is told. */
  #watch(operation: Promise<void>): void {
    operation.catch((error: unknown) => this.#options.log.error('unit_operation_failed', { error }))
  }
}
