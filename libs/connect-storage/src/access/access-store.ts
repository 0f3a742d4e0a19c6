import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { accessKeyRecord } from './access-records.ts'
import { AccessState } from './access-state.ts'
import { StoreLog } from '../log/store-log.ts'
import { InternalTopics } from '../topics/internal-topics.ts'
import type { AccessKey, AccessStore } from '../types.ts'

export interface AccessStoreOptions {
  readonly connection: KafkaConnection
  readonly log: Logger
  /** As in StoresOptions. */
  readonly cluster: string
  /** The name of the topic; null: `<cluster>-connect-access`. */
  readonly topic: string | null
  /** Replicas with which the topic is created; -1 is the broker's default. */
  readonly replication: number
  /** As in StoresOptions. */
  readonly deletedWaitMs?: number
}

/**
 * The store of the access topic, which Kafka Connect does not have. The record of an API key has the key `key-<name>`.
 * Its value holds the SHA-256 of the key's secret. A revoked key keeps its record.
 */
export class KafkaAccessStore implements AccessStore {
  readonly #state = new AccessState()
  readonly #log: StoreLog

  constructor(options: AccessStoreOptions) {
    const { connection, log, cluster, topic: name, replication: replicationFactor, deletedWaitMs } = options
    const topic = { name: name ?? `${cluster}-connect-access`, partitions: 1, replicationFactor }
    const topics = new InternalTopics([{ ...topic, store: 'access' }], connection, log)
    this.#log = new StoreLog({
      connection,
      log,
      driver: 'tributary',
      topic,
      prepared: (signal) => topics.prepare(signal),
      returnId: `${cluster}-return-access`,
      deletedWaitMs,
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

  keys(): readonly AccessKey[] {
    return this.#state.keys()
  }

  key(name: string): AccessKey | null {
    return this.#state.key(name)
  }

  keyOfId(id: string): AccessKey | null {
    return this.#state.keyOfId(id)
  }

  put(key: AccessKey, signal?: AbortSignal): Promise<void> {
    return this.#log.append([accessKeyRecord(key)], signal)
  }

  stop(): Promise<void> {
    return this.#log.stop()
  }
}
