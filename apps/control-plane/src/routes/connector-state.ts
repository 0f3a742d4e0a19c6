import type { FastifyInstance } from 'fastify'
import type { TargetState } from '@tributary/connect-storage'
import { type Operation, queryFlag, queryValue, resource } from '../http/resource.ts'
import { answers, query, ref } from '../http/schemas.ts'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Connectors } from '../services/connectors.ts'

/**
 * `/connectors/{connector}/status`, `/pause`, `/resume`, `/stop`, `/restart`
 *
 * Unless `strict`, a restart without parameters restarts failed tasks, too, because operators expect that. In Connect
 * failed tasks stay failed (KIP-745).
 */
export function connectorStateRoutes(
  app: FastifyInstance,
  views: ConnectorViews,
  connectors: Connectors,
  strict: boolean,
): void {
  const target = (state: TargetState, answer: number, summary: string): Operation => ({
    right: 'operate',
    schema: { summary, response: answers({ [answer]: null }, [404]) },
    handler: async (request, reply) => {
      await connectors.setTargetState(request.params['connector']!, state)
      return reply.code(answer).send()
    },
  })

  resource(app, '/connectors/:connector/status', {
    GET: {
      right: 'view',
      schema: {
        summary: 'States of a connector and its tasks',
        response: answers({ 200: ref('ConnectorStatus') }, [404]),
      },
      handler: (request) => views.status(request.params['connector']!),
    },
  })
  resource(app, '/connectors/:connector/pause', {
    PUT: target('PAUSED', 202, 'Pause a connector: its tasks stay and read nothing'),
  })
  resource(app, '/connectors/:connector/resume', {
    PUT: target('STARTED', 202, 'Let a paused or stopped connector run'),
  })
  resource(app, '/connectors/:connector/stop', {
    PUT: target('STOPPED', 204, 'Stop a connector: its tasks end, its offsets can be changed (KIP-875)'),
  })

  resource(app, '/connectors/:connector/restart', {
    POST: {
      right: 'operate',
      schema: {
        summary: 'Restart a connector, its tasks, or what has failed (KIP-745)',
        description: 'Without parameters: the connector and its failed tasks; with connect.strict the connector alone.',
        querystring: query({ includeTasks: 'true: the tasks too', onlyFailed: 'true: only what is FAILED' }),
        response: answers({ 202: ref('ConnectorStatus'), 204: null }, [404]),
      },
      handler: async (request, reply) => {
        const connector = request.params['connector']!
        const includeTasks = queryFlag(request, 'includeTasks')
        const onlyFailed = queryFlag(request, 'onlyFailed')
        if (includeTasks || onlyFailed) {
          return reply.code(202).send(await connectors.restartWith(connector, { includeTasks, onlyFailed }))
        }
        // A client that sends a parameter, even with the value false, gets exactly Connect's behaviour.
        const plain = ['includeTasks', 'onlyFailed'].every((name) => queryValue(request, name) === undefined)
        await connectors.restart(connector, !strict && plain)
        return reply.code(204).send()
      },
    },
  })
}
