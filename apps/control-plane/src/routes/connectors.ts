import type { FastifyInstance, FastifyRequest } from 'fastify'
import { may } from '../access/rights.ts'
import { authorOf } from '../history/author.ts'
import { type CreateRequest, decodeCreate, decodeCreateLeniently } from '../http/body.ts'
import { refusePlan } from '../http/plan-query.ts'
import { connectorLocation, queryValue, resource, type Route } from '../http/resource.ts'
import { answers, ref } from '../http/schemas.ts'
import type { ConfigSecrets } from '../services/config-secrets.ts'
import type { ConnectorInfo, ConnectorStatus, ConnectorViews } from '../services/connector-views.ts'
import type { Connectors } from '../services/connectors.ts'

/**
 * `/connectors` and `/connectors/{connector}`
 *
 * Unless `strict`, POST takes a flat configuration too, which Connect refuses.
 */
export function connectorRoutes(
  app: FastifyInstance,
  views: ConnectorViews,
  connectors: Connectors,
  secrets: ConfigSecrets,
  strict: boolean,
): void {
  const created = (request: FastifyRequest<Route>): CreateRequest =>
    strict ? decodeCreate(request.body) : decodeCreateLeniently(request.body, queryValue(request, 'name'))

  resource(app, '/connectors', {
    GET: {
      right: 'view',
      schema: {
        summary: 'Names of all connectors, or all with their status and info',
        querystring: {
          type: 'object',
          properties: {
            expand: { type: 'array', items: { type: 'string' }, description: 'status, info or both (KIP-465)' },
          },
        },
        response: answers({ 200: { anyOf: [ref('ConnectorNames'), ref('ExpandedConnectors')] } }),
      },
      handler: (request) => {
        const names = views.names().filter((connector) => may(request.identity, 'view', connector))
        return queryValue(request, 'expand') === undefined ? names : expanded(request, names, views, secrets)
      },
    },

    POST: {
      right: 'alter',
      connectorOf: (request) => created(request).name,
      schema: {
        summary: 'Make a connector',
        description:
          'Unless connect.strict: a flat configuration as GET …/config answers it is taken too. The name stands in it, or in the query.',
        ...(strict ? {} : { querystring: { type: 'object', properties: { name: { type: 'string' } } } }),
        body: strict ? ref('CreateConnector') : { anyOf: [ref('CreateConnector'), ref('SentConfig')] },
        response: answers({ 201: ref('ConnectorInfo') }, [400, 409]),
      },
      handler: async (request, reply) => {
        refusePlan(request)
        const { name, config, targetState } = created(request)
        const info = await connectors.create(authorOf(request), name, config, targetState)
        return reply.code(201).header('location', connectorLocation(request, name)).send(info)
      },
    },
  })

  resource(app, '/connectors/:connector', {
    GET: {
      right: 'view',
      schema: { summary: 'A connector with its tasks', response: answers({ 200: ref('ConnectorInfo') }, [404]) },
      handler: (request) => secrets.info(request.identity, views.info(request.params['connector']!)),
    },

    DELETE: {
      right: 'alter',
      schema: {
        summary: 'Delete a connector',
        description: 'Its offsets stay, for the next connector of this name.',
        response: answers({ 204: null }, [404]),
      },
      handler: async (request, reply) => {
        refusePlan(request)
        await connectors.remove(authorOf(request), request.params['connector']!)
        return reply.code(204).send()
      },
    },
  })
}

interface Expanded {
  status?: ConnectorStatus
  info?: ConnectorInfo
}

/** `?expand=status&expand=info` (KIP-465). A connector without a status is left out. */
function expanded(
  request: FastifyRequest<Route>,
  names: readonly string[],
  views: ConnectorViews,
  secrets: ConfigSecrets,
): Record<string, Expanded> {
  const wanted = [request.query['expand']].flat()
  const entries = names.flatMap((connector): [string, Expanded][] => {
    const parts: Expanded = {}
    if (wanted.includes('status')) {
      const status = views.statusOrNull(connector)
      if (status === null) return []
      parts.status = status
    }
    if (wanted.includes('info')) parts.info = secrets.info(request.identity, views.info(connector))
    return [[connector, parts]]
  })
  return Object.fromEntries(entries)
}
