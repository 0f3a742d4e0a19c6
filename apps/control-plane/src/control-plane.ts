import { ConfigException, kafkaConnection } from '@tributary/config'
import { createStores, storesOptions } from '@tributary/connect-storage'
import { KafkaAdmin } from '@tributary/kafka'
import { assertBind, hostPort } from '@tributary/service'
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
}

export interface RunningControlPlane {
  /** host:port of the REST API. */
  readonly restAddress: string
  ready(): true
  stop(): Promise<void>
}

/** The service that answers Kafka Connect's REST API: give it to `runService`. */
export function controlPlane(version: string) {
  return {
    name: 'control-plane',
    version,
    settings: controlPlaneSettings,
    start: (host: ControlPlaneHost) => startControlPlane(version, host),
  }
}

/** Reads the four topics to their ends, then listens: whoever gets an answer gets a true one. */
async function startControlPlane(version: string, host: ControlPlaneHost): Promise<RunningControlPlane> {
  const { settings, log, signal } = host
  const connection = kafkaConnection(settings)
  const admin = new KafkaAdmin(connection)
  const stores = createStores({ connection, log, ...storesOptions(settings) })
  const all = [stores.configs, stores.status, stores.offsets, stores.plugins]
  // Waits as long as Kafka is away, which the admin client does not.
  await Promise.all(all.map((store) => store.start(signal)))
  const { clusterId } = await admin.describeCluster(signal)

  const cleaner = new StatusCleaner({ config: stores.configs, status: stores.status, log })
  cleaner.start()
  const app = createControlPlane({
    stores,
    groups: admin,
    levels: loggerLevels,
    settings: {
      cluster: settings.cluster,
      strict: settings['connect.strict'],
      internalKey: settings['internal.key'],
      requestTimeoutMs: settings['rest.request.timeout.ms'],
      version,
      kafkaClusterId: clusterId,
    },
    log,
  })
  const restAddress = await listen(app, settings, log)
  log.info('rest_started', { address: restAddress, strict: settings['connect.strict'] })

  return {
    restAddress,
    ready: () => true,
    stop: async () => {
      await app.close()
      await cleaner.stop()
      await Promise.all(all.map((store) => store.stop()))
      await admin.close()
    },
  }
}

/** Throws ConfigException when the address is taken, or open to the network without leave. */
async function listen(app: FastifyInstance, settings: ControlPlaneSettings, log: Logger): Promise<string> {
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
  return hostPort(host, (app.server.address() as AddressInfo).port)
}
