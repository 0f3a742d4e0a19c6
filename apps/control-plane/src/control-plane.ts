import { kafkaConnection } from '@tributary/config'
import {
  createStores,
  internalTopicCheck,
  KafkaAccessStore,
  KafkaAuditLog,
  KafkaHistoryStore,
  storesOptions,
  troubleOf,
} from '@tributary/connect-storage'
import { KafkaAdmin } from '@tributary/kafka'
import { InternalClient, InternalTokens, readersOf, type Service, type Tls } from '@tributary/service'
import { type Logger, loggerLevels } from '@tributary/telemetry'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAuthenticators } from './access/create-access.ts'
import type { Authenticator } from './access/identity.ts'
import { logFailedLogins } from './access/login.ts'
import { createControlPlane } from './create-control-plane.ts'
import { DeadLetterProcess } from './dead-letters/process.ts'
import { HistoryKeeper } from './history/history-keeper.ts'
import { forwardedIdentity } from './leadership/forwarded-identity.ts'
import { Leadership } from './leadership/leadership.ts'
import { LeaderProxy } from './leadership/leader-proxy.ts'
import { callerFor } from './leadership/replica-requests.ts'
import { WriteGate } from './leadership/write-gate.ts'
import { metricsReader } from './operators/metrics-routes.ts'
import { RestListener } from './rest-listener.ts'
import { ConfigSecrets } from './services/config-secrets.ts'
import { KeyedLock } from './services/keyed-lock.ts'
import { StatusCleaner } from './services/status-cleaner.ts'
import { type ControlPlaneSettings, controlPlaneSettings } from './settings.ts'

/** The parts of `libs/service`'s ServiceHost that the control plane uses. */
export interface ControlPlaneHost {
  readonly settings: ControlPlaneSettings
  readonly log: Logger
  readonly signal: AbortSignal
  /** The certificates of the process; null or absent: the API answers by http. */
  readonly tls?: Tls | null
  /** Ends the process, with exit code 1 when `error` is given. */
  shutdown(reason: string, error?: unknown): void
}

/** Creates the service that answers Kafka Connect's REST API. Pass the result to `runService`. */
export function controlPlane(version: string) {
  return {
    name: 'control-plane',
    version,
    settings: controlPlaneSettings,
    start: (host: ControlPlaneHost) => Promise.resolve(new ControlPlane(version, host)),
  }
}

/**
 * A write waits for one session plus this time for a leader. The session's end starts an election, which takes the
 * rest.
 */
const ELECTION_MS = 5000
/** After this time the other replicas have heard of the next leader. */
const LINGER_MS = 1000
/** Running processes make a deleted internal topic again within a second or two. */
const DELETED_WAIT_MS = 5000

/**
 * One replica. It reads the four topics to their ends, opens the port, and then joins the group that elects the writing
 * replica. Reading comes first so that every answer is true. A write that arrives before the election waits for it.
 */
class ControlPlane implements Service {
  readonly #host: ControlPlaneHost
  readonly #log: Logger
  readonly #admin: KafkaAdmin
  readonly #stores: ReturnType<typeof createStores>
  readonly #history: KafkaHistoryStore
  /** A lock for each connector, which every change of a configuration holds. */
  readonly #locks = new KeyedLock()
  /** The API keys; null while they are off. */
  readonly #keys: KafkaAccessStore | null
  /** null while it is off. */
  readonly #audit: KafkaAuditLog | null
  readonly #deadLetters: DeadLetterProcess
  readonly #leadership: Leadership
  readonly #cleaner: StatusCleaner
  readonly #tokens: InternalTokens | null
  readonly #client: InternalClient
  /** host:port under which other replicas reach this one; null before it listens. */
  #self: string | null = null
  readonly #listening: Promise<RestListener | null>
  /**
   * Aborts at the end of `stop`, because requests under way continue until then. If `start` is still running, a stop
   * aborts it at once.
   */
  readonly #life = new AbortController()
  #state: true | string = 'Reading the internal topics.'

  constructor(version: string, host: ControlPlaneHost) {
    this.#host = host
    this.#log = host.log.child({}, 'io.tributary.control-plane')
    const { settings } = host
    const connection = kafkaConnection(settings)
    const groupId = `${settings.cluster}-control-plane`
    this.#admin = new KafkaAdmin(connection)
    this.#stores = createStores({
      connection,
      log: this.#log,
      ...storesOptions(settings),
      transactionalId: groupId,
      deletedWaitMs: DELETED_WAIT_MS,
      onConfigsLost: (error) => this.#leadership.claimLost(error),
    })
    this.#history = historyStore(settings, this.#log)
    this.#keys = keyStore(settings, this.#log)
    this.#audit =
      (settings['audit.enabled'] ?? settings['access.authentication'].length > 0)
        ? new KafkaAuditLog({
            connection,
            log: this.#log,
            cluster: settings.cluster,
            topic: settings['audit.storage.topic'],
            replication: settings['storage.replication.factor'],
            retentionMs: Number(settings['audit.retention.ms']),
          })
        : null
    this.#deadLetters = new DeadLetterProcess({
      ...{ connection, settings, log: this.#log, deletedWaitMs: DELETED_WAIT_MS },
      onLost: (error) => this.#leadership.claimLost(error),
    })
    this.#cleaner = new StatusCleaner({ config: this.#stores.configs, status: this.#stores.status, log: this.#log })
    const { configs, plugins } = this.#stores
    const secrets = new ConfigSecrets(plugins)
    const keeper = new HistoryKeeper({
      config: configs,
      secrets,
      history: this.#history,
      locks: this.#locks,
      log: this.#log,
    })
    this.#leadership = new Leadership({
      connection,
      groupId,
      timing: {
        sessionTimeoutMs: settings['session.timeout.ms'],
        heartbeatIntervalMs: settings['heartbeat.interval.ms'],
        rebalanceTimeoutMs: settings['rebalance.timeout.ms'],
      },
      groups: this.#admin,
      claim: async (signal) => {
        await Promise.all([configs.claim(signal), this.#deadLetters.claim(signal)])
        // What the predecessor has written with its configurations.
        await this.#history.refresh(signal)
      },
      lead: (signal) => {
        this.#cleaner.start(signal)
        keeper.start(signal)
        this.#deadLetters.lead(signal)
      },
      log: this.#log,
    })
    this.#tokens = InternalTokens.from(settings['internal.key'])
    this.#client = new InternalClient({
      tokens: this.#tokens,
      tls: () => host.tls?.clientOptions() ?? {},
      from: () => `control-plane@${this.#self ?? 'starting'}`,
    })
    // The start waits for an unreachable Kafka, and /ready says so. Any other error ends the process with its reason.
    this.#listening = this.#start(version).catch((error: unknown) => {
      if (!this.#life.signal.aborted) host.shutdown('start_failed', error)
      return null
    })
  }

  ready(): true | string {
    return this.#state
  }

  /**
   * Resolves with host:port of the REST API once the port is open, or with null when the service was stopped before
   * that.
   */
  async restAddress(): Promise<string | null> {
    return (await this.#listening)?.address ?? null
  }

  /** Finishes the writes under way, sends new writes to the next leader, and then finishes the requests under way. */
  async stop(): Promise<void> {
    const listener = await this.#listening
    if (listener) {
      await this.#leadership.handOver()
      // A replica that still believes in this leader may send a write. The open port refuses that write in plain words;
      // a broken connection would leave the write in doubt.
      if (this.#leadership.other !== null) await sleep(LINGER_MS)
      await listener.close()
    }
    await this.#leadership.leave()
    this.#client.close()
    await this.#cleaner.settled()
    await Promise.all(this.#allStores().map((store) => store.stop()))
    await this.#admin.close()
    this.#life.abort()
  }

  async #start(version: string): Promise<RestListener> {
    const signal = this.#life.signal
    const stopped = (): void => this.#life.abort(this.#host.signal.reason)
    this.#host.signal.addEventListener('abort', stopped)
    if (this.#host.signal.aborted) stopped()
    const authenticators = await createAuthenticators(this.#host.settings, {
      keys: this.#keys,
      asksForCertificates: this.#host.tls?.asksClients ?? false,
      log: this.#log,
    })
    // The stores' start waits until Kafka is there. The admin client would give up, so it is asked afterwards.
    await Promise.all(this.#allStores().map((store) => store.start(signal)))
    const { clusterId } = await this.#admin.describeCluster(signal)
    const listener = await RestListener.listen(
      this.#api(version, clusterId, authenticators),
      this.#host.settings,
      this.#host.tls ?? null,
      this.#log,
    )
    this.#self = listener.advertised
    this.#host.signal.removeEventListener('abort', stopped)
    const { address, operators } = listener
    this.#log.info('rest_started', {
      ...{ address, ...(operators !== null && { operators }), strict: this.#host.settings['connect.strict'] },
    })
    this.#state = 'Waiting for the first election of a leader.'
    this.#leadership.start(listener.advertised, signal, this.#host.tls?.serves).then(
      () => (this.#state = true),
      (error: unknown) => {
        if (!this.#host.signal.aborted) this.#host.shutdown('start_failed', error)
      },
    )
    return listener
  }

  #api(
    version: string,
    kafkaClusterId: string,
    authenticators: readonly Authenticator[],
  ): ReturnType<typeof createControlPlane> {
    const { settings } = this.#host
    const requestTimeoutMs = settings['rest.request.timeout.ms']
    const { configs, status } = this.#stores
    const authenticating = authenticators.length > 0
    const mayReadMetrics = readersOf({ metricsToken: settings['admin.metrics.token'], tls: this.#host.tls ?? null })
    return createControlPlane({
      stores: { ...this.#stores, history: this.#history },
      locks: this.#locks,
      groups: this.#admin,
      fencing: this.#admin,
      kafka: this.#admin,
      mayReadMetrics,
      controlPlanes: this.#leadership,
      levels: loggerLevels,
      access: {
        authenticators: authenticating ? [metricsReader(mayReadMetrics), forwardedIdentity, ...authenticators] : [],
        onFailedLogin: logFailedLogins(this.#log),
      },
      ...(this.#keys && { keys: this.#keys }),
      deadLetters: this.#deadLetters.parts(),
      ...(this.#audit && { audit: { log: this.#audit, required: settings['audit.required'] } }),
      settings: {
        cluster: settings.cluster,
        strict: settings['connect.strict'],
        requestTimeoutMs,
        crossOrigin: {
          origins: settings['access.control.allow.origin'],
          methods: settings['access.control.allow.methods'],
        },
        names: {
          bound: settings['rest.host'],
          operators: settings['operators.host'] ?? settings['rest.host'],
          advertised: settings['rest.advertised.host.name'],
          allowed: settings['rest.allowed.hosts'],
        },
        trustedProxies: settings['rest.trusted.proxies'],
        callerLimits: {
          requestsPerSecond: settings['rest.requests.per.second'],
          failedLoginsPerMinute: settings['access.failed.logins.per.minute'],
        },
        maskedFields: settings['records.mask.fields'],
        version,
        kafkaClusterId,
      },
      tls: this.#host.tls ?? null,
      internal: { tokens: this.#tokens, client: this.#client, self: () => this.#self },
      writes: new WriteGate({
        lead: this.#leadership,
        proxy: new LeaderProxy(this.#client),
        ...(this.#tokens && {
          caller: (request) => callerFor(request, authenticating),
        }),
        refresh: async (signal) => {
          const stores = [configs, status, this.#history, this.#deadLetters]
          await Promise.all(stores.map((store) => store.refresh(signal)))
        },
        waitMs: Math.min(settings['session.timeout.ms'] + ELECTION_MS, requestTimeoutMs),
        answerMs: requestTimeoutMs,
        log: this.#log,
      }),
      internalTopic: internalTopicCheck(this.#stores, settings),
      trouble: () => this.#trouble,
      writable: (timeoutMs) => this.#leadership.untilWritable(timeoutMs),
      log: this.#log,
    })
  }

  /** Why an internal topic cannot be written. */
  get #trouble(): string | null {
    const stores = [this.#history, this.#deadLetters, ...(this.#keys ? [this.#keys] : [])]
    const trouble = stores.map((store) => store.trouble).find((found) => found !== null)
    return troubleOf(this.#stores) ?? trouble ?? this.#auditTrouble
  }

  /** Only where it keeps changes from being made. */
  get #auditTrouble(): string | null {
    return this.#host.settings['audit.required'] ? (this.#audit?.trouble ?? null) : null
  }

  #allStores() {
    const { configs, status, offsets, plugins } = this.#stores
    return [
      configs,
      status,
      offsets,
      plugins,
      this.#history,
      this.#deadLetters,
      ...(this.#keys ? [this.#keys] : []),
      ...(this.#audit ? [this.#audit] : []),
    ]
  }
}

/** null while API keys are off. */
function keyStore(settings: ControlPlaneSettings, log: Logger): KafkaAccessStore | null {
  if (!settings['access.authentication'].includes('keys')) return null
  return new KafkaAccessStore({
    connection: kafkaConnection(settings),
    log,
    cluster: settings.cluster,
    topic: settings['access.storage.topic'],
    replication: settings['storage.replication.factor'],
    deletedWaitMs: DELETED_WAIT_MS,
  })
}

function historyStore(settings: ControlPlaneSettings, log: Logger): KafkaHistoryStore {
  return new KafkaHistoryStore({
    connection: kafkaConnection(settings),
    log,
    cluster: settings.cluster,
    topic: settings['history.storage.topic'],
    replication: settings['storage.replication.factor'],
    versions: settings['config.history.versions'],
    deletedWaitMs: DELETED_WAIT_MS,
  })
}
