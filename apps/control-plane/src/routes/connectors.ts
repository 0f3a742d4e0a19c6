import type { FastifyInstance, FastifyRequest } from 'fastify'
import { decodeCreate } from '../http/body.ts'
import { connectorLocation } from '../http/location.ts'
import { queryValue, resource, type Route } from '../http/resource.ts'
import { RestError } from '../http/rest-errors.ts'
import type { ConnectorInfo, ConnectorStatus, ConnectorViews } from '../services/connector-views.ts'
import type { Connectors } from '../services/connectors.ts'

/** `/connectors` and `/connectors/{connector}` */
export function connectorRoutes(app: FastifyInstance, views: ConnectorViews, connectors: Connectors): void {
  resource(app, '/connectors', {
    GET: (request) => (queryValue(request, 'expand') === undefined ? views.names() : expanded(request, views)),

    POST: async (request, reply) => {
      const { name, config, targetState } = decodeCreate(request.body)
      const info = await connectors.create(name, config, targetState)
      return reply.code(201).header('location', connectorLocation(request, name)).send(info)
    },
  })

  resource(app, '/connectors/:connector', {
    GET: (request) => views.info(request.params['connector']!),

    DELETE: async (request, reply) => {
      await connectors.remove(request.params['connector']!)
      return reply.code(204).send()
    },
  })
}

interface Expanded {
  status?: ConnectorStatus
  info?: ConnectorInfo
}

/** `?expand=status&expand=info` (KIP-465). A connector of which a part is not there yet is left out. */
function expanded(request: FastifyRequest<Route>, views: ConnectorViews): Record<string, Expanded> {
  const wanted = [request.query['expand']].flat()
  const result = new Map<string, Expanded>()
  for (const connector of views.names()) {
    try {
      const parts: Expanded = {}
      if (wanted.includes('status')) parts.status = views.status(connector)
      if (wanted.includes('info')) parts.info = views.info(connector)
      result.set(connector, parts)
    } catch (error) {
      if (!(error instanceof RestError && error.status === 404)) throw error
    }
  }
  return Object.fromEntries(result)
}
