import type { OffsetStore } from '@tributary/connect-storage'
import type { FastifyInstance } from 'fastify'
import { resource } from '../http/resource.ts'
import type { ConnectorViews } from '../services/connector-views.ts'

/** `/connectors/{connector}/offsets` (KIP-875): what is committed now, read to the end of the offsets topic. */
export function offsetRoutes(app: FastifyInstance, views: ConnectorViews, offsets: OffsetStore): void {
  resource(app, '/connectors/:connector/offsets', {
    GET: async (request) => {
      const connector = request.params['connector']!
      views.config(connector)
      await offsets.refresh()
      return { offsets: offsets.offsets(connector) }
    },
  })
}
