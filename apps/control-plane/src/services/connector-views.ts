import type {
  ConfigStore,
  ConnectorConfig,
  PluginEntry,
  PluginStore,
  State,
  StatusEntry,
  StatusStore,
} from '@tributary/connect-storage'
import { restError } from '../http/rest-errors.ts'

export interface TaskId {
  readonly connector: string
  readonly task: number
}

export interface Task {
  readonly id: TaskId
  readonly config: ConnectorConfig
}

export interface ConnectorInfo {
  readonly name: string
  readonly config: ConnectorConfig
  readonly tasks: readonly TaskId[]
  readonly type: string
}

export interface StateView {
  readonly state: State
  readonly worker_id: string
  readonly trace?: string
}

export interface TaskStateView extends StateView {
  readonly id: number
}

export interface ConnectorStatus {
  readonly name: string
  readonly connector: StateView
  readonly tasks: readonly TaskStateView[]
  readonly type: string
}

export interface ViewParts {
  readonly config: ConfigStore
  readonly status: StatusStore
  readonly plugins: PluginStore
}

/**
 * The API's view of a connector, in exactly Kafka Connect's shapes: some clients refuse unknown fields. The desired
 * state comes from the config topic, the observed state from the status topic.
 */
export class ConnectorViews {
  readonly #config: ConfigStore
  readonly #status: StatusStore
  readonly #plugins: PluginStore

  constructor({ config, status, plugins }: ViewParts) {
    this.#config = config
    this.#status = status
    this.#plugins = plugins
  }

  names(): readonly string[] {
    return this.#config.snapshot.connectors()
  }

  has(connector: string): boolean {
    return this.#config.snapshot.config(connector) !== null
  }

  /** Throws 404 when there is no such connector. */
  config(connector: string): ConnectorConfig {
    const config = this.#config.snapshot.config(connector)
    if (config === null) throw restError('connectorNotFound', connector)
    return config
  }

  info(connector: string): ConnectorInfo {
    const config = this.config(connector)
    const tasks = this.#config.snapshot.tasks(connector).map((_, task) => ({ connector, task }))
    return { name: connector, config, tasks, type: this.type(connector) }
  }

  /** Throws 404 for the first moments of a connector, until a worker has reported on it. */
  status(connector: string): ConnectorStatus {
    const status = this.statusOrNull(connector)
    if (status === null) throw restError('noConnectorStatus', connector)
    return status
  }

  statusOrNull(connector: string): ConnectorStatus | null {
    const entry = this.#status.connector(connector)
    if (entry === null) return null
    const tasks = [...this.#status.tasks(connector)]
      .sort(([a], [b]) => a - b)
      .map(([id, task]) => ({ id, ...stateView(task) }))
    return { name: connector, connector: stateView(entry), tasks, type: this.type(connector) }
  }

  taskStatus(connector: string, task: number): TaskStateView {
    const entry = this.#status.task(connector, task)
    if (entry === null) throw restError('noTaskStatus', connector, task)
    return { id: task, ...stateView(entry) }
  }

  tasks(connector: string): Task[] {
    this.config(connector)
    return this.#config.snapshot.tasks(connector).map((config, task) => ({ id: { connector, task }, config }))
  }

  taskCount(connector: string): number {
    return this.#config.snapshot.tasks(connector).length
  }

  /** `unknown` when the connector or its plugin does not exist. */
  type(connector: string): string {
    return this.plugin(connector)?.type ?? 'unknown'
  }

  plugin(connector: string): PluginEntry | null {
    const name = this.#config.snapshot.config(connector)?.['connector.class']
    return name === undefined ? null : this.#plugins.find(name)
  }
}

function stateView({ state, workerId, trace }: StatusEntry): StateView {
  return { state, worker_id: workerId, ...(trace === undefined ? {} : { trace }) }
}
