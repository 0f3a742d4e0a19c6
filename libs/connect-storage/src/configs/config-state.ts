import type { ConfigRecord } from './config-records.ts'
import type { ConfigListener, ConfigSnapshot, ConnectorConfig, TargetState } from '../types.ts'

/**
 * The topic's content about one connector name. The entry of a removed connector stays until the last of its
 * tombstones.
 */
interface Entry {
  config: ConnectorConfig | null
  configFields: Readonly<Record<string, unknown>>
  configOffset: bigint
  targetState: TargetState | null
  targetStateFields: Readonly<Record<string, unknown>>
  tasks: readonly ConnectorConfig[]
  /** Offset of the last complete commit; -1 when there is none. */
  commitOffset: bigint
  /** Whether the topic holds a commit record, complete or not. */
  hasCommit: boolean
  /** Task configs since the last commit. The next commit applies them. */
  deferred: Map<number, ConnectorConfig>
  /** Every task number with a record in the topic, committed or not. */
  taskNumbers: Set<number>
  generation: number
}

/** A change of the state, as a call of a listener. */
export type ConfigChange = (listener: ConfigListener) => void

/**
 * The state to which the records of the config topic add up. A commit record applies task configs as a set. Compaction
 * may have removed some tasks of an old set. The set is then incomplete, and the connector has no tasks until its owner
 * writes new ones (as in Connect's KafkaConfigBackingStore).
 */
export class ConfigState implements ConfigSnapshot {
  readonly #entries = new Map<string, Entry>()
  #appliedOffset = -1n

  get appliedOffset(): bigint {
    return this.#appliedOffset
  }

  /** The names about which the topic holds a record, of connectors that exist and of others. */
  names(): readonly string[] {
    return [...this.#entries.keys()]
  }
  /** The number of these names. */
  get remembered(): number {
    return this.#entries.size
  }

  connectors(): readonly string[] {
    return [...this.#entries].filter(([, entry]) => entry.config !== null).map(([name]) => name)
  }
  config(connector: string): ConnectorConfig | null {
    return this.#entries.get(connector)?.config ?? null
  }
  targetState(connector: string): TargetState {
    return this.#entries.get(connector)?.targetState ?? 'STARTED'
  }
  tasks(connector: string): readonly ConnectorConfig[] {
    const entry = this.#entries.get(connector)
    // An owner that had not yet read the removal wrote the task set that follows the removal. A set may also stand
    // before its connector, because compaction keeps only the newest config record.
    return entry && entry.config !== null ? entry.tasks : []
  }
  tasksOutdated(connector: string): boolean {
    const entry = this.#entries.get(connector)
    return entry !== undefined && entry.config !== null && entry.commitOffset < entry.configOffset
  }

  /** The fields of the stored values that a new write must keep. */
  keptFields(connector: string): {
    config: Readonly<Record<string, unknown>>
    targetState: Readonly<Record<string, unknown>>
  } {
    const entry = this.#entries.get(connector)
    return { config: entry?.configFields ?? {}, targetState: entry?.targetStateFields ?? {} }
  }
  taskNumbers(connector: string): ReadonlySet<number> {
    return this.#entries.get(connector)?.taskNumbers ?? new Set()
  }
  /** The highest generation in the connector's task records; 0 without one. */
  generation(connector: string): number {
    return this.#entries.get(connector)?.generation ?? 0
  }

  /** Applies one record. Returns the change, or null when nothing changed. */
  apply(record: ConfigRecord, offset: bigint): ConfigChange | null {
    this.#appliedOffset = offset
    switch (record.kind) {
      case 'connector':
        return this.#applyConnector(record.connector, record.value, offset)
      case 'targetState': {
        const entry = this.#entry(record.connector)
        entry.targetState = record.value?.state ?? null
        entry.targetStateFields = record.value?.fields ?? {}
        this.#forget(record.connector, entry)
        // The connector's own tombstone accompanies this one and already notifies listeners of the removal.
        return record.value ? (listener) => listener.targetStateUpdated?.(record.connector) : null
      }
      case 'task':
        this.#applyTask(record.connector, record.task, record.value)
        return null
      case 'commit':
        return this.#applyCommit(record.connector, record.value, offset)
      case 'restart': {
        const { request } = record
        return request && ((listener) => listener.restartRequested?.(request))
      }
      case 'loggerLevel': {
        const { logger, level } = record
        return level === null ? null : (listener) => listener.loggerLevelSet?.(logger, level)
      }
      case 'foreign':
        return null
      default:
        record satisfies never
        return null
    }
  }

  #applyConnector(
    name: string,
    value: (ConfigRecord & { kind: 'connector' })['value'],
    offset: bigint,
  ): ConfigChange | null {
    const entry = this.#entry(name)
    if (value) {
      entry.config = value.properties
      entry.configFields = value.fields
      entry.configOffset = offset
      return (listener) => listener.connectorConfigUpdated?.(name)
    }
    const known = entry.config !== null
    entry.config = null
    entry.configFields = {}
    entry.tasks = []
    entry.commitOffset = -1n
    entry.deferred.clear()
    this.#forget(name, entry)
    return known ? (listener) => listener.connectorRemoved?.(name) : null
  }

  #applyTask(name: string, task: number, value: (ConfigRecord & { kind: 'task' })['value']): void {
    const entry = this.#entry(name)
    if (!value) {
      entry.taskNumbers.delete(task)
      entry.deferred.delete(task)
      this.#forget(name, entry)
      return
    }
    entry.taskNumbers.add(task)
    if (!admit(entry, value.generation)) return
    entry.deferred.set(task, value.properties)
  }

  #applyCommit(name: string, value: (ConfigRecord & { kind: 'commit' })['value'], offset: bigint): ConfigChange | null {
    const entry = this.#entry(name)
    entry.hasCommit = value !== null
    if (value && !admit(entry, value.generation)) return null
    const tasks = value && firstOf(entry.deferred, value.tasks)
    entry.deferred.clear()
    entry.tasks = tasks ?? []
    entry.commitOffset = tasks === null ? -1n : offset
    this.#forget(name, entry)
    return entry.config === null ? null : (listener) => listener.tasksUpdated?.(name)
  }

  /** Drops an entry that is empty. */
  #forget(name: string, entry: Entry): void {
    const { config, targetState, taskNumbers, hasCommit } = entry
    if (config === null && targetState === null && taskNumbers.size === 0 && !hasCommit) this.#entries.delete(name)
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name)
    if (!entry) {
      entry = {
        config: null,
        configFields: {},
        configOffset: -1n,
        targetState: null,
        targetStateFields: {},
        tasks: [],
        commitOffset: -1n,
        hasCommit: false,
        deferred: new Map(),
        taskNumbers: new Set(),
        generation: 0,
      }
      this.#entries.set(name, entry)
    }
    return entry
  }
}

/** The configs of the tasks 0 to `count` - 1; null when one is missing. The count may be that of a broken record. */
function firstOf(tasks: ReadonlyMap<number, ConnectorConfig>, count: number): ConnectorConfig[] | null {
  if (tasks.size < count) return null
  const found = Array.from({ length: count }, (_, n) => tasks.get(n)).filter((config) => config !== undefined)
  return found.length === count ? found : null
}

/**
 * False for the write of a predecessor whose successor has written already. Connect's records carry no generation and
 * are always accepted.
 */
function admit(entry: Entry, generation: number | null): boolean {
  if (generation === null) return true
  if (generation < entry.generation) return false
  entry.generation = generation
  return true
}
