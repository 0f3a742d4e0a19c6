import type { KafkaConnection } from '@tributary/config'
import type { KafkaProducer } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import { KafkaConfigStore } from './configs/config-store.ts'
import { KafkaOffsetStore } from './offsets/offset-store.ts'
import { KafkaPluginStore } from './plugins/plugin-store.ts'
import { KafkaStatusStore } from './status/status-store.ts'
import { type InternalTopic, InternalTopics } from './topics/internal-topics.ts'
import type { StoreLogOptions } from './log/store-log.ts'
import type { StoreName } from './types.ts'

export interface StoresOptions {
  readonly connection: KafkaConnection
  readonly log: Logger
  /** Prefix of the topics' names: `tributary` → `tributary-connect-configs`. */
  readonly cluster?: string
  /** Names that differ from `<cluster>-connect-<store>`. */
  readonly names?: Partial<Record<StoreName, string>>
  /** Partitions of a topic that the store creates; absent: 25, 5 and 1 as below. The config topic always has one. */
  readonly partitions?: Partial<Record<Exclude<StoreName, 'configs'>, number>>
  /** Replicas of topics that the stores create. -1, the default, is the broker's default. */
  readonly replication?: number
  /** Replicas of single topics, where they differ. */
  readonly replications?: Partial<Record<StoreName, number>>
  readonly driver?: KafkaProducer['driver']
  /**
   * Writes of the config topic are transactions of this id: the control plane's leader fences its predecessor by
   * `configs.claim`.
   */
  readonly transactionalId?: string
  /**
   * Called when the claim of the config topic is lost: another process has claimed the topic, or the end of a
   * transaction is in doubt.
   */
  readonly onConfigsLost?: (error: Error) => void
  /**
   * Called before each request that writes offsets. A worker without a lease must not write them, because other workers
   * may have its tasks.
   */
  readonly mayWriteOffsets?: () => boolean
  /**
   * How long a write waits for an internal topic that was deleted, in ms, before it rejects with INTERNAL_TOPIC_DELETED.
   * Absent: until the signal of the call aborts.
   */
  readonly deletedWaitMs?: number
}

export interface Stores {
  readonly configs: KafkaConfigStore
  readonly offsets: KafkaOffsetStore
  readonly status: KafkaStatusStore
  readonly plugins: KafkaPluginStore
}

export const STORES: readonly StoreName[] = ['configs', 'offsets', 'status', 'plugins']
/** Kafka Connect's partition counts. */
const PARTITIONS: Record<StoreName, number> = { configs: 1, offsets: 25, status: 5, plugins: 1 }

/**
 * The names of a store's topic. `connect` is in the default, so that operators find it where they look for Kafka
 * Connect's topics. Versions before had a shorter name, which is used where it exists.
 */
function namesOf(
  store: StoreName,
  { cluster = 'tributary', names }: StoresOptions,
): { readonly name: string; readonly formerName?: string } {
  const name = names?.[store]
  return name === undefined ? { name: `${cluster}-connect-${store}`, formerName: `${cluster}-${store}` } : { name }
}

/**
 * Creates the stores of a cluster, each with its own topic. None is started, so that a process starts only the stores
 * that it needs.
 */
export function createStores(options: StoresOptions): Stores {
  const { connection, log, cluster = 'tributary' } = options
  const topicOf = (store: StoreName): InternalTopic => ({
    store,
    ...namesOf(store, options),
    partitions: (store === 'configs' ? undefined : options.partitions?.[store]) ?? PARTITIONS[store],
    replicationFactor: options.replications?.[store] ?? options.replication ?? -1,
  })
  const topics = new InternalTopics(STORES.map(topicOf), connection, log)
  const parts = (store: StoreName): Omit<StoreLogOptions, 'onRecord'> => ({
    connection,
    log,
    driver: options.driver ?? 'tributary',
    topic: topicOf(store),
    prepared: (signal) => topics.prepare(signal),
    returnId: `${cluster}-return-${store}`,
    deletedWaitMs: options.deletedWaitMs,
  })
  return {
    configs: new KafkaConfigStore({
      ...parts('configs'),
      transactionalId: options.transactionalId,
      onWriterLost: options.onConfigsLost,
    }),
    offsets: new KafkaOffsetStore({ ...parts('offsets'), maySend: options.mayWriteOffsets }),
    status: new KafkaStatusStore(parts('status')),
    plugins: new KafkaPluginStore(parts('plugins')),
  }
}

/** Why an internal topic cannot be written, in a sentence; null while all can be. */
export function troubleOf(stores: Stores): string | null {
  return STORES.map((store) => stores[store].trouble).find((trouble) => trouble !== null) ?? null
}
