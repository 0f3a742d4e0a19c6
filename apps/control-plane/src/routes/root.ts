import type { FastifyInstance } from 'fastify'
import { resource } from '../http/resource.ts'
import type { Server } from '../services/server-info.ts'

/** `/`: who answers; `/health` (KIP-1017): whether it can do its work. */
export function rootRoutes(app: FastifyInstance, server: Server): void {
  resource(app, '/', { GET: () => server.info() })

  resource(app, '/health', {
    GET: async (_request, reply) => {
      const health = await server.health()
      return reply.code(health.status === 'healthy' ? 200 : 500).send(health)
    },
  })
}
