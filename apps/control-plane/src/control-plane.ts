import { ConfigException, kafkaConnection } from '@tributary/config'
import { createStores, storesOptions } from '@tributary/connect-storage'
import { KafkaAdmin } from '@tributary/kafka'
import { assertBind, hostPort, type Service } from '@tributary/service'
import { type Logger, loggerLevels } from '@tributary/telemetry'
import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import { createControlPlane } from './create-control-plane.ts'
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

/** Reads the four topics to their ends, then listens: whoever gets an answer gets a true one. */
class ControlPlane implements Service {
  readonly #host: ControlPlaneHost
  readonly #log: Logger
  readonly #admin: KafkaAdmin
  readonly #stores: ReturnType<typeof createStores>
  readonly #cleaner: StatusCleaner
  readonly #listening: Promise<FastifyInstance | null>
  #state: true | string = 'Reading the internal topics.'

  constructor(version: string, host: ControlPlaneHost) {
    this.#host = host
    this.#log = host.log.child({}, 'io.tributary.control-plane')
    const connection = kafkaConnection(host.settings)
    this.#admin = new KafkaAdmin(connection)
    this.#stores = createStores({ connection, log: this.#log, ...storesOptions(host.settings) })
    this.#cleaner = new StatusCleaner({ config: this.#stores.configs, status: this.#stores.status, log: this.#log })
    // An unreachable Kafka is waited for, and told by /ready; anything else ends the process, with its reason.
    this.#listening = this.#start(version).catch((error: unknown) => {
      if (!host.signal.aborted) host.shutdown('start_failed', error)
      return null
    })
  }

  ready(): true | string {
    return this.#state
  }

  /** host:port of the REST API, once it listens; null when the service was stopped before. */
  async restAddress(): Promise<string | null> {
    const app = await this.#listening
    return app && addressOf(app, this.#host.settings)
  }

  async stop(): Promise<void> {
    const app = await this.#listening
    await app?.close()
    await this.#cleaner.stop()
    await Promise.all(this.#allStores().map((store) => store.stop()))
    await this.#admin.close()
  }

  async #start(version: string): Promise<FastifyInstance> {
    const { settings, signal } = this.#host
    // Waits as long as Kafka is away, which the admin client does not.
    await Promise.all(this.#allStores().map((store) => store.start(signal)))
    const { clusterId } = await this.#admin.describeCluster(signal)
    this.#cleaner.start()
    const app = createControlPlane({
      stores: this.#stores,
      groups: this.#admin,
      levels: loggerLevels,
      settings: {
        cluster: settings.cluster,
        strict: settings['connect.strict'],
        internalKey: settings['internal.key'],
        requestTimeoutMs: settings['rest.request.timeout.ms'],
        version,
        kafkaClusterId: clusterId,
      },
      log: this.#log,
    })
    await listen(app, settings, this.#log)
    this.#log.info('rest_started', { address: addressOf(app, settings), strict: settings['connect.strict'] })
    this.#state = true
    return app
  }

  #allStores() {
    const { configs, status, offsets, plugins } = this.#stores
    return [configs, status, offsets, plugins]
  }
}

/** Throws ConfigException when the address is taken, or open to the network without leave. */
async function listen(app: FastifyInstance, settings: ControlPlaneSettings, log: Logger): Promise<void> {
  const { 'rest.host': host, 'rest.port': port } = settings
  assertBind('rest.host', host, settings['admin.allow.unauthenticated'], log)
  try {
    await app.listen({ host, port })
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    const why = taken ? 'the port is taken; set TRIBUTARY_REST_PORT to a free one' : (cause as Error).message
    const message = `Invalid value ${port} for configuration rest.port: cannot listen on ${host}: ${why}`
    throw new ConfigException(message, [{ name: 'rest.port', message }], { cause })
  }
}

function addressOf(app: FastifyInstance, settings: ControlPlaneSettings): string {
  return hostPort(settings['rest.host'], (app.server.address() as AddressInfo).port)
}
