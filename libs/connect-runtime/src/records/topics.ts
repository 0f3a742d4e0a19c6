import { backoffMs, systemClock } from '@tributary/async'
import { compilePattern, internalTopic as byNaming, PatternError } from '@tributary/config'
import type { InternalTopicCheck } from '@tributary/connect-storage'
import type { ConfigError, DataError } from '@tributary/connect-api'
import type { Polled, Props } from '@tributary/connect-api'
import type { KafkaProducer } from '@tributary/kafka-producer'
import { runtimeErrors } from '../errors.ts'

/** ms for which a number of partitions counts. */
const REFRESH_MS = 300_000

/**
 * Creates a topic. Resolves also when the topic exists already. -1 stands for the broker's default. Rejects with an error whose
 * `retriable` is true when Kafka did not answer.
 */
export interface TopicCreator {
  createTopic(
    topic: {
      name: string
      partitions: number
      replicationFactor: number
      configs: Readonly<Record<string, string>>
    },
    signal: AbortSignal,
  ): Promise<unknown>
}

export interface TopicsOptions {
  readonly producer: Pick<KafkaProducer, 'partitionCount'>
  readonly admin: TopicCreator
  readonly config: Props
  readonly creationEnabled: boolean
  readonly deadLetterTopic: string | null
  readonly deadLetterReplication: number
  /** Names the internal topics, which take no record of a connector, whatever made its topic. Absent: by their naming. */
  readonly internalTopic?: InternalTopicCheck | undefined
  /** Called for each topic before its first batch is sent (KIP-558). Called again for a topic when its metadata was read again. */
  readonly onTopic: (topic: string) => void
}

/** The number of partitions that stands for a topic that takes no records. */
export const REFUSED = 0

/** Knows the number of partitions of each target topic. Creates missing topics (`topic.creation.*`, KIP-158). */
export class Topics {
  readonly #options: TopicsOptions
  readonly #internalTopic: InternalTopicCheck
  readonly #counts = new Map<string, number>()
  #refreshedAt = 0

  constructor(options: TopicsOptions) {
    this.#options = options
    this.#internalTopic = options.internalTopic ?? byNaming
  }

  /** Partitions by topic; REFUSED for an internal topic. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  /** Looks up the topics of a batch that are not known yet. */
  async ensure(records: readonly (Polled | null)[], signal: AbortSignal): Promise<void> {
    if (Date.now() - this.#refreshedAt > REFRESH_MS) {
      this.#counts.clear()
      this.#refreshedAt = Date.now()
    }
    let last: string | undefined
    for (const record of records) {
      if (record === null || record.topic === last) continue
      last = record.topic
      if (!this.#counts.has(last)) await this.#lookUp(last, signal)
    }
  }

  /** Whether `ensure` would have nothing to look up. */
  know(records: readonly (Polled | null)[]): boolean {
    if (Date.now() - this.#refreshedAt > REFRESH_MS) return false
    let last: string | undefined
    for (let i = 0; i < records.length; i++) {
      const topic = records[i]?.topic
      if (topic === last || topic === undefined) continue
      if (!this.#counts.has(topic)) return false
      last = topic
    }
    return true
  }

  /** Throws INTERNAL_TOPIC_REFUSED for an internal topic. */
  async ensureTopic(topic: string, signal: AbortSignal): Promise<number> {
    if (!this.#counts.has(topic)) await this.#lookUp(topic, signal)
    const count = this.#counts.get(topic)!
    if (count === REFUSED) throw internalTopicRefused(this.#internalTopic(topic)!)
    return count
  }

  async #lookUp(topic: string, signal: AbortSignal): Promise<void> {
    const { producer, onTopic } = this.#options
    if (this.#internalTopic(topic) !== null) return void this.#counts.set(topic, REFUSED)
    let count: number
    try {
      count = await producer.partitionCount(topic, signal)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      if (!this.#options.creationEnabled) throw missingTopic(topic, error)
      await this.#create(topic, signal)
      count = await this.#countOfNew(topic, signal)
    }
    this.#counts.set(topic, count)
    onTopic(topic)
  }

  /** Creates a topic. Waits out an outage, as the producer does. */
  async #create(topic: string, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#options.admin.createTopic({ name: topic, ...this.#creation(topic) }, signal)
        return
      } catch (error) {
        signal.throwIfAborted()
        if ((error as { retriable?: unknown }).retriable !== true) throw error
        await systemClock.sleep(backoffMs(attempt, { baseMs: 100, maxMs: 10_000 }), signal)
      }
    }
  }

  /** Asks again for up to 5 s, since the metadata of a new topic takes a moment to reach all brokers. */
  async #countOfNew(topic: string, signal: AbortSignal): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#options.producer.partitionCount(topic, signal)
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'UNKNOWN_TOPIC_OR_PARTITION' || attempt === 100) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
        signal.throwIfAborted()
      }
    }
  }

  /** Settings of the first group in `topic.creation.groups` whose `include` matches and whose `exclude` does not, over `default`. */
  #creation(topic: string): { partitions: number; replicationFactor: number; configs: Record<string, string> } {
    const { config, deadLetterTopic, deadLetterReplication } = this.#options
    if (topic === deadLetterTopic) return { partitions: -1, replicationFactor: deadLetterReplication, configs: {} }
    const groups = (config['topic.creation.groups'] ?? '').split(',').map((g) => g.trim())
    const matches = (group: string, list: 'include' | 'exclude'): boolean =>
      matchesOne(topic, config, `topic.creation.${group}.${list}`)
    const group = groups.find((g) => g !== '' && matches(g, 'include') && !matches(g, 'exclude')) ?? 'default'
    const configs = new Map<string, string>()
    for (const from of ['default', group]) {
      const prefix = `topic.creation.${from}.`
      for (const [key, value] of Object.entries(config)) {
        const name = key.startsWith(prefix) ? key.slice(prefix.length) : ''
        if (name && !['include', 'exclude', 'partitions', 'replication.factor'].includes(name)) configs.set(name, value)
      }
    }
    const number = (name: string): number =>
      Number(config[`topic.creation.${group}.${name}`] ?? config[`topic.creation.default.${name}`] ?? -1)
    return {
      partitions: number('partitions'),
      replicationFactor: number('replication.factor'),
      configs: Object.fromEntries(configs),
    }
  }
}

/** Whether the topic's whole name matches one of the expressions that the value lists. Throws ConfigError on `key`. */
function matchesOne(topic: string, config: Props, key: string): boolean {
  const patterns = (config[key] ?? '').split(',').map((pattern) => pattern.trim())
  try {
    return patterns.some((pattern) => pattern !== '' && compilePattern(pattern, { whole: true }).test(topic))
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause
    const text = `Topic ${topic} cannot be created by ${key}: ${cause.message}`
    throw runtimeErrors.TOPIC_CREATION_PATTERN(text, { field: key, cause })
  }
}

/** A record for an internal topic is a bad record, since a source may choose the topic by what a server sends. */
export function recordRefused(topic: string): DataError {
  return runtimeErrors.RECORD_FOR_INTERNAL_TOPIC(`a record may not go to the internal topic ${topic}`)
}

export function internalTopicRefused(reason: string): ConfigError {
  return runtimeErrors.INTERNAL_TOPIC_REFUSED(reason)
}

function missingTopic(topic: string, cause: unknown): ConfigError {
  return runtimeErrors.TOPIC_MISSING(
    `topic ${topic} does not exist and topic.creation.enable=false; create it: kafka-topics.sh --bootstrap-server <broker> --create --topic ${topic}`,
    { cause },
  )
}
