import type { FastifyInstance } from 'fastify'
import type { TargetState } from '@tributary/connect-storage'
import { type Handler, queryFlag, queryValue, resource } from '../http/resource.ts'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Connectors } from '../services/connectors.ts'

/**
 * `/connectors/{connector}/status`, `/pause`, `/resume`, `/stop`, `/restart`
 *
 * Unless `strict`, a restart without parameters restarts failed tasks too, which is what operators mean by it; in
 * Connect they stay failed (KIP-745).
 */
export function connectorStateRoutes(
  app: FastifyInstance,
  views: ConnectorViews,
  connectors: Connectors,
  strict: boolean,
): void {
  const target =
    (state: TargetState, answer: number): Handler =>
    async (request, reply) => {
      await connectors.setTargetState(request.params['connector']!, state)
      return reply.code(answer).send()
    }

  resource(app, '/connectors/:connector/status', { GET: (request) => views.status(request.params['connector']!) })
  resource(app, '/connectors/:connector/pause', { PUT: target('PAUSED', 202) })
  resource(app, '/connectors/:connector/resume', { PUT: target('STARTED', 202) })
  resource(app, '/connectors/:connector/stop', { PUT: target('STOPPED', 204) })

  resource(app, '/connectors/:connector/restart', {
    POST: async (request, reply) => {
      const connector = request.params['connector']!
      const includeTasks = queryFlag(request, 'includeTasks')
      const onlyFailed = queryFlag(request, 'onlyFailed')
      if (includeTasks || onlyFailed) {
        return reply.code(202).send(await connectors.restartWith(connector, { includeTasks, onlyFailed }))
      }
      await connectors.restart(connector, !strict && queryValue(request, 'includeTasks') === undefined)
      return reply.code(204).send()
    },
  })
}
