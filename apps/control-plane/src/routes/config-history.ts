import type { ConfigVersionInfo } from '@tributary/connect-storage'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { authorOf } from '../history/author.ts'
import type { DiffEnd, Histories } from '../versions/histories.ts'
import type { Plans } from '../versions/plans.ts'
import { decodeConfig, objectOf, type SentConfig } from '../http/body.ts'
import { PLAN, wantsPlan } from '../http/plan-query.ts'
import { connectorLocation, queryValue, resource, type Route } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { answers, query, ref } from '../http/schemas.ts'

const LIMIT = { default: 20, most: 1000 } as const
const NUMBER = /^\d{1,15}$/

/** `/connectors/{connector}/config/history`, `…/diff` and `…/rollback`: all ours. */
export function configHistoryRoutes(app: FastifyInstance, histories: Histories, plans: Plans): void {
  historyRoutes(app, histories)

  resource(app, '/connectors/:connector/config/diff', {
    GET: {
      right: 'configs',
      schema: {
        summary: 'What two versions of a configuration differ in',
        description:
          'Secrets are [hidden]. A secret that some version between the two has changed is listed as changed.',
        querystring: query({
          from: 'The number of a version, 0 for nothing, or "current"; absent: the version before the latest one',
          to: 'The same; absent: the latest version',
        }),
        response: answers({ 200: ref('ConfigDiff') }, [400, 404]),
      },
      handler: (request) => {
        const { from, to, changes } = histories.diff(connectorOf(request), end(request, 'from'), end(request, 'to'))
        return {
          ...{ connector: connectorOf(request), from, to },
          added: changes.filter(({ before }) => before === null).map(({ key, after }) => ({ key, after })),
          removed: changes.filter(({ after }) => after === null).map(({ key, before }) => ({ key, before })),
          changed: changes.filter(({ before, after }) => before !== null && after !== null),
        }
      },
    },
  })

  resource(app, '/connectors/:connector/config/rollback', {
    POST: {
      right: 'alter',
      schema: {
        summary: 'Put the configuration of a version again',
        description:
          'Secrets keep their present values. Those that the present configuration lacks are sent in "config". A deleted connector is made anew.',
        querystring: query(PLAN),
        body: ref('Rollback'),
        response: answers(
          { 200: { anyOf: [ref('RolledBack'), ref('Plan')] }, 201: ref('RolledBack') },
          [400, 404, 409],
        ),
      },
      handler: async (request, reply) => {
        const connector = connectorOf(request)
        const { version: rollback_to, config } = decodeRollback(request.body)
        if (wantsPlan(request)) {
          const { identity } = request
          return plans.rollBack(identity, connector, (stored) =>
            histories.wanted(identity, connector, rollback_to, config, stored),
          )
        }
        const { created, info, version, changed } = await histories.rollBack(
          authorOf(request),
          connector,
          rollback_to,
          config,
        )
        if (created) reply.code(201).header('location', connectorLocation(request, connector))
        return { connector, rollback_to, version, changed, info }
      },
    },
  })
}

function historyRoutes(app: FastifyInstance, histories: Histories): void {
  resource(app, '/connectors/:connector/config/history', {
    GET: {
      right: 'configs',
      schema: {
        summary: 'Who has changed the configuration of a connector, the newest version first',
        description: 'Also of a connector that was deleted.',
        querystring: query({
          limit: `At most so many versions, 1 to ${LIMIT.most}; ${LIMIT.default} by default`,
          before: 'Only versions below this number: the "next" of the answer before',
        }),
        response: answers({ 200: ref('ConfigHistory') }, [400, 404]),
      },
      handler: (request) => {
        const connector = connectorOf(request)
        const limit = numberOf(request, 'limit', 1, LIMIT.most) ?? LIMIT.default
        const { versions, next } = histories.list(connector, limit, numberOf(request, 'before', 1) ?? Infinity)
        return { connector, versions: versions.map(shown), next }
      },
    },
  })

  resource(app, '/connectors/:connector/config/history/:version', {
    GET: {
      right: 'configs',
      schema: {
        summary: 'A version of a configuration',
        description: 'Secrets are [hidden], whoever asks.',
        response: answers({ 200: ref('ConfigVersion') }, [400, 404]),
      },
      handler: (request) => {
        const connector = connectorOf(request)
        const text = request.params['version']!
        if (!NUMBER.test(text)) throw restError('versionInvalid', text)
        const { config, hidden, shortened, ...info } = histories.version(connector, Number(text))
        return { connector, ...shown(info), config, hidden, ...(shortened && { shortened }) }
      },
    },
  })
}

const connectorOf = (request: FastifyRequest<Route>): string => request.params['connector']!

function shown({ time, requestId, rollbackTo, version, author, cause, changed }: ConfigVersionInfo): object {
  return {
    ...{ version, time: new Date(time).toISOString(), author, cause, request_id: requestId, changed },
    ...(rollbackTo !== null && { rollback_to: rollbackTo }),
  }
}

/** A number is its source text here, as in every body. */
export function decodeRollback(body: unknown): { version: number; config: SentConfig } {
  const fields = objectOf(body, 'The body')
  for (const field of Object.keys(fields)) {
    if (field !== 'version' && field !== 'config') throw restError('unknownField', field, ['version', 'config'])
  }
  const { version, config } = fields
  if (typeof version !== 'string' || !NUMBER.test(version) || Number(version) === 0) throw restError('versionInvalid', String(version)) // prettier-ignore
  return {
    version: Number(version),
    config: config === undefined || config === null ? {} : decodeConfig(config, 'The field "config"'),
  }
}

function end(request: FastifyRequest<Route>, name: 'from' | 'to'): DiffEnd | undefined {
  const text = queryValue(request, name)
  if (text === undefined || text === 'current') return text
  if (NUMBER.test(text)) return Number(text)
  throw restError('queryInvalid', name, text, 'the number of a version, 0, or current')
}

function numberOf(request: FastifyRequest<Route>, name: string, least: number, most = Infinity): number | undefined {
  const text = queryValue(request, name)
  if (text === undefined) return undefined
  const value = NUMBER.test(text) ? Number(text) : NaN
  if (value >= least && value <= most) return value
  const bound = most === Infinity ? `from ${least} on` : `from ${least} to ${most}`
  throw restError('queryInvalid', name, text, `a whole number ${bound}`)
}
