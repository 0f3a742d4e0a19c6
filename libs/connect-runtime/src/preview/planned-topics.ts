import type { Props } from '@tributary/connect-api'
import type { InternalTopicCheck } from '@tributary/connect-storage'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import { Topics } from '../records/topics.ts'
import type { PreviewAnswer } from './answer.ts'

/** The part of KafkaAdmin that looks at topics. It creates none. */
export interface TopicReader {
  describeTopics(
    names: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, { readonly partitions: readonly unknown[] } | null>>
}

interface PlannedTopicsOptions {
  readonly reader: TopicReader
  readonly props: Props
  readonly config: SourceTaskConfig
  readonly internalTopic: InternalTopicCheck | undefined
}

/** The topics of a preview: `Topics` of a real run, whose missing topics are planned and not created. */
export class PlannedTopics {
  readonly topics: Topics
  /** Partitions of the topics that a real run would create; -1: as many as the broker's default says. */
  readonly #planned = new Map<string, number>()

  constructor({ reader, props, config, internalTopic }: PlannedTopicsOptions) {
    this.topics = new Topics({
      producer: { partitionCount: (topic, signal) => this.#count(reader, topic, signal) },
      admin: {
        createTopic: ({ name, partitions }) => {
          this.#planned.set(name, partitions)
          return Promise.resolve()
        },
      },
      config: props,
      creationEnabled: config.topicCreation,
      deadLetterTopic: config.deadLetterTopic,
      deadLetterReplication: config.deadLetterReplication,
      internalTopic,
      onTopic: () => {},
    })
  }

  /** Whether the number of partitions is known, on which the partition of a record depends. */
  isCounted(topic: string): boolean {
    return this.#planned.get(topic) !== -1
  }

  shown(): PreviewAnswer['topics'] {
    return [...this.topics.counts].map(([name, count]) => {
      return { name, exists: !this.#planned.has(name), partitions: this.isCounted(name) ? count : null }
    })
  }

  async #count(reader: TopicReader, topic: string, signal: AbortSignal): Promise<number> {
    const planned = this.#planned.get(topic)
    if (planned !== undefined) return Math.max(1, planned)
    const found = (await reader.describeTopics([topic], signal)).get(topic)
    if (found) return found.partitions.length
    throw Object.assign(new Error(`topic ${topic} does not exist`), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  }
}
