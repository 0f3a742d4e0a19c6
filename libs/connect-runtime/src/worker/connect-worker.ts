import { resolve } from 'node:path'
import { type LoopPacer, systemClock } from '@tributary/async'
import {
  type ConfigProviders,
  kafkaConnection,
  type KafkaConnection,
  providersFrom,
  type ValuesOf,
} from '@tributary/config'
import {
  deniedNetworks,
  denyNetworks,
  type MemoryBudget,
  type PredicatePlugin,
  type Props,
  type SourcePlugin,
  type TransformationPlugin,
} from '@tributary/connect-api'
import { CONVERTER_PLUGINS } from '@tributary/converters'
import {
  createStores,
  followLogLevels,
  internalTopicCheck,
  type ConfigSnapshot,
  type PluginEntry,
  pluginKey,
  type Stores,
  storesOptions,
  troubleOf,
} from '@tributary/connect-storage'
import { type GroupInstance, GroupMember, KafkaAdmin } from '@tributary/kafka'
import { createProducerPool, type KafkaProducer } from '@tributary/kafka-producer'
import { type Logger, loggerLevels } from '@tributary/telemetry'
import { ZombieFencing } from '../unit/zombie-fencing.ts'
import type { MemberAssignment, MemberMetadata } from '../assignment/group.ts'
import { isMemberAssignment, isMemberMetadata } from '../assignment/group-schema.ts'
import { Herder } from './herder.ts'
import { type AdminRoutes, addInternalRoutes } from './internal-routes.ts'
import { publishedTransforms, type OwnTransforms } from '../model/transformations.ts'
import { StartTrials } from '../isolation/start-trials.ts'
import { EventLoopWatchdog } from '../isolation/event-loop-watchdog.ts'
import { failScopeOf, runOutsideScopes } from '../isolation/plugin-scope.ts'
import { LeftBehind } from '../recovery/left-behind.ts'
import { registerLeftBehindMetrics } from '../recovery/left-behind-metrics.ts'
import { Leader } from '../assignment/leader.ts'
import { Overlaps } from '../assignment/overlaps.ts'
import { Previews } from '../preview/previews.ts'
import { Replays } from '../replay/replays.ts'
import { Taps } from '../tail/taps.ts'
import { paceLoop } from './paced-loop.ts'
import { processMemoryBudget, registerMemoryMetrics } from './process-memory.ts'
import { registerTaskMetrics } from './task-metrics.ts'
import type { UnitEnvironment } from '../unit/task-unit.ts'
import { instanceIdOf, WorkerInstance } from './worker-instance.ts'
import { INHERITED_KEYS, workerSettings } from './worker-settings.ts'

/** The part of its process that a worker needs. libs/service provides it. */
export interface WorkerHost {
  readonly settings: ValuesOf<(typeof workerSettings)['keys']>
  readonly log: Logger
  /** host:port of the admin server, as other processes reach it. */
  readonly address: string
  /** The certificates of the process; null or absent: the admin server answers by http. */
  readonly tls?: { readonly serves: boolean } | null
  readonly signal: AbortSignal
  /** `stop` must end within this many ms. Absent: no bound. */
  readonly shutdownTimeoutMs?: number
  readonly admin: AdminRoutes
  /** Ends the process; with an error the exit code is 1. */
  shutdown(reason: string, error?: unknown): void
  /**
   * Registers the handler of unhandled errors. The handler returns whether the error belonged to a plugin's scope. Absent
   * when the process is not the worker's own. Then the worker neither watches nor paces the event loop, because both concern
   * the whole process.
   */
  onUnhandled?(handler: (error: unknown) => boolean): void
}

export interface ConnectWorkerOptions {
  /** Name of the service, such as `grpc-ingest`. The workers of a service share one group. */
  readonly name: string
  readonly version: string
  readonly plugins: readonly SourcePlugin[]
  /** Transforms that only this service has, beside those of every worker. */
  readonly transformations?: readonly TransformationPlugin[]
  /** Predicates that only this service has. */
  readonly predicates?: readonly PredicatePlugin[]
}

/** Returns a service that runs the connectors and tasks of the plugins. Pass the service to `runService`. */
export function connectWorker(options: ConnectWorkerOptions) {
  return {
    name: options.name,
    version: options.version,
    settings: workerSettings,
    start: (host: WorkerHost): Promise<Worker> => Promise.resolve(new Worker(options, host)),
  }
}

/** Time for the round in which the other workers learn that this worker leaves. */
const ROUND_MS = 2000
/** Time to leave the group and close the stores, after the tasks have stopped. */
const CLOSE_MS = 1000

/** One worker: its stores, its membership of the service's group, and the units that the group assigns to it. */
class Worker {
  readonly #host: WorkerHost
  readonly #plugins: readonly SourcePlugin[]
  readonly #service: string
  readonly #version: string
  readonly #transforms: Required<OwnTransforms>
  readonly #connection: KafkaConnection
  readonly #stores: Stores
  readonly #admin: KafkaAdmin
  /** The worker's values for INHERITED_KEYS. */
  readonly #defaults: Props
  readonly #providers: ConfigProviders
  readonly #overlaps: Overlaps
  readonly #herder: Herder
  readonly #leftBehind: LeftBehind
  readonly #replays: Replays
  readonly #leader: Leader
  readonly #member: GroupMember<MemberMetadata, MemberAssignment>
  readonly #instanceId: string | null
  /** null: this worker cannot prove to its successor that it has ended. */
  #instance: WorkerInstance | null = null
  #fenced = false
  readonly #trials: StartTrials
  /** null: nobody watches, or the topic to which it reports is not known yet. */
  #watchdog: EventLoopWatchdog | null = null
  /** null: the loop is not paced, because it must not be, or because it is not the worker's own. */
  readonly #pacer: LoopPacer | null
  /**
   * Aborts when a stop is over, because the stop still needs the stores and the membership. Until the start is over, the
   * host's signal aborts this at once, and so ends the start.
   */
  readonly #life = new AbortController()
  readonly #memory: MemoryBudget
  readonly #taps = new Taps()
  #state: true | string = 'Reading the internal topics.'

  constructor(options: ConnectWorkerOptions, host: WorkerHost) {
    const { name: service, version, plugins, transformations = [], predicates = [] } = options
    this.#host = host
    this.#transforms = { transformations, predicates }
    this.#plugins = plugins
    this.#service = service
    this.#version = version
    const { settings, log, address } = host
    const connection = { ...kafkaConnection(settings), clientId: `${service}@${address}` }
    this.#connection = connection
    const driver = settings['producer.driver'] === 'kafkajs' ? 'kafkajs' : 'tributary'
    const mayWriteOffsets = (): boolean => this.#member.leaseValid()
    this.#stores = createStores({ connection, log, driver, mayWriteOffsets, ...storesOptions(settings) })
    this.#admin = new KafkaAdmin(connection)
    this.#defaults = Object.fromEntries(
      INHERITED_KEYS.flatMap((key) => (settings[key] === null ? [] : [[key, String(settings[key])]])),
    )
    this.#providers = providersFrom(settings, process.env)
    this.#overlaps = new Overlaps(plugins, { defaults: this.#defaults, providers: this.#providers })
    denyNetworks(deniedNetworks(settings['connect.deny.networks']))
    this.#memory = processMemoryBudget(settings['memory.budget.percent'])
    registerMemoryMetrics(this.#memory)
    this.#pacer = host.onUnhandled ? paceLoop(settings['event.loop.interval.ms']) : null
    this.#trials = new StartTrials(resolve(settings['data.dir']), this.#groupId)
    const environment = this.#taskEnvironment(connection, driver)
    this.#herder = this.#createHerder(environment)
    this.#leftBehind = new LeftBehind({
      plugins,
      config: this.#stores.configs,
      status: this.#stores.status,
      environment,
      workerId: address,
      isHere: ({ connector, task }) => this.#herder.tasks(connector).some(({ id }) => id.task === task),
      log,
    })
    const settleMs = settings['rebalance.settle.ms']
    const rejoin = (): void => this.#member.rejoin()
    const { configs: config } = this.#stores
    const overlaps = this.#overlaps
    this.#leader = new Leader({ config, plugins, overlaps, clock: systemClock, settleMs, rejoin })
    this.#instanceId = instanceIdOf(settings['group.instance.id'], process.env)
    this.#member = new GroupMember({
      connection,
      groupId: this.#groupId,
      log,
      sessionTimeoutMs: settings['session.timeout.ms'],
      heartbeatIntervalMs: settings['heartbeat.interval.ms'],
      rebalanceTimeoutMs: settings['rebalance.timeout.ms'],
      readsMetadata: isMemberMetadata,
      readsAssignment: isMemberAssignment,
      metadata: (): MemberMetadata => ({
        ...this.#herder.joinRound(),
        plugins: this.#published.map(pluginKey),
        ...(host.tls?.serves && { tls: true }),
        ...(this.#instance && { lock: this.#instance.lock }),
      }),
      assign: (members) => this.#leader.assign(members),
      onAssignment: (assignment) => {
        this.#herder.apply(assignment)
        this.#leftBehind.assigned(assignment.run)
      },
      onLost: () => this.#herder.leaseLost(),
      ...(this.#instanceId !== null && { instance: this.#groupInstance(this.#instanceId) }),
    })
    const snapshot = (): ConfigSnapshot => this.#stores.configs.snapshot
    const parts = { plugins, environment, herder: this.#herder, topics: this.#admin, connection, snapshot }
    this.#replays = new Replays(parts)
    addInternalRoutes(host.admin, {
      ...{ plugins, herder: this.#herder, previews: new Previews(parts), replays: this.#replays },
      ...{ exactlyOnceSource: this.#exactlyOnceSource, providers: this.#providers, transforms: this.#transforms },
      ...{ taps: this.#taps, planning: () => ({ snapshot: snapshot(), environment }) },
    })
    registerTaskMetrics(() => this.#herder.tasks(), [...new Set(plugins.flatMap((p) => p.metricPrefix ?? []))])
    registerLeftBehindMetrics(this.#leftBehind)
    host.onUnhandled?.(failScopeOf)
    // The start waits for an unreachable Kafka, and /ready reports that. Any other error ends the process.
    this.#start().catch((error: unknown) => {
      if (!this.#life.signal.aborted && !this.#fenced) host.shutdown('start_failed', error)
    })
  }

  ready(): true | string {
    return this.#state === true ? (troubleOf(this.#stores) ?? true) : this.#state
  }

  async stop(): Promise<void> {
    const { configs, offsets, status, plugins } = this.#stores
    this.#leader.close()
    // Tasks that can run with overlap run until other workers are ready for them.
    const drained = this.#member.drain(AbortSignal.timeout(this.#drainMs), ({ run }) => run.length === 0)
    await drained.catch((error: unknown) => this.#host.log.warn('drain_failed', { error }))
    await Promise.all([this.#herder.stop(), this.#leftBehind.stop()])
    await Promise.all([this.#member.leave(), this.#replays.close()])
    await Promise.all([configs.stop(), offsets.stop(), status.stop(), plugins.stop()])
    await this.#admin.close()
    await this.#watchdog?.stop()
    this.#pacer?.stop()
    this.#instance?.release()
    this.#life.abort()
  }

  /** ms that a stop gives its tasks for their hand-over. The rest of the stop is for draining them and closing. */
  get #drainMs(): number {
    const { settings, shutdownTimeoutMs = Infinity } = this.#host
    // Without a lease the group cannot report that another worker is ready.
    if (!this.#member.leaseValid()) return ROUND_MS
    const left = shutdownTimeoutMs - settings['task.shutdown.graceful.timeout.ms'] - CLOSE_MS
    return Math.max(ROUND_MS, Math.min(ROUND_MS + settings['task.handover.timeout.ms'], left))
  }

  get #groupId(): string {
    return `${this.#host.settings.cluster}-${this.#service}`
  }

  get #exactlyOnceSource(): boolean {
    return this.#host.settings['exactly.once.source.support'].toLowerCase() === 'enabled'
  }

  async #start(): Promise<void> {
    const signal = this.#life.signal
    const stopped = (): void => this.#life.abort(this.#host.signal.reason)
    this.#host.signal.addEventListener('abort', stopped)
    const { configs, offsets, status, plugins } = this.#stores
    const stores = [configs, offsets, status, plugins].map((store) => store.start(signal))
    await Promise.all([...stores, this.#lockInstance(), this.#trials.load()])
    this.#watchdog = this.#watchEventLoop(status.topic)
    this.#state = 'Joining the group.'
    this.#herder.start()
    followLogLevels(configs, loggerLevels)
    await Promise.all([this.#member.start(signal), this.#publishPlugins()])
    this.#host.signal.removeEventListener('abort', stopped)
    if (!this.#fenced) this.#state = true
  }

  async #lockInstance(): Promise<void> {
    if (this.#instanceId === null) return
    const { settings, log } = this.#host
    const key = `${this.#groupId}-${this.#instanceId}`
    this.#instance = await WorkerInstance.acquire(resolve(settings['data.dir']), key, log)
  }

  #groupInstance(id: string): GroupInstance<MemberMetadata> {
    return {
      id,
      ended: (predecessor) => this.#instance?.ended(predecessor) === true,
      // The process stays, without work: if it ended, its supervisor would start it again, and it would fence the other.
      onFenced: ({ message }) => {
        this.#fenced = true
        this.#state = message
        this.#leader.close()
        const stopped = Promise.all([this.#herder.stop('lose'), this.#leftBehind.stop()])
        stopped.catch((error: unknown) => this.#host.log.error('unit_stop_failed', { error }))
      },
    }
  }

  /** What this worker publishes to the plugins topic. */
  get #published(): readonly PluginEntry[] {
    const connectors = this.#plugins.map(({ class: className, aliases, version, connector }): PluginEntry => {
      return { class: className, aliases, type: 'source', version, spec: connector.spec, service: this.#service }
    })
    const converters = CONVERTER_PLUGINS.map(({ class: className, aliases, type, spec }): PluginEntry => {
      return { class: className, aliases, type, version: this.#version, spec, service: '*' }
    })
    return [...connectors, ...converters, ...publishedTransforms(this.#transforms, this.#service)]
  }

  async #publishPlugins(): Promise<void> {
    await Promise.all(this.#published.map((plugin) => this.#stores.plugins.publish(plugin)))
  }

  #watchEventLoop(statusTopic: string): EventLoopWatchdog | null {
    const { settings, address: workerId, log } = this.#host
    const stallMs = settings['event.loop.stall.ms']
    if (!this.#host.onUnhandled || stallMs === 0) return null
    const sessionTimeoutMs = settings['session.timeout.ms']
    return new EventLoopWatchdog({
      stallMs,
      sessionTimeoutMs,
      connection: this.#connection,
      statusTopic,
      workerId,
      log,
    })
  }

  #createHerder(environment: UnitEnvironment): Herder {
    const { settings, log, address } = this.#host
    return new Herder({
      overlaps: this.#overlaps,
      strict: settings['connect.strict'],
      plugins: this.#plugins,
      config: this.#stores.configs,
      status: this.#stores.status,
      workerId: address,
      log,
      group: () => this.#member,
      fencing: new ZombieFencing({
        admin: this.#admin,
        groupId: this.#groupId,
        waitMs: settings['task.shutdown.graceful.timeout.ms'] + settings['session.timeout.ms'],
        rejoin: () => this.#member.rejoin(),
        clock: systemClock,
        log,
      }),
      environment,
    })
  }

  /** The environment that all tasks of this worker share. */
  #taskEnvironment(connection: KafkaConnection, driver: KafkaProducer['driver']): UnitEnvironment {
    const { settings, log } = this.#host
    return {
      producers: createProducerPool(connection, driver),
      groupId: this.#groupId,
      offsets: this.#stores.offsets,
      // All tasks share the admin client's connections, so the scope of the first task must not own them.
      internalTopic: internalTopicCheck(this.#stores, settings),
      admin: { createTopic: (...args) => runOutsideScopes(() => this.#admin.createTopic(...args)) },
      exactlyOnceSource: this.#exactlyOnceSource,
      transforms: this.#transforms,
      dataDir: resolve(settings['data.dir']),
      memory: this.#memory,
      handOverTimeoutMs: settings['task.handover.timeout.ms'],
      defaults: this.#defaults,
      providers: this.#providers,
      clock: systemClock,
      log,
      trials: this.#trials,
      taps: this.#taps,
      restart: {
        max: settings['task.restart.max'],
        backoffMs: settings['task.restart.backoff.ms'],
        backoffMaxMs: settings['task.restart.backoff.max.ms'],
        healthyMs: settings['task.restart.healthy.ms'],
      },
    }
  }
}
