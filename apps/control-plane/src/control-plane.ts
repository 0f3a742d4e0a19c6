import { kafkaConnection } from '@tributary/config'
import { createStores, storesOptions } from '@tributary/connect-storage'
import { KafkaAdmin } from '@tributary/kafka'
import type { Service } from '@tributary/service'
import { type Logger, loggerLevels } from '@tributary/telemetry'
import { setTimeout as sleep } from 'node:timers/promises'
import { createControlPlane } from './create-control-plane.ts'
import { Leadership } from './leadership/leadership.ts'
import { LeaderProxy } from './leadership/leader-proxy.ts'
import { WriteGate } from './leadership/write-gate.ts'
import { RestListener } from './rest-listener.ts'
import { StatusCleaner } from './services/status-cleaner.ts'
import { type ControlPlaneSettings, controlPlaneSettings } from './settings.ts'

/** What the control plane needs of the process it runs in; libs/service gives it. */
export interface ControlPlaneHost {
  readonly settings: ControlPlaneSettings
  readonly log: Logger
  readonly signal: AbortSignal
  /** Ends the process: exit code 1 with an error. */
  shutdown(reason: string, error?: unknown): void
}

/** The service that answers Kafka Connect's REST API: give it to `runService`. */
export function controlPlane(version: string) {
  return {
    name: 'control-plane',
    version,
    settings: controlPlaneSettings,
    start: (host: ControlPlaneHost) => Promise.resolve(new ControlPlane(version, host)),
  }
}

/** A write waits this much longer for a leader than a session lasts, at whose end another one is elected. */
const ELECTION_MS = 5000
/** Other replicas have heard of the next leader by then. */
const LINGER_MS = 1000

/**
 * One replica: reads the four topics to their ends, listens, and then joins the group in which one replica is elected to
 * write. Whoever gets an answer gets a true one; a write that comes before the election waits for it.
 */
class ControlPlane implements Service {
  readonly #host: ControlPlaneHost
  readonly #log: Logger
  readonly #admin: KafkaAdmin
  readonly #stores: ReturnType<typeof createStores>
  readonly #leadership: Leadership
  readonly #cleaner: StatusCleaner
  readonly #proxy: LeaderProxy
  readonly #listening: Promise<RestListener | null>
  /** Requests under way go on while the service stops; before the start is over the stop just ends it. */
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
      onConfigsLost: (error) => this.#leadership.claimLost(error),
    })
    this.#cleaner = new StatusCleaner({ config: this.#stores.configs, status: this.#stores.status, log: this.#log })
    this.#leadership = new Leadership({
      connection,
      groupId,
      timing: {
        sessionTimeoutMs: settings['session.timeout.ms'],
        heartbeatIntervalMs: settings['heartbeat.interval.ms'],
        rebalanceTimeoutMs: settings['rebalance.timeout.ms'],
      },
      groups: this.#admin,
      claim: (signal) => this.#stores.configs.claim(signal),
      lead: (signal) => this.#cleaner.start(signal),
      log: this.#log,
    })
    this.#proxy = new LeaderProxy(settings['internal.key'])
    // An unreachable Kafka is waited for, and told by /ready; anything else ends the process, with its reason.
    this.#listening = this.#start(version).catch((error: unknown) => {
      if (!this.#life.signal.aborted) host.shutdown('start_failed', error)
      return null
    })
  }

  ready(): true | string {
    return this.#state
  }

  /** host:port of the REST API, once it listens; null when the service was stopped before. */
  async restAddress(): Promise<string | null> {
    return (await this.#listening)?.address ?? null
  }

  /** Writes that are under way end here, those that come go to the next leader; then requests under way end. */
  async stop(): Promise<void> {
    const listener = await this.#listening
    if (listener) {
      await this.#leadership.handOver()
      // A write that was sent here just before is refused by name; a connection that breaks would leave it in doubt.
      if (this.#leadership.other !== null) await sleep(LINGER_MS)
      await listener.close()
    }
    await this.#leadership.leave()
    this.#proxy.close()
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
    // Waits as long as Kafka is away, which the admin client does not.
    await Promise.all(this.#allStores().map((store) => store.start(signal)))
    const { clusterId } = await this.#admin.describeCluster(signal)
    const listener = await RestListener.listen(this.#api(version, clusterId), this.#host.settings, this.#log)
    this.#host.signal.removeEventListener('abort', stopped)
    this.#log.info('rest_started', { address: listener.address, strict: this.#host.settings['connect.strict'] })
    this.#state = 'Waiting for the first election of a leader.'
    this.#leadership.start(listener.advertised, signal).then(
      () => (this.#state = true),
      (error: unknown) => {
        if (!this.#host.signal.aborted) this.#host.shutdown('start_failed', error)
      },
    )
    return listener
  }

  #api(version: string, kafkaClusterId: string): ReturnType<typeof createControlPlane> {
    const { settings } = this.#host
    const requestTimeoutMs = settings['rest.request.timeout.ms']
    const { configs, status } = this.#stores
    return createControlPlane({
      stores: this.#stores,
      groups: this.#admin,
      fencing: this.#admin,
      controlPlanes: this.#leadership,
      levels: loggerLevels,
      settings: {
        cluster: settings.cluster,
        strict: settings['connect.strict'],
        internalKey: settings['internal.key'],
        requestTimeoutMs,
        crossOrigin: {
          origins: settings['access.control.allow.origin'],
          methods: settings['access.control.allow.methods'],
        },
        version,
        kafkaClusterId,
      },
      writes: new WriteGate({
        lead: this.#leadership,
        proxy: this.#proxy,
        refresh: async (signal) => {
          await Promise.all([configs.refresh(signal), status.refresh(signal)])
        },
        waitMs: Math.min(settings['session.timeout.ms'] + ELECTION_MS, requestTimeoutMs),
        answerMs: requestTimeoutMs,
        log: this.#log,
      }),
      writable: (timeoutMs) => this.#leadership.untilWritable(timeoutMs),
      log: this.#log,
    })
  }

  #allStores() {
    const { configs, status, offsets, plugins } = this.#stores
    return [configs, status, offsets, plugins]
  }
}
