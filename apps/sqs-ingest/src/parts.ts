import type { TaskContext } from '@tributary/connect-api'
import { openAws } from './aws/clients.ts'
import { awsSettings } from './aws/settings.ts'
import { createConverter } from './convert/converter.ts'
import { dataMaker } from './convert/data.ts'
import { attributesToReceive, messageFilter } from './filter/message-filter.ts'
import { watched } from './metrics/watched-sqs.ts'
import { CheckedQueues } from './queues/checked-queues.ts'
import { previewOptions, previewSqs } from './preview.ts'
import { NamedQueues } from './queues/named-queues.ts'
import { shareOf } from './queues/task-share.ts'
import { SqsRecords } from './record.ts'
import { isJvmClass, readSettings, type SqsSettings } from './settings/read.ts'
import { warningsOf } from './settings/warnings.ts'
import { createCounters, type SqsTaskOptions, type SqsTaskParts } from './task-parts.ts'

/** Makes the parts of a task from its configuration; uses no network. Throws ConfigError. */
export async function taskParts(context: TaskContext): Promise<SqsTaskParts> {
  const { clock, config: props, log } = context
  const config = readSettings(props)
  for (const message of warningsOf(config, props)) log.warn('config_warning', { message })
  // The JVM connector had no quotas of policies.
  const filter = messageFilter(config, { quotas: !isJvmClass(props) })
  const aws = await openAws(awsSettings(config), { clock, attributeNames: attributeNames(config, filter) })
  const share = shareOf(props)
  const counters = createCounters()
  const named = new NamedQueues(config, aws.sqs, share, context.written)
  const previewed = context.preview && previewSqs(aws.sqs, { maxMessages: context.preview.maxRecords, clock })
  const { sqs, queues } = watched({
    context,
    sqs: previewed?.sqs ?? aws.sqs,
    queues: new CheckedQueues(named, config, aws.sqs),
    counters,
    // Of the tasks that share a queue, one asks for its depth.
    depthIntervalMs: previewed || (named.isShared && share.index > 0) ? 0 : config['sqs.queue.metrics.interval.ms'],
  })
  return {
    api: sqs,
    queues,
    converter: createConverter(config, {
      s3: () => aws.s3(),
      log,
      data: dataMaker(config, props, wouldChange(context)),
    }),
    filter: filter === null ? null : { matches: (message) => filter.matches(message), unmatched: config['sqs.filter.unmatched'] }, // prettier-ignore
    records: new SqsRecords({
      topic: config['kafka.topic'],
      partition: config['kafka.topic.partition'],
      attributes: config['sqs.message.attributes.enabled'],
      deadLetterTopic: config['dlq.topic'],
      maxRetries: config['max.retries'],
      log,
    }),
    options: context.preview ? previewOptions(optionsOf(config), context.preview.maxRecords) : optionsOf(config),
    counters,
    ...(previewed && { giveBack: previewed.giveBack, notGivenBack: previewed.notGivenBack }),
  }
}

/** In a preview: logs what a run would register. */
function wouldChange({ preview, log }: TaskContext): ((what: string) => void) | null {
  return preview === undefined ? null : (what) => log.info('preview_would_change', { what })
}

function attributeNames(config: SqsSettings, filter: ReturnType<typeof messageFilter>): readonly string[] {
  const { 'sqs.message.attributes.enabled': enabled, 'sqs.message.attribute.filter.names': wanted } = config
  return attributesToReceive({ enabled, wanted }, filter)
}

function optionsOf(config: SqsSettings): SqsTaskOptions {
  return {
    maxMessages: config['sqs.max.messages'],
    waitSeconds: config['sqs.wait.time.seconds'],
    visibilitySeconds: config['sqs.visibility.timeout.seconds'],
    maxLanes: config['sqs.receive.lanes.max'],
    pollIntervalMs: config['poll.interval.ms'],
    mode: config['sqs.mode'],
    deleteMessages: config['sqs.delete.messages'],
    maxConversions: config['message.claimcheck.parallel.max'],
    // The setting counts failures, so 3 is two more tries.
    maxRetries: Math.max(0, config['max.retries'] - 1),
    retryBackoffMs: config['retry.backoff.ms'],
    deadLetters: config['dlq.topic'] !== null,
    deduplicate: config['sqs.fifo.deduplication.enabled'],
    deduplicationWindowMs: config['sqs.fifo.deduplication.window.ms'],
    maxRecords: config['sqs.message.queue.size'],
    maxBytes: config['queue.max.bytes'],
    maxPollRecords: config['max.poll.records'],
  }
}
