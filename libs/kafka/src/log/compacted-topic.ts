import { sleep } from '@tributary/async'
import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { KafkaAdmin, type NewTopic } from '../admin/admin.ts'
import { Backoff } from '../cluster/backoff.ts'
import { KafkaError } from '../cluster/errors.ts'

/** A compacted topic. -1 partitions or replicas: the default of the broker. */
export interface CompactedTopic extends Omit<NewTopic, 'configs'> {
  /** The name that an earlier version gave the topic. If a topic of this name exists and none of `name`, it is used. */
  readonly formerName?: string
}

/**
 * Creates the topic when it is missing. Resolves to the name of the topic to use. Rejects a topic whose cleanup.policy is not `compact`, as Kafka Connect does: a
 * topic that deletes by age forgets connectors. An outage is waited for until `signal` aborts.
 */
export async function ensureCompactedTopic(
  connection: KafkaConnection,
  topic: CompactedTopic,
  log: Logger,
  signal: AbortSignal,
): Promise<string> {
  const admin = new KafkaAdmin(connection, { timeoutMs: 10_000 })
  const backoff = new Backoff()
  try {
    for (;;) {
      try {
        return await ensureOnce(admin, connection, topic, log, signal)
      } catch (error) {
        if (!(error instanceof KafkaError) || !error.retriable || signal.aborted) throw error
        if (backoff.attempts === 0) log.warn('topic_unreachable', { topic: topic.name, error: error.message })
        await sleep(backoff.next(), signal)
      }
    }
  } finally {
    await admin.close()
  }
}

const COMPACT = { 'cleanup.policy': 'compact' }
/**
 * A start reads all that the topic holds. A broker compacts no segment that is still written to, which is one of 1 GiB or seven days by
 * default.
 */
const SOON_COMPACTED = { ...COMPACT, 'max.compaction.lag.ms': '3600000' }
/** Answers of a broker, or of its policy (KIP-108), that does not allow these settings. */
const SETTINGS_REFUSED: ReadonlySet<string> = new Set(['INVALID_CONFIG', 'POLICY_VIOLATION'])

/** Creates the topic so that it holds little more than what is live, an hour back; as the broker compacts it where that is refused. */
export async function createCompacted(
  admin: Pick<KafkaAdmin, 'createTopic'>,
  topic: NewTopic,
  log: Logger,
  signal: AbortSignal,
  mark: Readonly<Record<string, string>> = {},
): Promise<void> {
  try {
    await admin.createTopic({ ...topic, configs: { ...SOON_COMPACTED, ...mark } }, signal)
  } catch (error) {
    if (!(error instanceof KafkaError) || !SETTINGS_REFUSED.has(error.code)) throw error
    log.warn('topic_settings_refused', { topic: topic.name, error: error.message })
    await admin.createTopic({ ...topic, configs: COMPACT }, signal)
  }
}

/** The name under which the topic exists: its own or the former one; null for neither. */
export async function existingName(
  admin: Pick<KafkaAdmin, 'describeTopics'>,
  { name, formerName }: Pick<CompactedTopic, 'name' | 'formerName'>,
  signal: AbortSignal,
): Promise<string | null> {
  const exists = async (each: string): Promise<boolean> =>
    (await admin.describeTopics([each], signal)).get(each) !== null
  if (await exists(name)) return name
  return formerName !== undefined && (await exists(formerName).catch(nullIfForbidden)) ? formerName : null
}

/**
 * The mark of a topic that was created again and does not hold everything yet: the lag has no other effect. Nothing else in
 * Kafka says that of an empty topic.
 */
const MARK = 'min.compaction.lag.ms'
const INCOMPLETE = { [MARK]: '1' } as const

/** Whether `createAgain` or `markIncomplete` has marked the topic, and nobody has called `markComplete`. False when this user may not know. */
export async function isIncomplete(
  admin: Pick<KafkaAdmin, 'topicConfig'>,
  topic: string,
  signal: AbortSignal,
): Promise<boolean> {
  const config = await admin.topicConfig(topic, [MARK], signal).catch(nullIfForbidden)
  return config?.get(MARK) === INCOMPLETE[MARK]
}

/**
 * Creates a topic that was deleted, marked as incomplete. If somebody else has created it with another policy
 * (auto.create.topics.enable), makes it compacted.
 */
export async function createAgain(
  connection: KafkaConnection,
  topic: NewTopic,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const admin = new KafkaAdmin(connection, { timeoutMs: 10_000 })
  try {
    if ((await existingName(admin, topic, signal)) === null) {
      await createCompacted(admin, topic, log, signal, INCOMPLETE)
      log.info('topic_created', { topic: topic.name })
    }
    const policy = await cleanupPolicy(admin, topic.name, log, signal)
    if (policy === null || policy === 'compact') return
    await admin.alterTopicConfig(topic.name, { ...COMPACT, ...INCOMPLETE }, signal)
    log.warn('topic_policy_mended', { topic: topic.name, from: policy, to: 'compact' })
  } finally {
    await admin.close()
  }
}

/** Marks a topic that somebody else has created. A user that may not do that can do without. */
export async function markIncomplete(connection: KafkaConnection, topic: string, signal: AbortSignal): Promise<void> {
  const admin = new KafkaAdmin(connection, { timeoutMs: 10_000 })
  try {
    if (await isIncomplete(admin, topic, signal)) return
    await admin.alterTopicConfig(topic, INCOMPLETE, signal).catch(nullIfForbidden)
  } finally {
    await admin.close()
  }
}

/** Removes the mark of a topic that now holds everything. */
export async function markComplete(connection: KafkaConnection, topic: string, signal: AbortSignal): Promise<void> {
  const admin = new KafkaAdmin(connection, { timeoutMs: 10_000 })
  try {
    if (await isIncomplete(admin, topic, signal)) await admin.alterTopicConfig(topic, { [MARK]: null }, signal)
  } finally {
    await admin.close()
  }
}

async function ensureOnce(
  admin: KafkaAdmin,
  connection: KafkaConnection,
  topic: CompactedTopic,
  log: Logger,
  signal: AbortSignal,
): Promise<string> {
  const name = await existingName(admin, topic, signal)
  if (name === null) {
    await createCompacted(admin, topic, log, signal)
    log.info('topic_created', { topic: topic.name })
    return topic.name
  }
  const policy = await cleanupPolicy(admin, name, log, signal)
  if (policy === null || policy === 'compact') return name
  const command =
    `kafka-configs.sh --bootstrap-server ${connection.brokers[0]} --alter --entity-type topics ` +
    `--entity-name ${name} --add-config cleanup.policy=compact`
  throw new KafkaError(
    'INVALID_CONFIG',
    `Topic '${name}' has 'cleanup.policy=${policy}', but state kept in it would get lost over time: it must have ` +
      `'cleanup.policy=compact'. Run: ${command}`,
    false,
  )
}

/** A user that may not even see a topic has never used it. */
function nullIfForbidden(error: unknown): null {
  if (error instanceof KafkaError && error.code.endsWith('_AUTHORIZATION_FAILED')) return null
  throw error
}

/** The policy; null when this user may not read it. Connect then uses the topic as it is, and so does this function. */
async function cleanupPolicy(
  admin: KafkaAdmin,
  topic: string,
  log: Logger,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    return (await admin.topicConfig(topic, ['cleanup.policy'], signal)).get('cleanup.policy') ?? null
  } catch (error) {
    if (!(error instanceof KafkaError) || !error.code.endsWith('_AUTHORIZATION_FAILED')) throw error
    log.warn('topic_policy_unknown', { topic, error: error.message })
    return null
  }
}
