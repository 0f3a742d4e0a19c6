import type { FastifyInstance } from 'fastify'
import { decodeConfig, type SentConfig, wrappedConfig } from '../http/body.ts'
import { connectorLocation } from '../http/location.ts'
import { resource } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Connectors } from '../services/connectors.ts'

/**
 * `/connectors/{connector}/config`
 *
 * Unless `strict`, PUT takes two bodies that runbooks send and Connect refuses: `{name, config}` is unwrapped, and
 * settings without `connector.class` are merged into an existing connector instead of replacing everything.
 */
export function connectorConfigRoutes(
  app: FastifyInstance,
  views: ConnectorViews,
  connectors: Connectors,
  strict: boolean,
): void {
  resource(app, '/connectors/:connector/config', {
    GET: (request) => views.config(request.params['connector']!),

    PUT: async (request, reply) => {
      const connector = request.params['connector']!
      const config = strict ? decodeConfig(request.body) : decodeLeniently(request.body, connector)
      if (!strict && config['connector.class'] === undefined && views.has(connector)) {
        return connectors.patch(connector, config)
      }
      const { created, info } = await connectors.put(connector, config)
      if (created) reply.code(201).header('location', connectorLocation(request, connector))
      return info
    },

    PATCH: (request) => connectors.patch(request.params['connector']!, decodeConfig(request.body)),
  })
}

function decodeLeniently(body: unknown, connector: string): SentConfig {
  const wrapped = wrappedConfig(body)
  if (wrapped === null) return decodeConfig(body)
  if (wrapped.name !== null && wrapped.name !== connector) throw restError('nameMismatch', wrapped.name, connector)
  return wrapped.config
}
