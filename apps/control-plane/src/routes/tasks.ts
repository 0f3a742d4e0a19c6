import type { FastifyInstance, FastifyRequest } from 'fastify'
import { intParam, resource, type Route } from '../http/resource.ts'
import { answers, ref } from '../http/schemas.ts'
import type { ConfigSecrets } from '../services/config-secrets.ts'
import type { ConnectorViews, Task } from '../services/connector-views.ts'
import type { Connectors } from '../services/connectors.ts'

/** `/connectors/{connector}/tasks…` and the deprecated `/tasks-config` */
export function taskRoutes(
  app: FastifyInstance,
  views: ConnectorViews,
  connectors: Connectors,
  secrets: ConfigSecrets,
): void {
  const tasksOf = ({ identity, params }: FastifyRequest<Route>): Task[] =>
    secrets.tasks(identity, views.tasks(params['connector']!))

  resource(app, '/connectors/:connector/tasks', {
    GET: {
      right: 'view',
      schema: { summary: 'Tasks with their configurations', response: answers({ 200: ref('Tasks') }, [404]) },
      handler: tasksOf,
    },
  })

  resource(app, '/connectors/:connector/tasks-config', {
    GET: {
      right: 'configs',
      schema: {
        summary: 'Configurations of the tasks by name',
        deprecated: true,
        response: answers({ 200: ref('TasksConfig') }, [404]),
      },
      handler: (request) =>
        Object.fromEntries(tasksOf(request).map(({ id, config }) => [`${id.connector}-${id.task}`, config])),
    },
  })

  resource(app, '/connectors/:connector/tasks/:task/status', {
    GET: {
      right: 'view',
      schema: { summary: 'State of a task', response: answers({ 200: ref('TaskState') }, [404]) },
      handler: (request) => views.taskStatus(request.params['connector']!, intParam(request, 'task')),
    },
  })

  resource(app, '/connectors/:connector/tasks/:task/restart', {
    POST: {
      right: 'operate',
      schema: { summary: 'Restart a task', response: answers({ 204: null }, [404]) },
      handler: async (request, reply) => {
        await connectors.restartTask(request.params['connector']!, intParam(request, 'task'))
        return reply.code(204).send()
      },
    },
  })
}
