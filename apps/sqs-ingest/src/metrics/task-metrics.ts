import type { TaskContext } from '@tributary/connect-api'
import { observableGauge, type Observation } from '@tributary/telemetry'
import type { QueueDepths } from '../queues/queue-depths.ts'
import type { SqsCounters } from '../task-parts.ts'

/** What is shown of one task while it runs. */
export interface MeasuredTask {
  readonly context: Pick<TaskContext, 'connector' | 'task' | 'stats' | 'clock' | 'log'>
  readonly counters: SqsCounters
  readonly depths: QueueDepths
  /** When the oldest message of the last receive was sent, in ms since the epoch, by the name of its queue; 0: nothing came. */
  readonly oldestSentAt: ReadonlyMap<string, number>
}

/** Names and counts of the operators' guide to the JVM connector, which has them in words: messages-received, messages-sent, … */
export const MESSAGE_COUNTS = {
  messages_received: ({ context }) => context.stats.messagesReceived,
  messages_sent: ({ counters }) => counters.sent,
  /** Those that were given up: dead letters, and those that went back after their retries. */
  messages_failed: ({ counters }) => counters.failed - counters.retried,
  messages_deleted: ({ counters }) => counters.deleted,
  messages_retried: ({ counters }) => counters.retried,
  messages_deduplicated: ({ counters }) => counters.deduplicated,
  messages_filtered_out: ({ counters }) => counters.filtered,
} as const satisfies Readonly<Record<string, (task: MeasuredTask) => number>>

const PREFIX = 'kafka_connect_source_task_'

/** By connector and number. The last receives of a run may end after the next run has begun, and a series must be there once. */
const tasks = new Map<string, MeasuredTask>()
let registered = false

/** Shows the task in scrapes until the answer is called, or another run of it is shown. */
export function showTask(task: MeasuredTask): () => void {
  if (!registered) register()
  registered = true
  const { connector, task: number } = task.context
  const key = `${number} ${connector}`
  tasks.set(key, task)
  return () => {
    if (tasks.get(key) === task) tasks.delete(key)
  }
}

function register(): void {
  for (const [name, read] of Object.entries(MESSAGE_COUNTS)) {
    each(`${PREFIX}${name}_total`, `As documented for the connector: ${name.replaceAll('_', '-')}`, (task) => [
      { value: read(task), attributes: labels(task) },
    ])
  }
  const help = 'Time from the receive of a message to its acknowledgement by Kafka, in ms'
  each(`${PREFIX}processing_time_ms_bucket`, help, (task) =>
    task.counters.processing.cumulative().map(([le, value]) => ({ value, attributes: { ...labels(task), le } })),
  )
  each(`${PREFIX}processing_time_ms_sum`, help, (task) => [
    { value: task.counters.processing.sum, attributes: labels(task) },
  ])
  each(`${PREFIX}processing_time_ms_count`, help, (task) => [
    { value: task.counters.processing.count, attributes: labels(task) },
  ])
  each('tributary_sqs_receives', 'ReceiveMessage requests, each of which SQS charges for', (task) => [
    { value: task.counters.receives, attributes: labels(task) },
  ])
  each('tributary_sqs_empty_receives', 'Of these, those that brought nothing', (task) => [
    { value: task.counters.emptyReceives, attributes: labels(task) },
  ])
  for (const [name, depth] of [
    ['visible', 'visible'],
    ['not_visible', 'inFlight'],
    ['delayed', 'delayed'],
  ] as const) {
    // prettier-ignore
    each(`aws_sqs_approximate_number_of_messages_${name}`, `Messages of the queue that are ${name.replace('_', ' ')}`, (task) =>
      [...task.depths.depths].map(([queue, values]) => ({ value: values[depth], attributes: labels(task, queue) })),
    )
  }
  each(
    'aws_sqs_approximate_age_of_oldest_message',
    'Age of the oldest message of the last receive, in seconds',
    (task) =>
      [...task.oldestSentAt].map(([queue, sentAt]) => {
        const age = sentAt === 0 ? 0 : Math.max(0, task.context.clock.now() - sentAt) / 1000
        return { value: age, attributes: labels(task, queue) }
      }),
  )
}

function each(name: string, help: string, read: (task: MeasuredTask) => readonly Observation[]): void {
  observableGauge(name, help, () => [...tasks.values()].flatMap(read))
}

function labels({ context }: MeasuredTask, queue?: string): Record<string, string> {
  const task = { connector: context.connector, task: String(context.task) }
  return queue === undefined ? task : { ...task, queue_name: queue }
}
