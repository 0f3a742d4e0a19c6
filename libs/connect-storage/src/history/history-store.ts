import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { readVersion, versionKey, versionRecord, versionTombstone } from './history-records.ts'
import { HistoryState } from './history-state.ts'
import { StoreLog } from '../log/store-log.ts'
import type { Beside } from '../types.ts'
import { InternalTopics } from '../topics/internal-topics.ts'
import type { ConfigVersion, ConfigVersionInfo, HistoryStore } from '../types.ts'

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

/**
 * The store of the history topic, which Kafka Connect does not have. A version has the key `version-<connector>-<number>`. It
 * has no producer: its records are written in the transaction that writes the configuration, so that there is never one
 * without the other, and a former leader writes neither.
 */
export class KafkaHistoryStore implements HistoryStore {
  readonly #state = new HistoryState()
  readonly #log: StoreLog
  readonly #kept: number

  constructor(options: HistoryStoreOptions) {
    const { connection, log, cluster, topic: name, replication: replicationFactor, deletedWaitMs } = options
    const topic = { name: name ?? `${cluster}-connect-history`, partitions: 1, replicationFactor }
    const topics = new InternalTopics([{ ...topic, store: 'history' }], connection, log)
    this.#kept = options.versions
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
    const newest = versions.at(-1)?.version ?? 0
    const old = this.#state.versions(connector).filter(({ version }) => version <= newest - this.#kept)
    const records = [
      ...versions.map((version) => versionRecord(connector, version)),
      ...old.map(({ version }) => versionTombstone(connector, version)),
    ]
    return { log: this.#log, records }
  }

  stop(): Promise<void> {
    return this.#log.stop()
  }
}
