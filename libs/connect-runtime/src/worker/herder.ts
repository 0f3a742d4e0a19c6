import type { Props, SourcePlugin } from '@tributary/connect-api'
import type { ConfigStore, RestartRequest, StatusStore } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { ConnectorUnit } from '../unit/connector-unit.ts'
import type { ZombieFencing } from '../unit/zombie-fencing.ts'
import { type Group, type MemberAssignment, type MemberMetadata, parseUnit, unitOf } from '../assignment/group.ts'
import { GroupLease } from '../assignment/lease.ts'
import type { RemotePredecessor } from '../hand-over/remote-predecessor.ts'
import { PreparedTasks } from '../hand-over/prepared-tasks.ts'
import type { PlannedRun } from '../unit/overlap.ts'
import { TaskUnit, type UnitEnvironment } from '../unit/task-unit.ts'
import type { Overlaps } from '../assignment/overlaps.ts'
import { isOurs, pluginOf, taskCount } from '../assignment/units.ts'

/** Changes of the config topic within this time cause one round of the group. */
const DEBOUNCE_MS = 20
/** Tasks that get ready within this time cause one round. The delay stops no task, because their owners still run them. */
const READY_DEBOUNCE_MS = 50
/** Wait before the herder asks for another round, when it could not read the config topic. */
const RETRY_MS = 1000

export interface HerderOptions {
  readonly plugins: readonly SourcePlugin[]
  readonly config: ConfigStore
  readonly status: StatusStore
  readonly environment: UnitEnvironment
  readonly overlaps: Overlaps
  readonly fencing: ZombieFencing
  /** A configuration that is put again changes nothing, as in Kafka Connect, whatever became of its files. */
  readonly strict: boolean
  /** host:port of this worker's admin server. */
  readonly workerId: string
  readonly group: () => Group
  readonly log: Logger
}

interface OwnedUnit {
  readonly epoch: number
  readonly unit: ConnectorUnit | TaskUnit
  stopping: boolean
  /** Resolves once the unit has stopped; resolved while the unit runs. */
  stopped: Promise<void>
}

/**
 * Runs the units that the group assigns to this worker. The herder applies each assignment as a difference, so that units
 * that stay here with the same configuration are not touched. It follows the config topic for the units that it owns.
 */
export class Herder {
  readonly #options: HerderOptions
  readonly #own = new Map<string, OwnedUnit>()
  readonly #prepared: PreparedTasks<TaskUnit>
  /** Number of tasks of each connector of this service. The group meets again when this map changes. */
  readonly #taskCounts = new Map<string, number>()
  #rejoinTimer: NodeJS.Timeout | null = null
  #rejoinAt = 0
  /** The last assignment; null while the group makes a new one. */
  #latest: MemberAssignment | null = null
  #leaseLost = false
  #unlisten: (() => void) | null = null
  #stopped = false

  constructor(options: HerderOptions) {
    this.#options = options
    const { config, status, overlaps, log } = options
    const create = (unit: string, predecessor: RemotePredecessor): TaskUnit | null =>
      this.#createTask(unit, predecessor)
    this.#prepared = new PreparedTasks({
      config,
      status,
      overlaps,
      create,
      onChange: () => this.#preparedChanged(),
      log,
    })
  }

  start(): void {
    const { config } = this.#options
    for (const connector of config.snapshot.connectors()) this.#unitsChanged(connector)
    this.#unlisten = config.listen({
      connectorConfigUpdated: (connector) => {
        this.#changed(connector)
        if (!this.#options.strict) for (const task of this.tasks(connector)) this.#watch(task.repeat())
      },
      targetStateUpdated: (connector) => this.#changed(connector),
      tasksUpdated: (connector) => this.#changed(connector),
      connectorRemoved: (connector) => this.#rejoinWhenUnitsChanged(connector),
      restartRequested: (request) => this.#restart(request),
    })
  }

  tasks(connector?: string): TaskUnit[] {
    const tasks = [...this.#own.values()].map((o) => o.unit).filter((u) => u instanceof TaskUnit)
    return connector === undefined ? tasks : tasks.filter((t) => t.id.connector === connector)
  }

  /** What the tasks of a connector that run here would do with these configurations, by the number of the task. */
  async planned(connector: string, plugin: SourcePlugin, tasks: readonly Props[]): Promise<Map<number, PlannedRun>> {
    const planned = new Map<number, PlannedRun>()
    for (const unit of this.tasks(connector)) {
      const props = tasks[unit.id.task]
      if (props === undefined) continue
      planned.set(
        unit.id.task,
        unit.plugin === plugin
          ? await unit.planned(props, !this.#options.strict)
          : { action: 'restart', why: 'Another class runs the task: the present run ends before a new one begins.' },
      )
    }
    return planned
  }

  /**
   * What this member reports to the leader of a new round. The leader may give to others what the member was assigned and has not
   * taken yet, so the member takes nothing more of its last assignment.
   */
  joinRound(): MemberMetadata {
    this.#latest = null
    return this.metadata()
  }

  metadata(): MemberMetadata {
    return {
      worker: this.#options.workerId,
      cfg: String(this.#options.config.snapshot.appliedOffset),
      own: [...this.#own].map(([unit, { epoch, stopping }]) => [unit, epoch, stopping ? 1 : 0] as const),
      ...this.#prepared.metadata(),
    }
  }

  /** Applies the assignment of one round. Revoked units are marked as stopping on return; all else runs in the background. */
  apply(assignment: MemberAssignment): void {
    const wanted = new Set(assignment.run)
    const lost = this.#leaseLost
    this.#leaseLost = false
    this.#latest = assignment
    const moving = new Set(assignment.moving)
    for (const [unit, owned] of this.#own) {
      if (owned.stopping) continue
      if (!wanted.has(unit)) this.#release(unit, owned, lost ? 'lose' : 'stop')
      else if (owned.unit instanceof TaskUnit) owned.unit.setMoving(moving.has(unit))
    }
    this.#prepared.keepOnly(new Set([...assignment.run, ...(assignment.prepare ?? [])]))
    this.#watch(this.#takeWhatIsNew(assignment))
  }

  /** A member that has read less of the config topic than the leader catches up first. */
  async #takeWhatIsNew(assignment: MemberAssignment): Promise<void> {
    const { config } = this.#options
    if (config.snapshot.appliedOffset < BigInt(assignment.cfg)) {
      try {
        await config.refresh()
      } catch (error) {
        if (!this.#stopped) this.#rejoinSoon(RETRY_MS)
        throw error
      }
    }
    await this.#options.overlaps.learn(config.snapshot)
    if (assignment !== this.#latest || this.#stopped) return
    for (const unit of assignment.run) {
      // The end of a cancelled preparation causes another round, which assigns the unit again.
      if (!this.#own.has(unit) && !this.#prepared.isEnding(unit)) this.#take(unit)
    }
    this.#prepareWhatIsNew()
  }

  #prepareWhatIsNew(): void {
    this.#prepared.prepare((this.#latest?.prepare ?? []).filter((unit) => !this.#own.has(unit)))
  }

  /**
   * A prepared task is ready, so the group may revoke it from its owner. Or a preparation has ended, so the task may be
   * prepared again. This takes no units of the last assignment: another member may own them by now. The next round assigns
   * them.
   */
  #preparedChanged(): void {
    if (this.#stopped) return
    this.#rejoinSoon(READY_DEBOUNCE_MS)
    this.#prepareWhatIsNew()
  }

  /** The group no longer knows this member. The lease suspends all units until the next assignment. */
  leaseLost(): void {
    this.#leaseLost = true
  }

  /**
   * Stops all units that the group has not revoked already, and stops following the config topic. `lose`: another process
   * has the units already, so nothing is delivered, committed or reported any more.
   */
  async stop(how: 'stop' | 'lose' = 'stop'): Promise<void> {
    this.#unlisten?.()
    // A round that began before this member announced that it leaves may still end: its assignment must start nothing.
    this.#stopped = true
    for (const [unit, owned] of this.#own) if (!owned.stopping) this.#release(unit, owned, how)
    await Promise.all([this.#prepared.stop(), ...[...this.#own.values()].map((owned) => owned.stopped)])
    if (this.#rejoinTimer) clearTimeout(this.#rejoinTimer)
  }

  #take(unit: string): void {
    const epoch = this.#options.group().generation
    const own = (taken: OwnedUnit['unit']): void =>
      void this.#own.set(unit, { unit: taken, epoch, stopping: false, stopped: Promise.resolve() })
    const prepared = this.#prepared.take(unit)
    if (prepared) return own(prepared)
    const created = parseUnit(unit).task === null ? this.#createConnector(unit) : this.#createTask(unit)
    if (!created) return
    own(created)
    this.#watch(created instanceof TaskUnit ? created.start() : created.reconcile())
  }

  #createConnector(unit: string): ConnectorUnit | null {
    const { config, status, fencing, environment, workerId, group, log } = this.#options
    const { connector } = parseUnit(unit)
    const plugin = this.#pluginOf(connector)
    const { providers } = environment
    const shared = { config, status, fencing, providers, group: group(), workerId, log }
    return plugin && new ConnectorUnit({ connector, plugin, epoch: group().generation, ...shared })
  }

  /** `predecessor`: the run of the task on the worker that still owns the task. */
  #createTask(unit: string, predecessor?: RemotePredecessor): TaskUnit | null {
    const { config, status, environment, workerId, group, log } = this.#options
    const { connector, task } = parseUnit(unit)
    const props = task === null ? undefined : config.snapshot.tasks(connector)[task]
    const plugin = this.#pluginOf(connector, props)
    if (task === null || !props || !plugin) return null
    return new TaskUnit({
      id: { connector, task },
      plugin,
      props,
      target: config.snapshot.targetState(connector),
      epoch: group().generation,
      environment,
      status,
      workerId,
      createLease: () => new GroupLease(group()),
      log,
      ...(predecessor && { predecessor }),
    })
  }

  /** Stops a unit in the background. Once the unit has stopped, another round may assign it to another member. */
  #release(unit: string, owned: OwnedUnit, how: 'stop' | 'lose'): void {
    const { log } = this.#options
    owned.stopping = true
    const final = how === 'lose' ? 'SILENT' : this.#finalState(unit)
    const releasing = owned.unit instanceof TaskUnit ? owned.unit.release(how, final) : owned.unit.release(final)
    owned.stopped = releasing
      .catch((error: unknown) => log.error('unit_stop_failed', { unit, error }))
      .then(() => {
        this.#own.delete(unit)
        this.#rejoinSoon()
      })
  }

  #pluginOf(connector: string, taskProps?: Props): SourcePlugin | null {
    const { config, plugins } = this.#options
    return pluginOf(config.snapshot, plugins, connector, taskProps)
  }

  /** The last state that a stopping unit writes to the status topic; SILENT: the unit writes none. */
  #finalState(unit: string): 'UNASSIGNED' | 'DELETED' | 'SILENT' {
    const { config, plugins } = this.#options
    const { snapshot } = config
    const { connector, task } = parseUnit(unit)
    if (snapshot.config(connector) === null) return 'DELETED'
    // The workers of another service run the connector now, and write its status.
    if (!isOurs(snapshot, plugins, connector)) return 'SILENT'
    return task !== null && task >= taskCount(snapshot, connector) ? 'DELETED' : 'UNASSIGNED'
  }

  /** Applies a change of one connector to its units on this worker. New or removed units cause a round of the group. */
  #changed(connector: string): void {
    const { config } = this.#options
    const { snapshot } = config
    const target = snapshot.targetState(connector)
    this.#follow(unitOf.connector(connector), this.#pluginOf(connector), (unit) => {
      if (unit instanceof ConnectorUnit) this.#watch(unit.changed())
    })
    const tasks = target === 'STOPPED' ? [] : snapshot.tasks(connector)
    for (const [task, props] of tasks.entries()) {
      this.#follow(unitOf.task(connector, task), this.#pluginOf(connector, props), (unit) => {
        if (!(unit instanceof TaskUnit)) return
        unit.setTarget(target)
        this.#watch(unit.update(props))
      })
    }
    this.#prepared.configChanged(connector)
    this.#rejoinWhenUnitsChanged(connector)
  }

  /** Calls `apply` with an owned unit. If the unit's plugin has changed, releases the unit: the next round assigns it again. */
  #follow(name: string, plugin: SourcePlugin | null, apply: (unit: OwnedUnit['unit']) => void): void {
    const owned = this.#own.get(name)
    if (!owned || owned.stopping) return
    if (owned.unit.plugin === plugin) apply(owned.unit)
    else this.#release(name, owned, 'stop')
  }

  #restart(request: RestartRequest): void {
    const { connector, includeTasks, onlyFailed, task } = request
    const owned = this.#own.get(unitOf.connector(connector))
    if (task === undefined && owned?.unit instanceof ConnectorUnit && (!onlyFailed || owned.unit.failure !== null)) {
      this.#watch(owned.unit.changed())
    }
    for (const unit of this.tasks(connector)) {
      const meant = task === undefined ? includeTasks : task === unit.id.task
      if (meant && (!onlyFailed || unit.failed)) this.#watch(unit.restart())
    }
  }

  #rejoinWhenUnitsChanged(connector: string): void {
    if (this.#unitsChanged(connector)) this.#rejoinSoon()
  }

  /** Records the connector's number of tasks, and returns whether it changed. Takes constant time. */
  #unitsChanged(connector: string): boolean {
    const { config, plugins } = this.#options
    const before = this.#taskCounts.get(connector)
    const now = isOurs(config.snapshot, plugins, connector) ? taskCount(config.snapshot, connector) : undefined
    if (now === undefined) this.#taskCounts.delete(connector)
    else this.#taskCounts.set(connector, now)
    return now !== before
  }

  /** Asks for a round of the group. Calls that follow each other within `afterMs` cause one round. */
  #rejoinSoon(afterMs = DEBOUNCE_MS): void {
    const at = performance.now() + afterMs
    if (this.#rejoinTimer) {
      if (this.#rejoinAt <= at) return
      clearTimeout(this.#rejoinTimer)
    }
    this.#rejoinAt = at
    this.#rejoinTimer = setTimeout(() => {
      this.#rejoinTimer = null
      this.#options.group().rejoin()
    }, afterMs)
  }

  /** Logs the rejection of an operation that nobody awaits. Such a rejection is a bug of the runtime, or an outage of Kafka. */
  #watch(operation: Promise<void>): void {
    operation.catch((error: unknown) => this.#options.log.error('unit_operation_failed', { error }))
  }
}
