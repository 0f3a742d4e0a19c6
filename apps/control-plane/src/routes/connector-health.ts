import type { FastifyInstance } from 'fastify'
import { resource } from '../http/resource.ts'
import { answers, ref } from '../http/schemas.ts'
import type { ConnectorHealthReader } from '../services/connector-health.ts'

/** `/connectors/{connector}/health` is ours, because Connect's status has no field for how well a connector runs. */
export function connectorHealthRoutes(app: FastifyInstance, health: ConnectorHealthReader): void {
  resource(app, '/connectors/:connector/health', {
    GET: {
      right: 'view',
      schema: {
        summary: 'How well the connector runs, and why',
        description: 'Asked of the workers that run its tasks.',
        response: answers({ 200: ref('ConnectorHealth') }, [404]),
      },
      handler: (request) => health.read(request.params['connector']!),
    },
  })
}
