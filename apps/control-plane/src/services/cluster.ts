import type { PluginStore } from '@tributary/connect-storage'
import type { ConnectorViews } from './connector-views.ts'
import type { ServerInfo } from './server-info.ts'
import type { Workers } from './workers.ts'

export interface ClusterView {
  readonly name: string
  readonly kafka_cluster_id: string
  readonly connectors: number
  readonly tasks: number
  readonly services: readonly ServiceView[]
}

export interface ServiceView {
  readonly name: string
  /** Kafka group of its workers. */
  readonly group: string
  /** host:port of each live worker, which is the `worker_id` of statuses. */
  readonly workers: readonly string[]
  /** Classes that it runs. */
  readonly plugins: readonly string[]
}

export interface ClusterOptions {
  readonly name: string
  readonly info: ServerInfo
  readonly views: ConnectorViews
  readonly plugins: PluginStore
  readonly workers: Workers
}

/** The whole installation at a glance: which services there are, and who is alive. */
export class Cluster {
  readonly #options: ClusterOptions

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  async read(): Promise<ClusterView> {
    const { name, info, views, plugins, workers } = this.#options
    const byService = Map.groupBy(plugins.plugins(), (plugin) => plugin.service)
    const services = await Promise.all(
      [...byService].map(async ([service, entries]) => ({
        name: service,
        group: workers.groupOf(service),
        workers: (await workers.of(service)).sort(),
        plugins: entries.map((plugin) => plugin.class),
      })),
    )
    const connectors = views.names()
    return {
      name,
      kafka_cluster_id: info.kafka_cluster_id,
      connectors: connectors.length,
      tasks: connectors.reduce((count, connector) => count + views.info(connector).tasks.length, 0),
      services,
    }
  }
}
