import type { OffsetEntry, SourceOffset, SourcePartition } from '@tributary/connect-api'
import type { ConfigSpecData } from '@tributary/config'

/** A write to a store's topic. A null value is a tombstone. */
export interface StoreRecord {
  readonly key: string | Uint8Array
  readonly value: Uint8Array | null
}

/** The log of another store, whose records a store writes with its own: in one transaction, where it has transactions. */
export interface OtherLog {
  readonly topicName: string
  readonly partitionCount: number
  /** Whether the topic was deleted, and is not back yet. */
  readonly returning: boolean
  /** Throws INTERNAL_RECORD_REFUSED for a record that readers would skip. */
  check(record: StoreRecord): void
  /** Resolves when a deleted topic is back. Rejects as `append` does. */
  back(signal: AbortSignal): Promise<void>
  refresh(signal?: AbortSignal): Promise<void>
}

/** Records of another store that are written with a store's own, or not at all. */
export interface Beside {
  readonly log: OtherLog
  readonly records: readonly StoreRecord[]
}

/** The stores, each on a topic of its own. */
export type StoreName = 'configs' | 'offsets' | 'status' | 'plugins'
/** The last three are the control plane's alone; the access store only where API keys are on. */
export type InternalTopicName = StoreName | 'access' | 'dead-letters' | 'history'
export type TargetState = 'STARTED' | 'PAUSED' | 'STOPPED'
export type State = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'DESTROYED' | 'RESTARTING' | 'STOPPED'
export type ConnectorTaskId = `${string}-${number}`

/** A connector's configuration as stored: flat, with `name` and `connector.class`, references unresolved. */
export type ConnectorConfig = Readonly<Record<string, string>>

export interface RestartRequest {
  readonly connector: string
  readonly includeTasks: boolean
  readonly onlyFailed: boolean
  /** Ours: restart only this task. Kafka Connect does not know the field and ignores it. */
  readonly task?: number
}

/** The state that the config topic describes up to `appliedOffset`. Read only. */
export interface ConfigSnapshot {
  readonly appliedOffset: bigint
  connectors(): readonly string[]
  config(connector: string): ConnectorConfig | null
  /** STARTED when no target state was written. */
  targetState(connector: string): TargetState
  /** The task configs of the last complete set (`commit-`), by task number; [] when there is none. */
  tasks(connector: string): readonly ConnectorConfig[]
  /**
   * Every task number with a record in the topic, including tasks that the connector no longer has. A new set of tasks
   * fences the transactional ids of all of them (KIP-618).
   */
  taskNumbers(connector: string): ReadonlySet<number>
  /** Whether the connector's config is newer than the last complete set of tasks. */
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

/** The store of the config topic, byte-compatible with Kafka Connect 3.9. A write resolves when it was read back. */
export interface ConfigStore {
  readonly snapshot: ConfigSnapshot
  /**
   * Tails the topic, which is created if missing. Resolves when the end offset is reached that the topic had at the
   * start.
   */
  start(signal: AbortSignal): Promise<void>
  listen(listener: ConfigListener): () => void
  /** Reads up to the current end of the topic. */
  refresh(signal?: AbortSignal): Promise<void>
  /** `beside`: records of another store that are written with the configuration, or not at all. */
  putConnectorConfig(
    connector: string,
    config: ConnectorConfig,
    targetState?: TargetState,
    beside?: Beside,
  ): Promise<void>
  /** Writes tombstones for the config, the target state and the tasks. */
  removeConnector(connector: string, beside?: Beside): Promise<void>
  /** Writes nothing but these, as the writer of the config topic: one that another has fenced writes nothing. */
  writeBeside(beside: Beside): Promise<void>
  putTargetState(connector: string, state: TargetState): Promise<void>
  /**
   * Called by the connector's owner. Readers ignore a generation below the highest one that they saw for the connector.
   */
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
   * Ours: how often the connector or task has ended its process by holding the event loop. In a write, absent keeps the
   * stored count and 0 clears it. Kafka Connect ignores the field.
   */
  readonly stalls?: number
  /**
   * Ours, with UNASSIGNED: the hand-over state of the ended task for its next run, at most 64 KiB. The next status
   * removes it. Kafka Connect ignores the field.
   */
  readonly handOver?: string
}

export interface StatusStore {
  start(signal: AbortSignal): Promise<void>
  /** Reads up to the current end of the topic. */
  refresh(signal?: AbortSignal): Promise<void>
  connector(connector: string): StatusEntry | null
  task(connector: string, task: number): StatusEntry | null
  tasks(connector: string): ReadonlyMap<number, StatusEntry>
  connectors(): readonly string[]
  /** The topics to which a connector wrote (`status-topic-…` records, KIP-558). */
  topics(connector: string): readonly string[]
  listen(listener: (connector: string, task: number | null) => void): () => void
  /**
   * Resolves when the status was written and read back. Skips the write silently if it would put UNASSIGNED, FAILED or
   * DESTROYED over another worker's status that has a higher generation and arrived after this store's start (`putSafe`
   * of Kafka Connect). Every other write overwrites the stored status. Retries an outage until `stop`, or until the
   * signal of `start` aborts; the write then rejects.
   */
  putConnector(connector: string, status: StatusEntry): Promise<void>
  putTask(connector: string, task: number, status: StatusEntry): Promise<void>
  putTopic(connector: string, task: number, topic: string): Promise<void>
  deleteTopics(connector: string): Promise<void>
  deleteConnector(connector: string): Promise<void>
  deleteTask(connector: string, task: number): Promise<void>
  stop(): Promise<void>
}

/** One record of the offsets topic: key and value bytes in Connect's format, for a task's own transaction. */
export interface OffsetRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

export interface OffsetStore {
  /** Why no offset can be read or committed, in a sentence: the topic was deleted. null while it is there. */
  readonly trouble: string | null
  start(signal: AbortSignal): Promise<void>
  /** Reads to the current end (read_committed), so that a new owner sees its predecessor's last commit. */
  refresh(signal?: AbortSignal): Promise<void>
  /** The offsets of all partitions of a connector. */
  offsets(connector: string): readonly OffsetEntry[]
  /** The offset of one partition, compared by value; null when there is none. */
  offset(connector: string, partition: SourcePartition): SourceOffset | null
  /** Converts `entries` to records. The caller writes them in its own transaction, or calls `write` instead. */
  encode(connector: string, entries: readonly OffsetEntry[]): OffsetRecord[]
  /** Writes outside a transaction. Retries an outage until `signal` aborts. */
  write(connector: string, entries: readonly OffsetEntry[], signal?: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/** A plugin as a worker publishes it: data only. */
export interface PluginEntry {
  readonly class: string
  readonly aliases: readonly string[]
  readonly type: 'source' | 'sink' | 'converter' | 'header_converter' | 'transformation' | 'predicate'
  readonly version: string
  readonly spec: ConfigSpecData
  /**
   * Name of the service that runs the plugin, such as `grpc-ingest`; the service's group is `<cluster>-<service>`. `*`:
   * every worker has the plugin.
   */
  readonly service: string
}

export interface PluginStore {
  start(signal: AbortSignal): Promise<void>
  /** One version of each class: the highest that a live worker has, as far as `preferLive` was told, else the highest. */
  plugins(): readonly PluginEntry[]
  /** All versions of all classes. */
  versions(): readonly PluginEntry[]
  /** Says which entries a live worker has. The answer is kept until the next call, or until an entry changes. */
  preferLive(isLive: (plugin: PluginEntry) => boolean): void
  /** Finds a plugin by class, alias, simple name, or simple name without `Connector`. */
  find(name: string): PluginEntry | null
  listen(listener: () => void): () => void
  /** Writes the entry only when it differs from the stored one. */
  publish(plugin: PluginEntry): Promise<void>
  stop(): Promise<void>
}

/**
 * Why a version is there. `found`: the configuration was there before the history, or somebody who keeps no history has
 * changed it, such as a worker of Kafka Connect.
 */
export const CONFIG_CAUSES = ['create', 'update', 'patch', 'rollback', 'delete', 'found'] as const
export type ConfigCause = (typeof CONFIG_CAUSES)[number]

/** One version of a connector's configuration, without the configuration. */
export interface ConfigVersionInfo {
  /** From 1 on. A connector that is made anew goes on counting. */
  readonly version: number
  /** ms since the epoch. */
  readonly time: number
  /** The name of the identity; null: not known. */
  readonly author: string | null
  readonly cause: ConfigCause
  /** Of the request, as in the audit log; null: none. */
  readonly requestId: string | null
  /** The keys in which this version differs from the one before, sorted. */
  readonly changed: readonly string[]
  /** `rollback`: the version that it brought back. */
  readonly rollbackTo: number | null
}

export interface ConfigVersion extends ConfigVersionInfo {
  /** With `[hidden]` in place of secrets; null: the connector was deleted. */
  readonly config: ConnectorConfig | null
  /** The keys whose values are hidden, sorted. */
  readonly hidden: readonly string[]
  /** The configuration was too large for the topic: only its name and class are there. */
  readonly shortened: boolean
}

/** The store of the history topic. Its records are written with those of the config topic. */
export interface HistoryStore {
  /** Why the topic cannot be written, in a sentence; null while it can. */
  readonly trouble: string | null
  start(signal: AbortSignal): Promise<void>
  /** Reads up to the current end of the topic. */
  refresh(signal?: AbortSignal): Promise<void>
  /** The names that have versions, of connectors that exist and of others. */
  connectors(): readonly string[]
  /** The oldest first. */
  versions(connector: string): readonly ConfigVersionInfo[]
  version(connector: string, version: number): ConfigVersion | null
  latest(connector: string): ConfigVersion | null
  /** The records of these new versions, and the end of those that are too many. */
  records(connector: string, versions: readonly ConfigVersion[]): Beside
  stop(): Promise<void>
}

/** An API key, without its secret. Times are in ms since the epoch. */
export interface AccessKey {
  /** Letters, digits, `.`, `_` and `-`; at most 100. */
  readonly name: string
  /** The part of the key that finds it. */
  readonly id: string
  /** SHA-256 of the key's secret part, in hexadecimal digits. */
  readonly hash: string
  /** As text: `role[+configs][+records][:pattern]`. The control plane parses them. */
  readonly grants: readonly string[]
  readonly created: number
  /** The identity that made the key. */
  readonly createdBy: string
  /** null: never. */
  readonly expires: number | null
  /** null: the key is not revoked. */
  readonly revoked: number | null
}

export interface AccessStore {
  start(signal: AbortSignal): Promise<void>
  /** Reads up to the current end of the topic. */
  refresh(signal?: AbortSignal): Promise<void>
  /** All keys by name, expired and revoked ones included. */
  keys(): readonly AccessKey[]
  key(name: string): AccessKey | null
  keyOfId(id: string): AccessKey | null
  /** Writes the key in place of the one that has its name. Resolves when it was read back. */
  put(key: AccessKey, signal?: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/** A configuration before and after a change, its secrets masked. null: the connector was not there. */
/** A change of a configuration; with null before and after, of the target state of one connector among many. */
export interface AuditChange {
  readonly connector: string
  readonly before: ConnectorConfig | null
  readonly after: ConnectorConfig | null
}

/** What one request did, or several refused ones of the same kind. */
export interface AuditEntry {
  /** Of the request; the answer has it as `x-request-id`. */
  readonly id: string
  /** ms since the epoch. */
  readonly time: number
  /** The name of the identity; `anonymous` for none, and unproven for a failed login. */
  readonly who: string
  /** `PUT /connectors/{connector}/pause`, or `login`. */
  readonly action: string
  /** The path without its query. */
  readonly path: string
  readonly connector: string | null
  /** What else the request is about, such as an API key with its grants, a level, or offsets. */
  readonly about?: string
  /** The client's address. */
  readonly address: string
  /** What the header X-Forwarded-For says, which anybody may set. */
  readonly forwarded_for?: string
  /** The replica that the client asked, if it is not the one that carried the request out. */
  readonly via?: string
  /** host:port of the replica that wrote the entry. */
  readonly replica: string
  /** HTTP's. */
  readonly status: number
  /** `denied`: 401 or 403. */
  readonly outcome: 'done' | 'denied' | 'failed'
  readonly error?: string
  /** So many requests, the last one at `time`: refused ones are summed when there are many. */
  readonly count: number
  readonly changes: readonly AuditChange[]
  /** Texts were cut, or changes left out, because the record was too large. */
  readonly shortened?: boolean
}

export interface AuditQuery {
  /** Entries before this offset only; null: from the newest on. */
  readonly before: bigint | null
  /** ms since the epoch, inclusive; null: no bound. */
  readonly from: number | null
  readonly to: number | null
  readonly limit: number
  readonly matches: (entry: AuditEntry) => boolean
}

export interface AuditLog {
  /** Why nothing can be written, in a sentence; null while it can. */
  readonly trouble: string | null
  /** Resolves when the entry is written. Rejects when it is not within some seconds; it is then written later, if at all. */
  append(entry: AuditEntry): Promise<void>
  /** The newest entries first. `next`: where a further read goes on; null: there is nothing more. A read that finds little ends early. */
  read(query: AuditQuery): Promise<{ readonly entries: readonly AuditEntry[]; readonly next: bigint | null }>
}
