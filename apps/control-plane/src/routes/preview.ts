import { closeSignal } from '@tributary/async'
import type { PluginStore } from '@tributary/connect-storage'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { may } from '../access/rights.ts'
import { decodeConfig, type SentConfig } from '../http/body.ts'
import { type Operation, queryFlag, queryValue, resource, type Route } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { answers, query, ref } from '../http/schemas.ts'
import type { ConfigSecrets } from '../services/config-secrets.ts'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Previews } from '../services/previews.ts'
import { shortened } from './connector-plugins.ts'

/** The query of a preview: whole numbers with their bounds and defaults. */
const NUMBERS = {
  records: { min: 1, max: 100, otherwise: 10 },
  seconds: { min: 1, max: 10, otherwise: 5 },
  task: { min: 0, max: 999, otherwise: 0 },
} as const

const QUERY = query({
  records: 'Most records: 1 to 100 (default 10)',
  seconds: 'Longest time for them: 1 to 10 (default 5)',
  task: 'The task of the configuration that reads, from 0 (default) on',
  force: 'true: preview although a running connector may be disturbed',
})
const ERRORS = [400, 404, 409, 429, 502, 503, 504]

interface PreviewServices {
  readonly plugins: PluginStore
  readonly views: ConnectorViews
  readonly secrets: ConfigSecrets
  readonly previews: Previews
}

/** `/connectors/{connector}/preview` and `/connector-plugins/{plugin}/preview`: what a configuration would write. Both are ours. */
export function previewRoutes(app: FastifyInstance, services: PreviewServices): void {
  const { plugins, views, secrets, previews } = services
  const shared: Omit<Operation, 'schema' | 'handler'> = { right: 'alter', readOnly: true, audited: true }
  const description =
    'Reads some records, and shows them before and after each transformation and as they would be written. Nothing is produced, committed or registered.'

  resource(app, '/connectors/:connector/preview', {
    POST: {
      ...shared,
      schema: {
        summary: 'What a connector would write, with its configuration or the one of the body',
        description,
        querystring: QUERY,
        body: ref('SentConfig'),
        response: answers({ 200: ref('Preview') }, ERRORS),
      },
      handler: (request, reply) => {
        const { identity } = request
        const connector = request.params['connector']!
        const stored = views.config(connector)
        const sent = request.body === null || request.body === undefined ? {} : decodeConfig(request.body)
        // Many clients send {} with every request.
        const candidate = Object.keys(sent).length > 0
        const named = candidate ? withName(connector, sent) : stored
        const config = candidate ? secrets.settle(identity, connector, stored, named) : stored
        const terms = { connector, config, candidate, ...termsOf(request) }
        return secrets.hiding(identity, connector, stored, () => previews.run(terms, closeSignal(reply.raw)))
      },
    },
  })

  resource(app, '/connector-plugins/:plugin/preview', {
    POST: {
      ...shared,
      connectorOf: (request) => decodeConfig(request.body)['name'] ?? null,
      schema: {
        summary: 'What a configuration would write',
        description,
        querystring: QUERY,
        body: ref('SentConfig'),
        response: answers({ 200: ref('Preview') }, ERRORS),
      },
      handler: (request, reply) => {
        const { identity } = request
        const name = request.params['plugin']!
        const plugin = plugins.find(name)
        if (plugin === null) throw restError('unknownPlugin', name)
        const body = decodeConfig(request.body)
        const sent = { 'connector.class': plugin.class, name: 'preview', ...body }
        const included = sent['connector.class']
        if (typeof included === 'string' && plugins.find(included)?.class !== plugin.class) {
          throw restError('pluginMismatch', shortened(included), name)
        }
        // The right was asked for the name of the body, not for the one that a body without any gets here.
        const connector = body['name'] ?? ''
        const stored = views.has(connector) ? views.config(connector) : null
        const config = secrets.settle(identity, connector, stored, sent)
        const terms = { connector: null, config, candidate: true, ...termsOf(request) }
        return secrets.hiding(identity, connector, stored, () => previews.run(terms, closeSignal(reply.raw)))
      },
    },
  })
}

function termsOf(request: FastifyRequest<Route>) {
  const { identity } = request
  const terms = {
    records: numberOf(request, 'records'),
    seconds: numberOf(request, 'seconds'),
    task: numberOf(request, 'task'),
    force: queryFlag(request, 'force'),
  }
  const { records, seconds, task, force } = terms
  if (request.auditWork) {
    request.auditWork.about = `task ${task}, ${records} records, ${seconds} s${force ? ', forced' : ''}`
  }
  return { ...terms, maySee: (connector: string) => may(identity, 'view', connector) }
}

function numberOf(request: FastifyRequest<Route>, name: keyof typeof NUMBERS): number {
  const { min, max, otherwise } = NUMBERS[name]
  const text = queryValue(request, name)
  if (text === undefined) return otherwise
  const number = /^\d{1,4}$/.test(text) ? Number(text) : NaN
  if (number >= min && number <= max) return number
  throw restError('queryInvalid', name, text, `a whole number from ${min} to ${max}`)
}

function withName(connector: string, sent: SentConfig): SentConfig {
  const included = sent['name'] ?? connector
  if (included !== connector) throw restError('nameMismatch', included, connector)
  return { ...sent, name: connector }
}
