import type { StatusStore } from '@tributary/connect-storage'
import type { FastifyInstance } from 'fastify'
import { resource } from '../http/resource.ts'
import { answers, ref } from '../http/schemas.ts'

/**
 * `/connectors/{connector}/topics` (KIP-558): the topics to which the connector has written. As in Connect, a missing
 * connector has none, which is not an error.
 */
export function topicRoutes(app: FastifyInstance, status: StatusStore): void {
  resource(app, '/connectors/:connector/topics', {
    GET: {
      right: 'view',
      schema: {
        summary: 'Topics that the connector has written to',
        description: 'Since it was made, or since the last reset. Of a connector that is not there: none.',
        response: answers({ 200: ref('Topics') }),
      },
      handler: (request) => {
        const connector = request.params['connector']!
        return { [connector]: { topics: status.topics(connector) } }
      },
    },
  })

  resource(app, '/connectors/:connector/topics/reset', {
    PUT: {
      right: 'alter',
      schema: { summary: 'Forget the topics', response: answers({ 202: null }) },
      handler: async (request, reply) => {
        await status.deleteTopics(request.params['connector']!)
        return reply.code(202).send()
      },
    },
  })
}
