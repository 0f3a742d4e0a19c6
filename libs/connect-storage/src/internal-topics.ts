import { backoffMs, sleep } from '@tributary/async'
import { type CompactedTopic, createCompacted, existingName, KafkaAdmin, KafkaError } from '@tributary/kafka'
import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { storageErrors } from './errors.ts'
import type { StoreName } from './stores.ts'

export interface InternalTopic extends CompactedTopic {
  readonly store: StoreName
}

export type TopicAdmin = Pick<KafkaAdmin, 'describeTopics' | 'listOffsets' | 'createTopic'>

/** What is lost without the topic, and the setting of its name. Nothing else holds the content of these two. */
const IRREPLACEABLE: Partial<Record<StoreName, { readonly setting: string; readonly loss: string }>> = {
  configs: { setting: 'config.storage.topic', loss: 'every connector would be forgotten' },
  offsets: { setting: 'offset.storage.topic', loss: 'every source would forget how far it was read' },
}

/** A topic that running processes make again appears within this time, in ms. */
const APPEARS_MS = 3000
const LOOK_MS = 250

/** A look at the internal topics and the creation of the missing ones, once for all stores of a process. */
export class InternalTopics {
  readonly #topics: readonly InternalTopic[]
  readonly #connection: KafkaConnection
  readonly #log: Logger
  #prepared: Promise<void> | null = null

  constructor(topics: readonly InternalTopic[], connection: KafkaConnection, log: Logger) {
    this.#topics = topics
    this.#connection = connection
    this.#log = log
  }

  /** The first caller's signal ends the work. An outage is waited for. Rejects with INTERNAL_TOPIC_MISSING. */
  prepare(signal: AbortSignal): Promise<void> {
    this.#prepared ??= this.#prepare(signal).catch((error: unknown) => {
      this.#prepared = null
      throw error
    })
    return this.#prepared
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    const admin = new KafkaAdmin(this.#connection, { timeoutMs: 10_000 })
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await prepareTopics(
            admin,
            this.#topics,
            { bootstrap: this.#connection.brokers[0]!, log: this.#log },
            signal,
          )
        } catch (error) {
          if (!(error instanceof KafkaError) || !error.retriable || signal.aborted) throw error
          if (attempt === 1) this.#log.warn('internal_topics_unreachable', { error: error.message })
          await sleep(backoffMs(attempt, { baseMs: 100, maxMs: 5000 }), signal)
        }
      }
    } finally {
      await admin.close()
    }
  }
}

/**
 * Creates the topics that are missing. Throws INTERNAL_TOPIC_MISSING when the configs or the offsets are missing while
 * another topic holds records, as KIP-1209 allows for Kafka Connect: creating them silently would start every source
 * anew. Topics without records are those of a first start that is under way. Statuses and plugins are written again by
 * the workers, so these topics never keep a new version from starting.
 */
export async function prepareTopics(
  admin: TopicAdmin,
  topics: readonly InternalTopic[],
  options: { readonly bootstrap: string; readonly log: Logger; readonly appearsMs?: number },
  signal: AbortSignal,
): Promise<void> {
  const { log, bootstrap, appearsMs = APPEARS_MS } = options
  const deadline = performance.now() + appearsMs
  for (;;) {
    const names = await Promise.all(topics.map(async (topic) => existingName(admin, topic, signal)))
    const missing = topics.filter((_, i) => names[i] === null)
    const present = names.filter((name) => name !== null)
    const witness = missing.length === 0 ? null : await firstWithRecords(admin, present, signal)
    const lost = witness === null ? undefined : missing.find(({ store }) => store in IRREPLACEABLE)
    if (lost === undefined) {
      for (const topic of missing) {
        await createCompacted(admin, topic, log, signal)
        log[witness === null ? 'info' : 'warn']('topic_created', { topic: topic.name })
      }
      return
    }
    if (performance.now() >= deadline) throw refusal(lost, witness!, bootstrap)
    log.warn('internal_topic_missing', { topic: lost.name, present: witness })
    await sleep(Math.min(LOOK_MS, appearsMs), signal)
  }
}

async function firstWithRecords(
  admin: TopicAdmin,
  names: readonly string[],
  signal: AbortSignal,
): Promise<string | null> {
  for (const name of names) {
    const ends = await admin.listOffsets(name, 'latest', signal)
    if ([...ends.values()].some((end) => end > 0n)) return name
  }
  return null
}

function refusal(
  { store, name, partitions, replicationFactor }: InternalTopic,
  witness: string,
  bootstrap: string,
): Error {
  const { setting, loss } = IRREPLACEABLE[store]!
  const replicas = replicationFactor === -1 ? '' : ` --replication-factor ${replicationFactor}`
  const command =
    `kafka-topics.sh --bootstrap-server ${bootstrap} --create --topic ${name} --partitions ${partitions}${replicas} ` +
    '--config cleanup.policy=compact'
  return storageErrors.INTERNAL_TOPIC_MISSING(
    `The internal topic ${name} (${store}) is missing, but ${witness} holds records: it was deleted, or ${setting} names ` +
      `another topic than before. Started without it, ${loss}. Correct ${setting}, or put the topic back from a backup; ` +
      `to accept the loss, create it empty: ${command}`,
  )
}
