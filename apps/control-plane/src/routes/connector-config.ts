import type { FastifyInstance } from 'fastify'
import { authorOf } from '../history/author.ts'
import { decodeConfig, type SentConfig, wrappedConfig } from '../http/body.ts'
import { connectorLocation, resource } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { PLAN, wantsPlan } from '../http/plan-query.ts'
import { answers, query, ref } from '../http/schemas.ts'
import type { ConfigSecrets } from '../services/config-secrets.ts'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Connectors } from '../services/connectors.ts'
import type { Plans } from '../versions/plans.ts'

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
  secrets: ConfigSecrets,
  plans: Plans,
  strict: boolean,
): void {
  resource(app, '/connectors/:connector/config', {
    GET: {
      right: 'configs',
      schema: {
        summary: 'Configuration of a connector',
        description:
          'As stored: `${…}` references are not resolved. A caller who may alter the connector, but not read its configuration, sees `[hidden]` in place of secrets; sent back, it keeps the stored value if nothing else changes.',
        response: answers({ 200: ref('Config') }, [404]),
      },
      handler: (request) => {
        const connector = request.params['connector']!
        return secrets.shown(request.identity, connector, views.config(connector))
      },
    },

    PUT: {
      right: 'alter',
      schema: {
        summary: 'Make a connector, or replace its configuration',
        description:
          'Unless connect.strict: {name, config} is unwrapped, and settings without connector.class are merged into those of an existing connector.',
        querystring: query(PLAN),
        body: strict ? ref('SentConfig') : { anyOf: [ref('SentConfig'), ref('CreateConnector')] },
        response: answers({ 200: { anyOf: [ref('ConnectorInfo'), ref('Plan')] }, 201: ref('ConnectorInfo') }, [400]),
      },
      handler: async (request, reply) => {
        const connector = request.params['connector']!
        const plan = wantsPlan(request, strict)
        const config = strict ? decodeConfig(request.body) : decodeLeniently(request.body, connector)
        if (!strict && config['connector.class'] === undefined && views.has(connector)) {
          if (plan) return plans.patch(request.identity, connector, views.config(connector), config)
          return connectors.patch(authorOf(request), connector, config)
        }
        if (plan) return plans.put(request.identity, connector, config)
        const { created, info } = await connectors.put(authorOf(request), connector, config)
        if (created) reply.code(201).header('location', connectorLocation(request, connector))
        return info
      },
    },

    PATCH: {
      right: 'alter',
      schema: {
        summary: 'Change some settings (KIP-477)',
        description: 'What is not named stays; null removes a setting.',
        querystring: query(PLAN),
        body: ref('SentConfig'),
        response: answers({ 200: { anyOf: [ref('ConnectorInfo'), ref('Plan')] } }, [400, 404]),
      },
      handler: (request) => {
        const connector = request.params['connector']!
        // Like Connect, a missing connector is reported before a mistake in the body.
        const stored = views.config(connector)
        const plan = wantsPlan(request, strict)
        if (plan) return plans.patch(request.identity, connector, stored, decodeConfig(request.body))
        return connectors.patch(authorOf(request), connector, decodeConfig(request.body))
      },
    },
  })
}

function decodeLeniently(body: unknown, connector: string): SentConfig {
  const wrapped = wrappedConfig(body)
  if (wrapped === null) return decodeConfig(body)
  if (wrapped.name !== null && wrapped.name !== connector) throw restError('nameMismatch', wrapped.name, connector)
  return wrapped.config
}
