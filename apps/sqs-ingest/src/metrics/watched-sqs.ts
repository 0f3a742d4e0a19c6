import type { TaskContext } from '@tributary/connect-api'
import type { SqsApi } from '../aws/sqs-api.ts'
import type { Queue } from '../message.ts'
import { QueueDepths } from '../queues/queue-depths.ts'
import type { QueueList, SqsCounters } from '../task-parts.ts'
import { MESSAGE_COUNTS, type MeasuredTask, showTask } from './task-metrics.ts'

/** The line `task_metrics`, which operators' guides name, and the questions for depths come this often. */
const PERIOD_MS = 30_000

export interface WatchedOptions {
  readonly context: TaskContext
  readonly sqs: SqsApi
  readonly queues: QueueList
  readonly counters: SqsCounters
  /** `sqs.queue.metrics.interval.ms`. */
  readonly depthIntervalMs: number
}

/**
 * Looks at a task from outside: ages of what it receives, depths of its queues, the log line each 30 s, and the gauges of scrapes. The
 * task uses `sqs` and `queues` in place of those that it was made with. `sqs.close` ends all of it.
 */
export function watched({ context, sqs, queues, counters, depthIntervalMs }: WatchedOptions): {
  readonly sqs: SqsApi
  readonly queues: QueueList
} {
  const depths = new QueueDepths(sqs, context.clock, depthIntervalMs)
  const oldestSentAt = new Map<string, number>()
  const task: MeasuredTask = { context, counters, depths, oldestSentAt }
  const hide = showTask(task)
  const ended = new AbortController()
  let present: readonly Queue[] | null = null
  return {
    queues: {
      lookAgainMs: queues.lookAgainMs,
      mayGo: (url) => queues.mayGo(url),
      async resolve(signal) {
        const found = await queues.resolve(signal)
        const first = present === null
        present = found
        if (first) void watch(task, () => present!, ended.signal)
        const names = new Set(found.map(({ name }) => name))
        for (const name of oldestSentAt.keys()) if (!names.has(name)) oldestSentAt.delete(name)
        return found
      },
    },
    sqs: {
      async receive(queue, request, signal) {
        const messages = await sqs.receive(queue, request, signal)
        let oldest = 0
        for (const { system } of messages) {
          const sentAt = Number(system['SentTimestamp'] ?? 0)
          if (oldest === 0 || (sentAt > 0 && sentAt < oldest)) oldest = sentAt
        }
        oldestSentAt.set(queue.name, oldest)
        return messages
      },
      deleteBatch: (...args) => sqs.deleteBatch(...args),
      changeVisibilityBatch: (...args) => sqs.changeVisibilityBatch(...args),
      queueUrl: (...args) => sqs.queueUrl(...args),
      queueAttributes: (...args) => sqs.queueAttributes(...args),
      listQueues: (...args) => sqs.listQueues(...args),
      close() {
        ended.abort()
        hide()
        sqs.close()
      },
    },
  }
}

/** Ends with the signal. A depth that cannot be asked for is told once, until it can be again. */
async function watch(task: MeasuredTask, queues: () => readonly Queue[], signal: AbortSignal): Promise<void> {
  const { context, depths } = task
  let told = false
  while (!signal.aborted) {
    try {
      await depths.maybeAsk(queues(), signal)
      told = false
    } catch (error) {
      if (signal.aborted) return
      if (!told) context.log.warn('sqs_depth_unknown', { error })
      told = true
    }
    try {
      await context.clock.sleep(PERIOD_MS, signal)
    } catch {
      return
    }
    const counts = Object.entries(MESSAGE_COUNTS).map(([name, read]) => [name, read(task)] as const)
    const { queueSize, queueCapacity } = context.stats
    context.log.info('task_metrics', { ...Object.fromEntries(counts), queue_size: queueSize, queue_capacity: queueCapacity }) // prettier-ignore
  }
}
