import type { FastifyInstance } from 'fastify'
import { resource } from '../http/resource.ts'
import type { Cluster } from '../services/cluster.ts'

/** `/cluster`: ours, the services and their live workers. */
export function clusterRoutes(app: FastifyInstance, cluster: Cluster): void {
  resource(app, '/cluster', { GET: () => cluster.read() })
}
