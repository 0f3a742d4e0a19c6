import type { FastifyInstance } from 'fastify'
import { resource } from '../http/resource.ts'
import { answers, ref } from '../http/schemas.ts'
import type { Server } from '../services/server-info.ts'

/** `/` says who answers. `/health` (KIP-1017) says whether the service can do its work. */
export function rootRoutes(app: FastifyInstance, server: Server): void {
  resource(app, '/', {
    GET: {
      schema: { summary: 'Version and Kafka cluster', response: answers({ 200: ref('ServerInfo') }) },
      handler: () => server.info(),
    },
  })

  resource(app, '/health', {
    GET: {
      schema: {
        summary: 'Whether requests can be answered truly',
        response: { 200: ref('ServerHealth'), 500: ref('ServerHealth') },
      },
      handler: async (_request, reply) => {
        const health = await server.health()
        return reply.code(health.status === 'healthy' ? 200 : 500).send(health)
      },
    },
  })
}
