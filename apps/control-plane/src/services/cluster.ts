import type { PluginStore } from '@tributary/connect-storage'
import { isConnector } from './config-validator.ts'
import type { ConnectorViews } from './connector-views.ts'
import type { ServerInfo } from './server-info.ts'
import type { Workers } from './workers.ts'

export interface ControlPlaneView {
  /** host:port of the replica's REST API. */
  readonly address: string
  readonly leader: boolean
}

/** The source of the control plane's live replicas. */
export interface ControlPlanes {
  replicas(): Promise<readonly ControlPlaneView[]>
}

export interface ClusterView {
  readonly name: string
  readonly kafka_cluster_id: string
  /** The version of this control plane. */
  readonly version: string
  readonly connectors: number
  readonly tasks: number
  readonly control_planes: readonly ControlPlaneView[]
  readonly services: readonly ServiceView[]
}

export interface ServiceView {
  readonly name: string
  /** The Kafka group of the service's workers. */
  readonly group: string
  /** host:port of each live worker, which is also the `worker_id` of statuses. */
  readonly workers: readonly string[]
  /** The connectors that the service runs. */
  readonly plugins: readonly { readonly class: string; readonly type: string; readonly version: string }[]
  readonly connectors: number
  readonly tasks: number
}

export interface ClusterOptions {
  readonly name: string
  readonly version: string
  readonly info: ServerInfo
  readonly views: ConnectorViews
  readonly plugins: PluginStore
  readonly workers: Workers
  readonly controlPlanes: ControlPlanes | undefined
}

/** Shows the whole installation: the services, who is alive, and what they run. */
export class Cluster {
  readonly #options: ClusterOptions

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  /** `visible`: the connectors that count. */
  async read(visible: (connector: string) => boolean): Promise<ClusterView> {
    const { name, version, info, views, plugins, workers, controlPlanes } = this.#options
    const byService = Map.groupBy(plugins.plugins().filter(isConnector), (plugin) => plugin.service)
    const names = views.names().filter(visible)
    const connectors = Map.groupBy(names, (connector) => views.plugin(connector)?.service)
    const tasksOf = (of: readonly string[]): number =>
      of.reduce((count, connector) => count + views.taskCount(connector), 0)
    const services = await Promise.all(
      [...byService].map(async ([service, entries]) => ({
        name: service,
        group: workers.groupOf(service),
        workers: [...(await workers.of(service))].sort(),
        plugins: entries.map((plugin) => ({ class: plugin.class, type: plugin.type, version: plugin.version })),
        connectors: connectors.get(service)?.length ?? 0,
        tasks: tasksOf(connectors.get(service) ?? []),
      })),
    )
    return {
      name,
      kafka_cluster_id: info.kafka_cluster_id,
      version,
      connectors: names.length,
      tasks: tasksOf(names),
      control_planes: (await controlPlanes?.replicas()) ?? [],
      services,
    }
  }
}
