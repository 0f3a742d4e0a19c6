import { kafkaConnection, type ValuesOf } from '@tributary/config'
import type { Props, SourcePlugin } from '@tributary/connect-api'
import { createStores, storesOptions } from '@tributary/connect-storage'
import { GroupMember, KafkaAdmin } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'
import type { MemberAssignment, MemberMetadata } from './group.ts'
import { Herder } from './herder.ts'
import { internalRoutes, type InternalRoute } from './internal-routes.ts'
import { Leader } from './leader.ts'
import { registerTaskMetrics } from './task-metrics.ts'
import { systemClock } from './system-clock.ts'
import { INHERITED_KEYS, workerSettings } from './worker-settings.ts'

/** What a worker needs of the process it runs in; libs/service gives it. */
export interface WorkerHost {
  readonly settings: ValuesOf<(typeof workerSettings)['keys']>
  readonly log: Logger
  /** host:port of the admin server, as others reach it. */
  readonly address: string
  readonly signal: AbortSignal
  addRoute(route: InternalRoute): void
}

export interface ConnectWorkerOptions {
  /** Name of the service, `grpc-ingest`: its workers share one group. */
  readonly name: string
  readonly version: string
  readonly plugins: readonly SourcePlugin[]
}

/** The last round, in which the others hear that this worker leaves, may take this long before it just stops. */
const DRAIN_TIMEOUT_MS = 2000

/** A service that runs connectors and tasks of some plugins: give it to `runService`. */
export function connectWorker({ name, version, plugins }: ConnectWorkerOptions) {
  return {
    name,
    version,
    settings: workerSettings,
    start: (host: WorkerHost) => startWorker(name, plugins, host),
  }
}

async function startWorker(name: string, plugins: readonly SourcePlugin[], host: WorkerHost) {
  const { settings, log, address, signal } = host
  const connection = { ...kafkaConnection(settings), clientId: `${name}@${address}` }
  const groupId = `${settings.cluster}-${name}`
  const stores = createStores({
    connection,
    log,
    driver: settings['producer.driver'] as 'platformatic' | 'kafkajs',
    ...storesOptions(settings),
  })
  const { configs, offsets, status, plugins: pluginStore } = stores
  const admin = new KafkaAdmin(connection)

  const herder: Herder = new Herder({
    plugins,
    config: configs,
    status,
    workerId: address,
    log,
    group: () => member,
    environment: {
      connection,
      producerDriver: settings['producer.driver'] as 'platformatic' | 'kafkajs',
      groupId,
      offsets,
      admin,
      defaults: inherited(settings),
      environment: process.env,
      clock: systemClock,
      log,
    },
  })
  const leader: Leader = new Leader({
    config: configs,
    plugins,
    clock: systemClock,
    settleMs: settings['rebalance.settle.ms'],
    rejoin: () => member.rejoin(),
  })
  const member: GroupMember<MemberMetadata, MemberAssignment> = new GroupMember<MemberMetadata, MemberAssignment>({
    connection,
    groupId,
    log,
    sessionTimeoutMs: settings['session.timeout.ms'],
    heartbeatIntervalMs: settings['heartbeat.interval.ms'],
    rebalanceTimeoutMs: settings['rebalance.timeout.ms'],
    metadata: () => herder.metadata(),
    assign: (members) => leader.assign(members),
    onAssignment: (assignment) => herder.apply(assignment),
    onLost: () => herder.leaseLost(),
  })
  for (const route of internalRoutes({ plugins, herder, key: settings['internal.key'] })) host.addRoute(route)
  registerTaskMetrics(() => herder.tasks(), [...new Set(plugins.flatMap((plugin) => plugin.metricPrefix ?? []))])

  let ready: true | string = 'reading the internal topics'
  const started = (async () => {
    await Promise.all([configs.start(signal), offsets.start(signal), status.start(signal), pluginStore.start(signal)])
    for (const plugin of plugins) {
      const { class: className, aliases, version, connector } = plugin
      await pluginStore.publish({
        class: className,
        aliases,
        version,
        type: 'source',
        spec: connector.spec,
        service: name,
      })
    }
    ready = 'joining the group'
    herder.start()
    await member.start(signal)
    ready = true
  })()
  // An unreachable Kafka is waited for; anything else ends the process, with its reason.
  await started

  return {
    ready: (): true | string => ready,
    stop: async (): Promise<void> => {
      leader.close()
      await member
        .drain(AbortSignal.timeout(DRAIN_TIMEOUT_MS))
        .catch((error: unknown) => log.warn('drain_failed', { error }))
      await herder.stop()
      await member.leave()
      await Promise.all([configs.stop(), offsets.stop(), status.stop(), pluginStore.stop()])
      await admin.close()
    },
  }
}

function inherited(settings: WorkerHost['settings']): Props {
  return Object.fromEntries(INHERITED_KEYS.map((key) => [key, String(settings[key])]))
}
