import type { StatusStore } from '@tributary/connect-storage'
import type { DeadLetterIndex } from '@tributary/dead-letters'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ReplayCounts } from '../dead-letters/replay-counts.ts'
import type { ControlPlanes } from '../services/cluster.ts'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Workers } from '../services/workers.ts'
import { HealthChecks } from './health/health-checks.ts'
import {
  connectorsHealth,
  controlPlaneHealth,
  deadLettersHealth,
  kafkaHealth,
  type KafkaReader,
  workersHealth,
} from './health/installation.ts'
import { schemaRegistriesHealth } from './health/schema-registries.ts'
import { operatorsHealthRoutes } from './health-routes.ts'
import { operatorsMetricsRoutes } from './metrics-routes.ts'
import { LetterCounts } from './metrics/letter-counts.ts'
import { OperatorsMetrics } from './metrics/operators-metrics.ts'
import { TaskFailures } from './metrics/task-failures.ts'

export interface OperatorsParts {
  readonly version: string
  readonly views: ConnectorViews
  readonly workers: Workers
  readonly status: StatusStore
  readonly controlPlanes: ControlPlanes | undefined
  readonly writable: (timeoutMs: number) => Promise<true | string>
  readonly trouble: () => string | null
  /** Absent: nobody looks at Kafka. */
  readonly kafka?: KafkaReader
  /** null while the service of dead letters is off. */
  readonly letters: { readonly index: DeadLetterIndex; readonly counts: ReplayCounts } | null
  /** Who may read metrics. */
  readonly mayReadMetrics: (request: FastifyRequest) => boolean
}

/** Adds what the operators' port alone has. */
export function operatorsRoutes(app: FastifyInstance, parts: OperatorsParts): void {
  const { version, views, workers, status, controlPlanes, writable, trouble, kafka, letters, mayReadMetrics } = parts
  const components = [
    ...(kafka ? [kafkaHealth(kafka, trouble)] : []),
    controlPlaneHealth(writable, controlPlanes),
    connectorsHealth(views),
    workersHealth(views, workers),
    schemaRegistriesHealth(views),
    deadLettersHealth(() => letters?.index.state ?? null),
  ]
  operatorsHealthRoutes(app, new HealthChecks(components), version)

  const failures = new TaskFailures(status)
  const unfollow = failures.follow()
  app.addHook('onClose', async () => unfollow())
  const counts = letters && new LetterCounts(letters.index)
  const metrics = new OperatorsMetrics({ views, failures, letters: counts, replays: letters?.counts ?? null })
  operatorsMetricsRoutes(app, metrics, mayReadMetrics)
}
