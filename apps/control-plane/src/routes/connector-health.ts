import type { FastifyInstance } from 'fastify'
import { resource } from '../http/resource.ts'
import type { ConnectorHealthReader } from '../services/connector-health.ts'

/** `/connectors/{connector}/health`: ours, as Connect's status has no room for how well a connector runs. */
export function connectorHealthRoutes(app: FastifyInstance, health: ConnectorHealthReader): void {
  resource(app, '/connectors/:connector/health', { GET: (request) => health.read(request.params['connector']!) })
}
