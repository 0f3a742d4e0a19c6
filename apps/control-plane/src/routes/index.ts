import type { AuditLog, PluginStore, StatusStore } from '@tributary/connect-storage'
import type { FastifyInstance } from 'fastify'
import type { RecordMask } from '../access/record-mask.ts'
import { describeRoutes } from '../http/openapi.ts'
import type { DeadLetters } from '../dead-letters/dead-letters.ts'
import type { ApiKeys } from '../services/api-keys.ts'
import type { Cluster } from '../services/cluster.ts'
import type { ConfigSecrets } from '../services/config-secrets.ts'
import type { ConfigValidator } from '../services/config-validator.ts'
import type { ConnectorHealthReader } from '../services/connector-health.ts'
import type { ConnectorOffsets } from '../services/connector-offsets.ts'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Connectors } from '../services/connectors.ts'
import type { Tails } from '../tail/tails.ts'
import type { Previews } from '../services/previews.ts'
import type { LogLevels } from '../services/log-levels.ts'
import type { Server } from '../services/server-info.ts'
import { auditRoutes } from './audit.ts'
import { clusterRoutes } from './cluster.ts'
import type { Histories } from '../versions/histories.ts'
import type { Plans } from '../versions/plans.ts'
import { configHistoryRoutes } from './config-history.ts'
import { connectorConfigRoutes } from './connector-config.ts'
import { connectorHealthRoutes } from './connector-health.ts'
import { connectorPluginRoutes } from './connector-plugins.ts'
import { connectorStateRoutes } from './connector-state.ts'
import { connectorRoutes } from './connectors.ts'
import { dlqReplayRoutes } from './dlq-replay.ts'
import { dlqRoutes } from './dlq.ts'
import { keyRoutes } from './keys.ts'
import { loggerRoutes } from './loggers.ts'
import { offsetRoutes } from './offsets.ts'
import { openApiRoutes } from './openapi.ts'
import { previewRoutes } from './preview.ts'
import { rootRoutes } from './root.ts'
import { tailRoutes } from './tail.ts'
import { taskRoutes } from './tasks.ts'
import { topicRoutes } from './topics.ts'

/** The services that the resources call. */
export interface Services {
  /** The version of this service. */
  readonly version: string
  readonly server: Server
  readonly views: ConnectorViews
  readonly connectors: Connectors
  readonly histories: Histories
  readonly plans: Plans
  readonly validator: ConfigValidator
  readonly secrets: ConfigSecrets
  readonly previews: Previews
  /** For every record that the API shows. */
  readonly mask: RecordMask
  readonly tails: Tails
  readonly health: ConnectorHealthReader
  readonly cluster: Cluster
  readonly levels: LogLevels
  readonly status: StatusStore
  readonly offsets: ConnectorOffsets
  readonly plugins: PluginStore
  /** null while API keys are off. */
  readonly keys: ApiKeys | null
  /** null while the audit log is off. */
  readonly audit: AuditLog | null
  /** null where the service is off. */
  readonly letters: DeadLetters | null
  readonly strict: boolean
}

/**
 * Adds all resources. Additions to Kafka Connect's API have paths of their own and never add fields to Connect's
 * objects.
 */
export function addRoutes(app: FastifyInstance, services: Services): void {
  const { views, connectors, secrets, strict } = services
  const describe = describeRoutes(app, services.version)
  rootRoutes(app, services.server)
  connectorRoutes(app, views, connectors, secrets, strict)
  connectorConfigRoutes(app, views, connectors, secrets, services.plans, strict)
  configHistoryRoutes(app, services.histories, services.plans)
  connectorStateRoutes(app, views, connectors, strict)
  taskRoutes(app, views, connectors, secrets)
  topicRoutes(app, services.status)
  offsetRoutes(app, views, services.offsets, secrets)
  connectorPluginRoutes(app, services.plugins, services.validator, views, secrets)
  previewRoutes(app, services)
  tailRoutes(app, services)
  loggerRoutes(app, services.levels)
  keyRoutes(app, services.keys)
  auditRoutes(app, services.audit)
  connectorHealthRoutes(app, services.health)
  dlqRoutes(app, services.letters)
  dlqReplayRoutes(app, services.letters)
  clusterRoutes(app, services.cluster, connectors)
  openApiRoutes(app, describe)
}
