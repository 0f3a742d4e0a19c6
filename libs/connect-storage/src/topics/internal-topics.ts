import { backoffMs, sleep } from '@tributary/async'
import {
  type CompactedTopic,
  createCompacted,
  existingName,
  isIncomplete,
  KafkaAdmin,
  KafkaError,
} from '@tributary/kafka'
import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { storageErrors } from '../errors.ts'
import type { InternalTopicName } from '../types.ts'

export interface InternalTopic extends CompactedTopic {
  readonly store: InternalTopicName
}

export type TopicAdmin = Pick<KafkaAdmin, 'describeTopics' | 'listOffsets' | 'createTopic' | 'topicConfig'>

/** What is lost without the topic, and the setting of its name. Nothing else holds the content of these two. */
const IRREPLACEABLE: Partial<Record<InternalTopicName, { readonly setting: string; readonly loss: string }>> = {
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
    const look = await lookAt(admin, topics, signal)
    if (look.lost === null) {
      for (const { name } of look.missing)
        log[look.witness === null ? 'info' : 'warn']('internal_topic_missing', { topic: name })
      await Promise.all(look.missing.map((topic) => createCompacted(admin, topic, log, signal)))
      return
    }
    if (performance.now() >= deadline) throw refusal(look, bootstrap)
    log.warn('internal_topic_awaited', { topic: look.lost.name })
    await sleep(Math.min(LOOK_MS, appearsMs), signal)
  }
}

interface Look {
  readonly missing: readonly InternalTopic[]
  /** A topic that holds records, looked for when a topic is missing; null for none. */
  readonly witness: string | null
  /** A topic without which nothing may start, under the name that it has, or would get; null for none. */
  readonly lost: InternalTopic | null
  /** The lost topic exists: it was created again, and not written back. */
  readonly incomplete: boolean
}

async function lookAt(admin: TopicAdmin, topics: readonly InternalTopic[], signal: AbortSignal): Promise<Look> {
  const names = await Promise.all(topics.map((topic) => existingName(admin, topic, signal)))
  const missing = topics.filter((_, i) => names[i] === null)
  const witness =
    missing.length === 0
      ? null
      : await firstWithRecords(
          admin,
          names.filter((name) => name !== null),
          signal,
        )
  const lost = witness === null ? undefined : missing.find(({ store }) => store in IRREPLACEABLE)
  if (lost !== undefined) return { missing, witness, lost, incomplete: false }
  for (const [i, topic] of topics.entries()) {
    const name = names[i] ?? null
    if (name === null || !(topic.store in IRREPLACEABLE) || !(await isIncomplete(admin, name, signal))) continue
    return { missing, witness, lost: { ...topic, name }, incomplete: true }
  }
  return { missing, witness, lost: null, incomplete: false }
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

function refusal({ lost, witness, incomplete }: Look, bootstrap: string): Error {
  const { store, name, partitions, replicationFactor } = lost!
  const { setting, loss } = IRREPLACEABLE[store]!
  const tool = (script: string): string => `${script} --bootstrap-server ${bootstrap}`
  const replicas = replicationFactor === -1 ? '' : ` --replication-factor ${replicationFactor}`
  if (incomplete) {
    return storageErrors.INTERNAL_TOPIC_MISSING(
      `The internal topic ${name} (${store}) was deleted, and is not complete: the processes that made it again have not ` +
        `written it back. If they still run, start this process once they have. Started without its content, ${loss}. Put ` +
        `the content back from a backup, or accept the loss; then run: ${tool('kafka-configs.sh')} --alter --entity-type topics ` +
        `--entity-name ${name} --delete-config min.compaction.lag.ms`,
    )
  }
  return storageErrors.INTERNAL_TOPIC_MISSING(
    `The internal topic ${name} (${store}) is missing, but ${witness} holds records: it was deleted, or ${setting} names ` +
      `another topic than before. Started without it, ${loss}. Correct ${setting}, or put the topic back from a backup; ` +
      `to accept the loss, create it empty: ${tool('kafka-topics.sh')} --create --topic ${name} --partitions ${partitions}${replicas} ` +
      '--config cleanup.policy=compact',
  )
}
