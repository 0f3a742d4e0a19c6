import type { FastifyInstance } from 'fastify'
import { decodeConfig } from '../http/body.ts'
import { queryValue, resource } from '../http/resource.ts'
import { answers, query, ref } from '../http/schemas.ts'
import type { LogLevels } from '../services/log-levels.ts'

/** `/admin/loggers…` (KIP-495, KIP-976) */
export function loggerRoutes(app: FastifyInstance, levels: LogLevels): void {
  resource(app, '/admin/loggers', {
    GET: {
      right: 'view',
      schema: { summary: 'Loggers whose level was set', response: answers({ 200: ref('LoggerLevels') }) },
      handler: () => levels.all(),
    },
  })

  resource(app, '/admin/loggers/:logger', {
    GET: {
      right: 'view',
      schema: { summary: 'Level of a logger', response: answers({ 200: ref('LoggerLevel') }, [404]) },
      handler: (request) => levels.one(request.params['logger']!),
    },

    PUT: {
      right: 'administer',
      schema: {
        summary: 'Set the level of a logger and of the set ones below it',
        description:
          'In every process of the cluster. TRACE, DEBUG, INFO, WARN, ERROR, FATAL, OFF or ALL, in any case.',
        querystring: query({ scope: 'worker (default): answers the names of the loggers; cluster: answers 204' }),
        body: ref('SentLevel'),
        response: answers({ 200: ref('LoggerNames'), 204: null }, [400, 404]),
      },
      handler: async (request, reply) => {
        const { level } = decodeConfig(request.body)
        if (request.auditWork) request.auditWork.about = `level ${level}`
        const names = await levels.set(request.params['logger']!, level)
        if (queryValue(request, 'scope')?.toLowerCase() === 'cluster') return reply.code(204).send()
        return names
      },
    },
  })
}
