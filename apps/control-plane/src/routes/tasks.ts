import type { FastifyInstance } from 'fastify'
import { intParam, resource } from '../http/resource.ts'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Connectors } from '../services/connectors.ts'

/** `/connectors/{connector}/tasks…` and the deprecated `/tasks-config` */
export function taskRoutes(app: FastifyInstance, views: ConnectorViews, connectors: Connectors): void {
  resource(app, '/connectors/:connector/tasks', { GET: (request) => views.tasks(request.params['connector']!) })

  resource(app, '/connectors/:connector/tasks-config', {
    GET: (request) =>
      Object.fromEntries(
        views.tasks(request.params['connector']!).map(({ id, config }) => [`${id.connector}-${id.task}`, config]),
      ),
  })

  resource(app, '/connectors/:connector/tasks/:task/status', {
    GET: (request) => views.taskStatus(request.params['connector']!, intParam(request, 'task')),
  })

  resource(app, '/connectors/:connector/tasks/:task/restart', {
    POST: async (request, reply) => {
      await connectors.restartTask(request.params['connector']!, intParam(request, 'task'))
      return reply.code(204).send()
    },
  })
}
