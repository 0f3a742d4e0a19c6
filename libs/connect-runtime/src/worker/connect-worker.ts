import { resolve } from 'node:path'
import { systemClock } from '@tributary/async'
import { kafkaConnection, type KafkaConnection, type ValuesOf } from '@tributary/config'
import type { Props, SourcePlugin } from '@tributary/connect-api'
import { CONVERTER_PLUGINS } from '@tributary/converters'
import {
  createStores,
  followLogLevels,
  type PluginEntry,
  type Stores,
  storesOptions,
  topicOf,
} from '@tributary/connect-storage'
import { GroupMember, KafkaAdmin } from '@tributary/kafka'
import type { KafkaProducer } from '@tributary/kafka-producer'
import { type Logger, loggerLevels } from '@tributary/telemetry'
import { ZombieFencing } from '../unit/zombie-fencing.ts'
import type { MemberAssignment, MemberMetadata } from '../assignment/group.ts'
import { Herder } from './herder.ts'
import { type AdminRoutes, addInternalRoutes } from './internal-routes.ts'
import { EventLoopWatchdog } from '../isolation/event-loop-watchdog.ts'
import { failScopeOf, runOutsideScopes } from '../isolation/plugin-scope.ts'
import { LeftBehind } from '../recovery/left-behind.ts'
import { registerLeftBehindMetrics } from '../recovery/left-behind-metrics.ts'
import { Leader } from '../assignment/leader.ts'
import { Overlaps } from '../assignment/overlaps.ts'
import { registerTaskMetrics } from './task-metrics.ts'
import type { UnitEnvironment } from '../unit/task-unit.ts'
import { INHERITED_KEYS, workerSettings } from './worker-settings.ts'

/** What a worker needs of the process it runs in; libs/service gives it. */
export interface WorkerHost {
  readonly settings: ValuesOf<(typeof workerSettings)['keys']>
  readonly log: Logger
  /** host:port of the admin server, as others reach it. */
  readonly address: string
  readonly signal: AbortSignal
  /** ms within which `stop` must be over; absent: no bound. */
  readonly shutdownTimeoutMs?: number
  readonly admin: AdminRoutes
  /** Ends the process: exit code 1 with an error. */
  shutdown(reason: string, error?: unknown): void
  /**
   * Takes the handler of errors that nobody handled, which answers whether it knew whose they were. Absent when the process
   * is not the worker's own: then it does not watch the event loop either, as it would end all that runs there.
   */
  onUnhandled?(handler: (error: unknown) => boolean): void
}

export interface ConnectWorkerOptions {
  /** Name of the service, `grpc-ingest`: its workers share one group. */
  readonly name: string
  readonly version: string
  readonly plugins: readonly SourcePlugin[]
}

/** A service that runs connectors and tasks of some plugins: give it to `runService`. */
export function connectWorker(options: ConnectWorkerOptions) {
  return {
    name: options.name,
    version: options.version,
    settings: workerSettings,
    start: (host: WorkerHost): Promise<Worker> => Promise.resolve(new Worker(options, host)),
  }
}

/** A round, in which the others hear that this worker leaves, may take this long. */
const ROUND_MS = 2000
/** What comes after the tasks: the goodbye to the group, the stores. */
const CLOSE_MS = 1000

/** One worker: its stores, its membership of the service's group, and what the group assigns to it. */
class Worker {
  readonly #host: WorkerHost
  readonly #plugins: readonly SourcePlugin[]
  readonly #service: string
  readonly #version: string
  readonly #stores: Stores
  readonly #admin: KafkaAdmin
  /** Worker-wide values of task keys. */
  readonly #defaults: Props
  readonly #overlaps: Overlaps
  readonly #herder: Herder
  readonly #leftBehind: LeftBehind
  readonly #leader: Leader
  readonly #member: GroupMember<MemberMetadata, MemberAssignment>
  readonly #watchdog: EventLoopWatchdog | null
  /** A stop has work to do while stores and membership still live; before the start is over it just ends it. */
  readonly #life = new AbortController()
  #state: true | string = 'Reading the internal topics.'

  constructor({ name: service, version, plugins }: ConnectWorkerOptions, host: WorkerHost) {
    this.#host = host
    this.#plugins = plugins
    this.#service = service
    this.#version = version
    const { settings, log, address } = host
    const connection = { ...kafkaConnection(settings), clientId: `${service}@${address}` }
    const driver = settings['producer.driver'] as KafkaProducer['driver']
    const mayWriteOffsets = (): boolean => this.#member.leaseValid()
    this.#stores = createStores({ connection, log, driver, mayWriteOffsets, ...storesOptions(settings) })
    this.#admin = new KafkaAdmin(connection)
    this.#defaults = Object.fromEntries(INHERITED_KEYS.map((key) => [key, String(settings[key])]))
    this.#overlaps = new Overlaps(plugins, { defaults: this.#defaults, environment: process.env })
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
    this.#member = new GroupMember({
      connection,
      groupId: this.#groupId,
      log,
      sessionTimeoutMs: settings['session.timeout.ms'],
      heartbeatIntervalMs: settings['heartbeat.interval.ms'],
      rebalanceTimeoutMs: settings['rebalance.timeout.ms'],
      metadata: () => this.#herder.metadata(),
      assign: (members) => this.#leader.assign(members),
      onAssignment: (assignment) => {
        this.#herder.apply(assignment)
        this.#leftBehind.assigned(assignment.run)
      },
      onLost: () => this.#herder.leaseLost(),
    })
    const exactlyOnceSource = this.#exactlyOnceSource
    addInternalRoutes(host.admin, { plugins, herder: this.#herder, key: settings['internal.key'], exactlyOnceSource })
    registerTaskMetrics(() => this.#herder.tasks(), [...new Set(plugins.flatMap((p) => p.metricPrefix ?? []))])
    registerLeftBehindMetrics(this.#leftBehind)
    host.onUnhandled?.(failScopeOf)
    this.#watchdog = this.#watchEventLoop(connection)
    // An unreachable Kafka is waited for, and told by /ready; anything else ends the process, with its reason.
    this.#start().catch((error: unknown) => {
      if (!this.#life.signal.aborted) host.shutdown('start_failed', error)
    })
  }

  ready(): true | string {
    return this.#state
  }

  async stop(): Promise<void> {
    const { configs, offsets, status, plugins } = this.#stores
    this.#leader.close()
    // What can run with overlap runs on until another worker is ready for it.
    const drained = this.#member.drain(AbortSignal.timeout(this.#drainMs), ({ run }) => run.length === 0)
    await drained.catch((error: unknown) => this.#host.log.warn('drain_failed', { error }))
    await Promise.all([this.#herder.stop(), this.#leftBehind.stop()])
    await this.#member.leave()
    await Promise.all([configs.stop(), offsets.stop(), status.stop(), plugins.stop()])
    await this.#admin.close()
    await this.#watchdog?.stop()
    this.#life.abort()
  }

  /** How long tasks may run on for their hand-over: what is left of the stop then is their plain end. */
  get #drainMs(): number {
    const { settings, shutdownTimeoutMs = Infinity } = this.#host
    // Without Kafka nobody hears that anyone is ready.
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
    await Promise.all([configs.start(signal), offsets.start(signal), status.start(signal), plugins.start(signal)])
    this.#state = 'Joining the group.'
    this.#herder.start()
    followLogLevels(configs, loggerLevels)
    await Promise.all([this.#member.start(signal), this.#publishPlugins()])
    this.#host.signal.removeEventListener('abort', stopped)
    this.#state = true
  }

  async #publishPlugins(): Promise<void> {
    const connectors = this.#plugins.map(({ class: className, aliases, version, connector }): PluginEntry => {
      return { class: className, aliases, type: 'source', version, spec: connector.spec, service: this.#service }
    })
    const converters = CONVERTER_PLUGINS.map((plugin): PluginEntry => {
      return { ...plugin, aliases: [], version: this.#version, service: '*' }
    })
    await Promise.all([...connectors, ...converters].map((plugin) => this.#stores.plugins.publish(plugin)))
  }

  #watchEventLoop(connection: KafkaConnection): EventLoopWatchdog | null {
    const { settings, address: workerId, log } = this.#host
    const stallMs = settings['event.loop.stall.ms']
    if (!this.#host.onUnhandled || stallMs === 0) return null
    const statusTopic = topicOf('status', storesOptions(settings))
    const sessionTimeoutMs = settings['session.timeout.ms']
    return new EventLoopWatchdog({ stallMs, sessionTimeoutMs, connection, statusTopic, workerId, log })
  }

  #createHerder(environment: UnitEnvironment): Herder {
    const { settings, log, address } = this.#host
    return new Herder({
      overlaps: this.#overlaps,
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

  /** What all tasks of this worker share. */
  #taskEnvironment(connection: KafkaConnection, producerDriver: KafkaProducer['driver']): UnitEnvironment {
    const { settings, log } = this.#host
    return {
      connection,
      producerDriver,
      groupId: this.#groupId,
      offsets: this.#stores.offsets,
      // Its connections serve all tasks, and must not count as the one's that happened to need them first.
      admin: { createTopic: (...args) => runOutsideScopes(() => this.#admin.createTopic(...args)) },
      exactlyOnceSource: this.#exactlyOnceSource,
      dataDir: resolve(settings['data.dir']),
      handOverTimeoutMs: settings['task.handover.timeout.ms'],
      defaults: this.#defaults,
      environment: process.env,
      clock: systemClock,
      log,
      restart: {
        max: settings['task.restart.max'],
        backoffMs: settings['task.restart.backoff.ms'],
        backoffMaxMs: settings['task.restart.backoff.max.ms'],
        healthyMs: settings['task.restart.healthy.ms'],
      },
    }
  }
}
