import type { FastifyInstance } from 'fastify'
import { decodeConfig } from '../http/body.ts'
import { queryValue, resource } from '../http/resource.ts'
import type { LogLevels } from '../services/log-levels.ts'

/** `/admin/loggers…` */
export function loggerRoutes(app: FastifyInstance, levels: LogLevels): void {
  resource(app, '/admin/loggers', { GET: () => levels.all() })

  resource(app, '/admin/loggers/:logger', {
    GET: (request) => levels.one(request.params['logger']!),

    PUT: async (request, reply) => {
      const { level } = decodeConfig(request.body)
      const names = await levels.set(request.params['logger']!, level)
      if (queryValue(request, 'scope')?.toLowerCase() === 'cluster') return reply.code(204).send()
      return names
    },
  })
}
