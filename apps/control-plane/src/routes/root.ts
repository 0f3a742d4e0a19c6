import type { FastifyInstance } from 'fastify'
import { mayAnywhere } from '../access/rights.ts'
import { resource } from '../http/resource.ts'
import { answers, ref } from '../http/schemas.ts'
import type { Server } from '../services/server-info.ts'

/** `/` says who answers. `/health` (KIP-1017) says whether the service can do its work. */
export function rootRoutes(app: FastifyInstance, server: Server): void {
  resource(app, '/', {
    GET: {
      right: 'view',
      schema: { summary: 'Version and Kafka cluster', response: answers({ 200: ref('ServerInfo') }) },
      handler: () => server.info(),
    },
  })

  resource(app, '/health', {
    GET: {
      right: 'open',
      schema: {
        summary: 'Whether requests can be answered truly',
        response: { 200: ref('ServerHealth'), 500: ref('ServerHealth') },
      },
      handler: async (request, reply) => {
        const { status, message } = await server.health()
        // Probes ask without credentials. The reason may name topics and brokers, which are not for everybody.
        const shown = mayAnywhere(request.identity, 'view') ? message : `The service is ${status}.`
        return reply.code(status === 'healthy' ? 200 : 500).send({ status, message: shown })
      },
    },
  })
}
