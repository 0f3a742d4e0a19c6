import type { OffsetEntry, SourceOffset, SourcePartition } from '@tributary/connect-api'
import type { ConfigSpecData } from '@tributary/config'

export type TargetState = 'STARTED' | 'PAUSED' | 'STOPPED'
export type State = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'DESTROYED' | 'RESTARTING' | 'STOPPED'
export type ConnectorTaskId = `${string}-${number}`

/** A connector's configuration as stored: flat, `name` and `connector.class` included, references unresolved. */
export type ConnectorConfig = Readonly<Record<string, string>>

export interface RestartRequest {
  readonly connector: string
  readonly includeTasks: boolean
  readonly onlyFailed: boolean
  /** Ours: restart just this task. Kafka Connect, which does not know the field, never sees such a record applied twice. */
  readonly task?: number
}

/** What the config topic says, after everything up to `appliedOffset` was applied. Read only. */
export interface ConfigSnapshot {
  readonly appliedOffset: bigint
  connectors(): readonly string[]
  config(connector: string): ConnectorConfig | null
  /** STARTED when nothing was written. */
  targetState(connector: string): TargetState
  /** The task configs of the last complete set (`commit-`), by task number; [] when there is none. */
  tasks(connector: string): readonly ConnectorConfig[]
  /** Every task number that has a record in the topic, former tasks' too: whose transactional ids a new set of tasks fences (KIP-618). */
  taskNumbers(connector: string): ReadonlySet<number>
  /** The config that the last complete set of tasks was made from was followed by a newer one. */
  tasksOutdated(connector: string): boolean
}

export interface ConfigListener {
  connectorConfigUpdated?(connector: string): void
  connectorRemoved?(connector: string): void
  tasksUpdated?(connector: string): void
  targetStateUpdated?(connector: string): void
  restartRequested?(request: RestartRequest): void
  loggerLevelSet?(logger: string, level: string): void
}

/** Byte-compatible with Kafka Connect 3.9's config topic. Writes resolve once read back. */
export interface ConfigStore {
  readonly snapshot: ConfigSnapshot
  /** Tails the topic (making it when missing) and resolves once past the end offset asked for at the start. */
  start(signal: AbortSignal): Promise<void>
  listen(listener: ConfigListener): () => void
  /** Reads up to the present end of the topic. */
  refresh(signal?: AbortSignal): Promise<void>
  putConnectorConfig(connector: string, config: ConnectorConfig, targetState?: TargetState): Promise<void>
  /** Tombstones for the config, the target state and the tasks. */
  removeConnector(connector: string): Promise<void>
  putTargetState(connector: string, state: TargetState): Promise<void>
  /** By the connector's owner; readers ignore a generation lower than one seen for the connector. */
  putTaskConfigs(connector: string, tasks: readonly ConnectorConfig[], generation: number): Promise<void>
  putRestart(request: RestartRequest): Promise<void>
  putLoggerLevel(logger: string, level: string): Promise<void>
  stop(): Promise<void>
}

export interface StatusEntry {
  readonly state: State
  readonly trace?: string
  readonly workerId: string
  readonly generation: number
  /**
   * Ours: how often the unit has ended its process by holding the event loop. In a write, absent keeps what is stored and
   * 0 clears it. Kafka Connect passes it over.
   */
  readonly stalls?: number
  /**
   * Ours, with UNASSIGNED: what the task that has ended leaves to its next run beside the offsets, at most 64 KiB. The next
   * status takes it away. Kafka Connect passes it over.
   */
  readonly handOver?: string
}

export interface StatusStore {
  start(signal: AbortSignal): Promise<void>
  /** Reads up to the present end of the topic. */
  refresh(signal?: AbortSignal): Promise<void>
  connector(connector: string): StatusEntry | null
  task(connector: string, task: number): StatusEntry | null
  tasks(connector: string): ReadonlyMap<number, StatusEntry>
  connectors(): readonly string[]
  /** Topics that a connector wrote to (`status-topic-…` records, KIP-558). */
  topics(connector: string): readonly string[]
  listen(listener: (connector: string, task: number | null) => void): () => void
  /** Resolves when written; an entry with a lower generation than the stored one is left out. Retries an outage until `signal`. */
  putConnector(connector: string, status: StatusEntry): Promise<void>
  putTask(connector: string, task: number, status: StatusEntry): Promise<void>
  putTopic(connector: string, task: number, topic: string): Promise<void>
  deleteTopics(connector: string): Promise<void>
  deleteConnector(connector: string): Promise<void>
  deleteTask(connector: string, task: number): Promise<void>
  stop(): Promise<void>
}

/** One write of the offsets topic: key and value bytes in Connect's format, for use inside a task's transaction. */
export interface OffsetRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

export interface OffsetStore {
  start(signal: AbortSignal): Promise<void>
  /** Reads to the present end (read_committed), so that a new owner sees the former one's last commit. */
  refresh(signal?: AbortSignal): Promise<void>
  /** All partitions of a connector. */
  offsets(connector: string): readonly OffsetEntry[]
  /** The offset of one partition, by value; null when there is none. */
  offset(connector: string, partition: SourcePartition): SourceOffset | null
  /** The records that `entries` become; written by the caller, in its transaction or with `write`. */
  encode(connector: string, entries: readonly OffsetEntry[]): OffsetRecord[]
  /** Writes outside a transaction; retries an outage until `signal`. */
  write(connector: string, entries: readonly OffsetEntry[], signal?: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/** What a worker publishes of a plugin, as data. */
export interface PluginEntry {
  readonly class: string
  readonly aliases: readonly string[]
  readonly type: 'source' | 'sink' | 'converter' | 'header_converter' | 'transformation' | 'predicate'
  readonly version: string
  readonly spec: ConfigSpecData
  /** Name of the service that runs it, `grpc-ingest`: its group is `<cluster>-<service>`. `*`: every worker has it. */
  readonly service: string
}

export interface PluginStore {
  start(signal: AbortSignal): Promise<void>
  /** Highest version of each class. */
  plugins(): readonly PluginEntry[]
  /** By class, alias, simple name, or that without `Connector`. */
  find(name: string): PluginEntry | null
  listen(listener: () => void): () => void
  /** Written only when it differs from what is there. */
  publish(plugin: PluginEntry): Promise<void>
  stop(): Promise<void>
}
