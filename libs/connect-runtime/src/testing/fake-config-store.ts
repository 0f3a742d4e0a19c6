import type {
  ConfigListener,
  ConfigSnapshot,
  ConfigStore,
  ConnectorConfig,
  RestartRequest,
  TargetState,
} from '@tributary/connect-storage'

interface Entry {
  config: ConnectorConfig
  target: TargetState
  tasks: readonly ConnectorConfig[]
  readonly numbers: Set<number>
}

/** The config store over a map. A write resolves once it is applied and its listeners are notified. */
export class FakeConfigStore implements ConfigStore {
  /** The writes of tasks: `3@7` is 3 tasks in generation 7. */
  readonly taskWrites: string[] = []
  /** The error with which `refresh`, and so each write of tasks, rejects; null: none. */
  outage: Error | null = null
  readonly #entries = new Map<string, Entry>()
  readonly #listeners = new Set<ConfigListener>()
  #offset = 0n
  readonly snapshot: ConfigSnapshot

  constructor() {
    const entries = this.#entries
    const offset = (): bigint => this.#offset
    this.snapshot = {
      get appliedOffset() {
        return offset()
      },
      connectors: () => [...entries.keys()],
      config: (connector) => entries.get(connector)?.config ?? null,
      targetState: (connector) => entries.get(connector)?.target ?? 'STARTED',
      tasks: (connector) => entries.get(connector)?.tasks ?? [],
      taskNumbers: (connector) => entries.get(connector)?.numbers ?? new Set(),
      tasksOutdated: () => false,
    }
  }

  listen(listener: ConfigListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  async refresh(): Promise<void> {
    if (this.outage) throw this.outage
    return Promise.resolve()
  }

  putConnectorConfig(connector: string, config: ConnectorConfig, target?: TargetState): Promise<void> {
    const previous = this.#entries.get(connector)
    this.#entries.set(connector, {
      config,
      target: target ?? previous?.target ?? 'STARTED',
      tasks: previous?.tasks ?? [],
      numbers: previous?.numbers ?? new Set(),
    })
    return this.#applied((listener) => listener.connectorConfigUpdated?.(connector))
  }

  removeConnector(connector: string): Promise<void> {
    this.#entries.delete(connector)
    return this.#applied((listener) => listener.connectorRemoved?.(connector))
  }

  writeBeside(): Promise<void> {
    return Promise.resolve()
  }

  putTargetState(connector: string, state: TargetState): Promise<void> {
    this.#entries.get(connector)!.target = state
    return this.#applied((listener) => listener.targetStateUpdated?.(connector))
  }

  async putTaskConfigs(connector: string, tasks: readonly ConnectorConfig[], generation: number): Promise<void> {
    await this.refresh()
    this.taskWrites.push(`${tasks.length}@${generation}`)
    const entry = this.#entries.get(connector)
    if (entry) {
      entry.tasks = tasks
      for (const number of tasks.keys()) entry.numbers.add(number)
    }
    await this.#applied((listener) => listener.tasksUpdated?.(connector))
  }

  putRestart(request: RestartRequest): Promise<void> {
    return this.#applied((listener) => listener.restartRequested?.(request))
  }

  putLoggerLevel(logger: string, level: string): Promise<void> {
    return this.#applied((listener) => listener.loggerLevelSet?.(logger, level))
  }

  #applied(notify: (listener: ConfigListener) => void): Promise<void> {
    this.#offset++
    for (const listener of [...this.#listeners]) notify(listener)
    return Promise.resolve()
  }
}
