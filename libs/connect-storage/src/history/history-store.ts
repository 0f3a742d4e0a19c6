import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { readVersion, versionKey, versionRecord, versionTombstone } from './history-records.ts'
import { HistoryState } from './history-state.ts'
import { StoreLog } from '../log/store-log.ts'
import { InternalTopics } from '../topics/internal-topics.ts'
import type { Beside, ConfigVersion, ConfigVersionInfo, HistoryStore, StoreRecord } from '../types.ts'

export interface HistoryStoreOptions {
  readonly connection: KafkaConnection
  readonly log: Logger
  /** As in StoresOptions. */
  readonly cluster: string
  /** The name of the topic; null: `<cluster>-connect-history`. */
  readonly topic: string | null
  /** Replicas with which the topic is created; -1 is the broker's default. */
  readonly replication: number
  /** Versions that are kept of a connector. */
  readonly versions: number
  /** As in StoresOptions. */
  readonly deletedWaitMs?: number
}

/** The history keeps the versions of so many deleted connectors: names that a program makes up have no end. */
const MAX_DELETED = 1000

/**
 * The store of the history topic, which Kafka Connect does not have. A version has the key `version-<connector>-<number>`. It
 * has no producer: its records are written in the transaction that writes the configuration, so that there is never one
 * without the other, and a former leader writes neither.
 */
export class KafkaHistoryStore implements HistoryStore {
  readonly #state = new HistoryState()
  readonly #log: StoreLog
  readonly #bounds: HistoryBounds

  constructor(options: HistoryStoreOptions) {
    const { connection, log, cluster, topic: name, replication: replicationFactor, deletedWaitMs } = options
    const topic = { name: name ?? `${cluster}-connect-history`, partitions: 1, replicationFactor }
    const topics = new InternalTopics([{ ...topic, store: 'history' }], connection, log)
    this.#bounds = { versions: options.versions, deleted: MAX_DELETED }
    this.#log = new StoreLog({
      connection,
      log,
      driver: 'tributary',
      topic,
      prepared: (signal) => topics.prepare(signal),
      returnId: `${cluster}-return-history`,
      deletedWaitMs,
      parse: (key, value) => {
        const about = versionKey(key)
        return about && value && readVersion(about.version, value)
      },
      onRecord: ({ value }, key) => this.#state.apply(key, value),
    })
  }

  /** See StoreLog. */
  get trouble(): string | null {
    return this.#log.trouble
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#log.start(signal)
  }

  refresh(signal?: AbortSignal): Promise<void> {
    return this.#log.refresh(signal)
  }

  connectors(): readonly string[] {
    return this.#state.connectors()
  }

  versions(connector: string): readonly ConfigVersionInfo[] {
    return this.#state.versions(connector)
  }

  version(connector: string, version: number): ConfigVersion | null {
    return this.#state.version(connector, version)
  }

  latest(connector: string): ConfigVersion | null {
    return this.#state.latest(connector)
  }

  records(connector: string, versions: readonly ConfigVersion[]): Beside {
    const records = newRecords(this.#state, connector, versions, this.#bounds)
    return { log: this.#log, records }
  }

  stop(): Promise<void> {
    return this.#log.stop()
  }
}

export interface HistoryBounds {
  /** Versions that are kept of a connector. */
  readonly versions: number
  /** Deleted connectors whose versions are kept. */
  readonly deleted: number
}

/** The records of new versions of a connector, and the tombstones of what then is beyond the bounds. */
export function newRecords(
  state: HistoryState,
  connector: string,
  versions: readonly ConfigVersion[],
  bounds: HistoryBounds,
): StoreRecord[] {
  const newest = versions.at(-1)
  if (newest === undefined) return []
  const others = newest.config === null ? state.deleted().filter((name) => name !== connector) : []
  const forgotten = others.slice(0, Math.max(0, others.length + 1 - bounds.deleted))
  const old = state.versions(connector).filter(({ version }) => version <= newest.version - bounds.versions)
  return [
    ...versions.map((version) => versionRecord(connector, version)),
    ...old.map(({ version }) => versionTombstone(connector, version)),
    ...forgotten.flatMap((name) => state.versions(name).map(({ version }) => versionTombstone(name, version))),
  ]
}
