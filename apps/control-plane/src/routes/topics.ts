import type { StatusStore } from '@tributary/connect-storage'
import type { FastifyInstance } from 'fastify'
import { resource } from '../http/resource.ts'

/** `/connectors/{connector}/topics` (KIP-558): where it has written; of a missing connector none, and no error. */
export function topicRoutes(app: FastifyInstance, status: StatusStore): void {
  resource(app, '/connectors/:connector/topics', {
    GET: (request) => {
      const connector = request.params['connector']!
      return { [connector]: { topics: status.topics(connector) } }
    },
  })

  resource(app, '/connectors/:connector/topics/reset', {
    PUT: async (request, reply) => {
      await status.deleteTopics(request.params['connector']!)
      return reply.code(202).send()
    },
  })
}
