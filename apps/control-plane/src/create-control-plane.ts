import type { SecretLike } from '@tributary/config'
import type { ConfigStore, OffsetStore, PluginStore, StatusStore } from '@tributary/connect-storage'
import type { Logger, LoggerLevels } from '@tributary/telemetry'
import type { FastifyInstance } from 'fastify'
import { createRestServer } from './http/server.ts'
import { addRoutes } from './routes/index.ts'
import { Cluster } from './services/cluster.ts'
import { ConfigValidator } from './services/config-validator.ts'
import { ConnectorHealthReader } from './services/connector-health.ts'
import { ConnectorViews } from './services/connector-views.ts'
import { Connectors } from './services/connectors.ts'
import { LogLevels } from './services/log-levels.ts'
import { Server } from './services/server-info.ts'
import { type GroupReader, Workers } from './services/workers.ts'

/** The four topics, started: read to their ends. */
export interface Stores {
  readonly configs: ConfigStore
  readonly status: StatusStore
  readonly offsets: OffsetStore
  readonly plugins: PluginStore
}

export interface ControlPlaneOptions {
  readonly stores: Stores
  readonly groups: GroupReader
  readonly levels: LoggerLevels
  readonly settings: {
    readonly cluster: string
    /** Kafka Connect's behaviour, save 400 for its 500. */
    readonly strict: boolean
    readonly internalKey: SecretLike | null
    readonly requestTimeoutMs: number
    readonly version: string
    readonly kafkaClusterId: string
  }
  readonly log: Logger
}

/** Puts the API together on stores that are ready; it listens to nothing yet. */
export function createControlPlane({ stores, groups, levels, settings, log }: ControlPlaneOptions): FastifyInstance {
  const { configs: config, status, offsets, plugins } = stores
  const { cluster, strict, internalKey, requestTimeoutMs, version, kafkaClusterId } = settings
  const workers = new Workers({ groups, cluster, internalKey, log })
  const views = new ConnectorViews({ config, status, plugins })
  const validator = new ConfigValidator({ plugins, workers, strict })
  const server = new Server({ config, kafkaClusterId, version })
  const app = createRestServer({ log, requestTimeoutMs })
  const logLevels = new LogLevels(levels, config)
  const unfollow = logLevels.follow()
  app.addHook('onClose', async () => unfollow())
  addRoutes(app, {
    server,
    views,
    connectors: new Connectors({ config, views, validator }),
    validator,
    health: new ConnectorHealthReader(views, workers),
    cluster: new Cluster({ name: cluster, info: server.info(), views, plugins, workers }),
    levels: logLevels,
    status,
    offsets,
    plugins,
    strict,
  })
  return app
}
