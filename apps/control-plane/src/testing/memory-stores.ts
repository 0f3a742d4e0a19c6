import {
  type AccessKey,
  type AccessStore,
  type Beside,
  catalogOf,
  type ConfigListener,
  type ConfigSnapshot,
  type ConfigStore,
  type ConnectorConfig,
  type OffsetStore,
  type PluginEntry,
  type PluginStore,
  type RestartRequest,
  type StatusEntry,
  type StatusStore,
  type TargetState,
} from '@tributary/connect-storage'
import { canonicalJson } from '@tributary/config'
import type { OffsetEntry } from '@tributary/connect-api'
import { writeMemory } from './memory-history.ts'

/**
 * Stores over maps, in which a write is read back at once. The contract of the real stores is tested in
 * connect-storage.
 */

interface Stored {
  config: ConnectorConfig
  target: TargetState
  tasks: readonly ConnectorConfig[]
}

export class MemoryConfigStore implements ConfigStore {
  readonly restarts: RestartRequest[] = []
  readonly levels: [string, string][] = []
  writes = 0
  /** Task numbers that have a record in the topic, where they differ from the current tasks. */
  readonly knownTasks = new Map<string, readonly number[]>()
  /** Makes writes reject, as Kafka does without the right to write. */
  refusal: Error | null = null
  /** Makes `refresh` reject, as when Kafka is away. */
  outage: Error | null = null
  /** Called by `refresh`: applies what a refresh would read. */
  onRefresh: () => Promise<void> = () => Promise.resolve()
  readonly #connectors = new Map<string, Stored>()
  readonly #listeners = new Set<ConfigListener>()

  readonly snapshot: ConfigSnapshot = {
    appliedOffset: 0n,
    connectors: () => [...this.#connectors.keys()],
    config: (connector) => this.#connectors.get(connector)?.config ?? null,
    targetState: (connector) => this.#connectors.get(connector)?.target ?? 'STARTED',
    tasks: (connector) => this.#connectors.get(connector)?.tasks ?? [],
    taskNumbers: (connector) =>
      new Set(this.knownTasks.get(connector) ?? this.#connectors.get(connector)?.tasks.keys()),
    tasksOutdated: () => false,
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  refresh(): Promise<void> {
    return this.outage ? Promise.reject(this.outage) : this.onRefresh()
  }

  listen(listener: ConfigListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async putConnectorConfig(
    connector: string,
    config: ConnectorConfig,
    target?: TargetState,
    beside?: Beside,
  ): Promise<void> {
    await this.#written()
    if (beside) writeMemory(beside)
    const before = this.#connectors.get(connector) ?? { target: 'STARTED' as const, tasks: [] }
    this.#connectors.set(connector, { ...before, config, target: target ?? before.target })
    for (const listener of this.#listeners) listener.connectorConfigUpdated?.(connector)
  }

  async removeConnector(connector: string, beside?: Beside): Promise<void> {
    await this.#written()
    if (beside) writeMemory(beside)
    this.#connectors.delete(connector)
    for (const listener of this.#listeners) listener.connectorRemoved?.(connector)
  }

  async writeBeside(beside: Beside): Promise<void> {
    await this.#written()
    writeMemory(beside)
  }

  async putTargetState(connector: string, target: TargetState): Promise<void> {
    await this.#written()
    this.#connectors.get(connector)!.target = target
    for (const listener of this.#listeners) listener.targetStateUpdated?.(connector)
  }

  async putTaskConfigs(connector: string, tasks: readonly ConnectorConfig[]): Promise<void> {
    await this.#written()
    this.#connectors.get(connector)!.tasks = tasks
    for (const listener of this.#listeners) listener.tasksUpdated?.(connector)
  }

  async putRestart(request: RestartRequest): Promise<void> {
    await this.#written()
    this.restarts.push(request)
  }

  async putLoggerLevel(logger: string, level: string): Promise<void> {
    await this.#written()
    this.levels.push([logger, level])
  }

  /** A write takes a moment, so that operations that may overlap do overlap. */
  #written(): Promise<void> {
    this.writes++
    const { refusal } = this
    return new Promise((resolve, reject) => setImmediate(() => (refusal ? reject(refusal) : resolve())))
  }
}

export class MemoryStatusStore implements StatusStore {
  readonly #connectors = new Map<string, StatusEntry>()
  readonly #tasks = new Map<string, Map<number, StatusEntry>>()
  readonly #topics = new Map<string, Set<string>>()
  readonly #listeners = new Set<(connector: string, task: number | null) => void>()

  async start(): Promise<void> {}
  async refresh(): Promise<void> {}
  async stop(): Promise<void> {}

  connector(connector: string): StatusEntry | null {
    return this.#connectors.get(connector) ?? null
  }
  task(connector: string, task: number): StatusEntry | null {
    return this.#tasks.get(connector)?.get(task) ?? null
  }
  tasks(connector: string): ReadonlyMap<number, StatusEntry> {
    return this.#tasks.get(connector) ?? new Map<number, StatusEntry>()
  }
  connectors(): readonly string[] {
    return [...this.#connectors.keys()]
  }
  topics(connector: string): readonly string[] {
    return [...(this.#topics.get(connector) ?? [])]
  }
  listen(listener: (connector: string, task: number | null) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  putConnector(connector: string, status: StatusEntry): Promise<void> {
    this.#connectors.set(connector, status)
    return this.#changed(connector, null)
  }
  putTask(connector: string, task: number, status: StatusEntry): Promise<void> {
    const tasks = this.#tasks.get(connector) ?? new Map<number, StatusEntry>()
    this.#tasks.set(connector, tasks.set(task, status))
    return this.#changed(connector, task)
  }
  putTopic(connector: string, _task: number, topic: string): Promise<void> {
    this.#topics.set(connector, (this.#topics.get(connector) ?? new Set()).add(topic))
    return Promise.resolve()
  }
  deleteTopics(connector: string): Promise<void> {
    this.#topics.delete(connector)
    return Promise.resolve()
  }
  deleteConnector(connector: string): Promise<void> {
    this.#connectors.delete(connector)
    return this.#changed(connector, null)
  }
  deleteTask(connector: string, task: number): Promise<void> {
    this.#tasks.get(connector)?.delete(task)
    return this.#changed(connector, task)
  }

  #changed(connector: string, task: number | null): Promise<void> {
    for (const listener of this.#listeners) listener(connector, task)
    return Promise.resolve()
  }
}

export class MemoryOffsetStore implements OffsetStore {
  /** Makes `refresh` wait for ever, as behind a transaction that nobody ends. */
  held = false
  trouble: string | null = null
  readonly #entries = new Map<string, Map<string, OffsetEntry>>()

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  refresh(signal?: AbortSignal): Promise<void> {
    if (!this.held) return Promise.resolve()
    return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)))
  }

  offsets(connector: string): readonly OffsetEntry[] {
    return [...(this.#entries.get(connector)?.values() ?? [])]
  }
  offset(): null {
    return null
  }
  encode(): [] {
    return []
  }
  write(connector: string, entries: readonly OffsetEntry[]): Promise<void> {
    const stored = this.#entries.get(connector) ?? new Map<string, OffsetEntry>()
    for (const entry of entries) {
      const key = canonicalJson(entry.partition)
      if (entry.offset === null) stored.delete(key)
      else stored.set(key, entry)
    }
    this.#entries.set(connector, stored)
    return Promise.resolve()
  }
}

export class MemoryPluginStore implements PluginStore {
  readonly #plugins: PluginEntry[]
  #isLive: (plugin: PluginEntry) => boolean = () => false

  constructor(plugins: readonly PluginEntry[]) {
    this.#plugins = [...plugins]
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  plugins(): readonly PluginEntry[] {
    const { all } = catalogOf(this.#plugins, this.#isLive)
    return this.#plugins.filter((plugin) => all.includes(plugin))
  }
  versions(): readonly PluginEntry[] {
    return this.#plugins
  }
  preferLive(isLive: (plugin: PluginEntry) => boolean): void {
    this.#isLive = isLive
  }
  find(name: string): PluginEntry | null {
    return catalogOf(this.#plugins, this.#isLive).byName.get(name) ?? null
  }
  listen(): () => void {
    return () => {}
  }
  publish(plugin: PluginEntry): Promise<void> {
    this.#plugins.push(plugin)
    return Promise.resolve()
  }
}

/** API keys in memory. */
export class MemoryAccessStore implements AccessStore {
  readonly #keys = new Map<string, AccessKey>()

  start(): Promise<void> {
    return Promise.resolve()
  }
  refresh(): Promise<void> {
    return Promise.resolve()
  }
  keys(): readonly AccessKey[] {
    return [...this.#keys.values()]
  }
  key(name: string): AccessKey | null {
    return this.#keys.get(name) ?? null
  }
  keyOfId(id: string): AccessKey | null {
    return this.keys().find((key) => key.id === id) ?? null
  }
  put(key: AccessKey): Promise<void> {
    this.#keys.set(key.name, key)
    return Promise.resolve()
  }
  stop(): Promise<void> {
    return Promise.resolve()
  }
}
