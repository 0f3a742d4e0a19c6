import type { BrokerAddress, TopicMetadata, Wire } from '../wire/wire.ts'

/** Kafka's metadata.max.age.ms default. */
const MAX_AGE_MS = 5 * 60_000

interface CachedTopic {
  readonly leaders: readonly number[]
  readonly fetchedAt: number
  leadersStale: boolean
}

/** The leaders of partitions as last heard. At most one request for each topic is under way. */
export class Metadata {
  readonly #wire: Wire
  readonly #topics = new Map<string, CachedTopic>()
  readonly #brokers = new Map<number, BrokerAddress>()
  readonly #refreshing = new Map<string, Promise<CachedTopic>>()

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** The leader of a partition; null when the metadata must be refreshed: it is unknown, stale, or names no leader. */
  leader(topic: string, partition: number): BrokerAddress | null {
    const cached = this.#topics.get(topic)
    if (cached === undefined || cached.leadersStale) return null
    const nodeId = cached.leaders[partition]
    return nodeId === undefined ? null : (this.#brokers.get(nodeId) ?? null)
  }

  /** Marks the leaders of a topic as stale, so that `leader` returns null until the next refresh. */
  invalidate(topic: string): void {
    const cached = this.#topics.get(topic)
    if (cached !== undefined) cached.leadersStale = true
  }

  /**
   * Null when unknown, stale, or older than five minutes, because partitions can be added, or than `since`, because the topic may
   * have been deleted before. `since`: of `performance.now()`.
   */
  partitionCount(topic: string, since: number): number | null {
    const cached = this.#topics.get(topic)
    if (cached === undefined || cached.leadersStale) return null
    return cached.fetchedAt < Math.max(since, performance.now() - MAX_AGE_MS) ? null : cached.leaders.length
  }

  forget(topic: string): void {
    this.#topics.delete(topic)
  }

  /** Asks for the metadata, once. Throws like `Wire.metadata`. */
  async refresh(topic: string): Promise<{ readonly partitionCount: number }> {
    let refreshing = this.#refreshing.get(topic)
    if (refreshing === undefined) {
      refreshing = this.#fetch(topic).finally(() => this.#refreshing.delete(topic))
      this.#refreshing.set(topic, refreshing)
    }
    return { partitionCount: (await refreshing).leaders.length }
  }

  async #fetch(topic: string): Promise<CachedTopic> {
    const fetched: TopicMetadata = await this.#wire.metadata(topic)
    for (const broker of fetched.brokers) this.#brokers.set(broker.nodeId, broker)
    const cached = { leaders: fetched.leaders, fetchedAt: performance.now(), leadersStale: false }
    this.#topics.set(topic, cached)
    return cached
  }
}
