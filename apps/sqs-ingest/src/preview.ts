import type { Clock, PreviewPolicy } from '@tributary/connect-api'
import type { SqsApi } from './aws/sqs-api.ts'
import { textOf } from './errors.ts'
import type { Queue } from './message.ts'
import { listOf, queueEntry, queueTexts } from './queues/queue-name.ts'
import type { SqsSettings } from './settings/read.ts'
import type { SqsTaskOptions } from './task-parts.ts'

/** How long a preview hides messages, in s: longer than it lasts. After that SQS shows them, even if the worker has died. */
const VISIBILITY_SECONDS = 20
/** A receive that would exceed the limit waits for so many ms, and brings nothing. */
const REST_MS = 50
/** Entries of one ChangeMessageVisibilityBatch. */
const BATCH = 10

const LEAVES =
  'Each message that was read is visible in its queue again, and its receive count is one higher. A redrive policy counts that receive, too.'
const DISTURBS =
  'a preview takes messages for up to 15 s that the running connector should get, and brings each nearer to the limit of its redrive policy'

/** What a preview means for the queues of a configuration. */
export function previewOf(config: SqsSettings): PreviewPolicy {
  const policy = { disturbs: DISTURBS, leaves: LEAVES }
  // A prefix may name any queue.
  if (listOf(config['sqs.queue.name.prefix']).length > 0) return policy
  const texts = queueTexts(config['sqs.queue.urls'], config['sqs.queue.url'])
  return { ...policy, sources: texts.map((text) => queueEntry(text)?.name ?? text) }
}

/** One lane a queue, short long polls, and no waits between the retries of a conversion. */
export function previewOptions(options: SqsTaskOptions, maxMessages: number): SqsTaskOptions {
  return {
    ...options,
    maxMessages: Math.min(options.maxMessages, maxMessages),
    waitSeconds: Math.min(options.waitSeconds, 1),
    visibilitySeconds: VISIBILITY_SECONDS,
    maxLanes: 1,
    retryBackoffMs: 1,
  }
}

interface PreviewSqs {
  readonly sqs: SqsApi
  readonly giveBack: () => Promise<void>
  readonly notGivenBack: () => string | null
}

/**
 * SQS for a preview: it receives `maxMessages` at most, deletes none, and hides all until `giveBack`, so that none of them is received twice.
 * What the task would delete, or return at once or later, waits for `giveBack` too.
 */
export function previewSqs(sqs: SqsApi, { maxMessages, clock }: { maxMessages: number; clock: Clock }): PreviewSqs {
  /** By queue: receipt handles by message id. */
  const held = new Map<Queue, Map<string, string>>()
  let asked = 0
  let failure: string | null = null

  const giveBack = async (queue: Queue, handles: readonly string[]): Promise<void> => {
    const changes = handles.map((receiptHandle) => ({ receiptHandle, visibilitySeconds: 0 }))
    try {
      const [failed] = await sqs.changeVisibilityBatch(queue, changes, NEVER)
      if (failed === undefined || failed.reason === 'gone') return
      failure = failed.message
    } catch (error) {
      failure = textOf(error)
    }
  }

  return {
    sqs: {
      async receive(queue, request, signal) {
        const max = Math.min(request.maxMessages, maxMessages - asked)
        if (max <= 0) {
          await clock.sleep(REST_MS, signal)
          return []
        }
        // Receives of several queues are under way at a time.
        asked += max
        let count = 0
        try {
          const messages = await sqs.receive(queue, { ...request, maxMessages: max }, signal)
          count = messages.length
          const handles = held.get(queue) ?? new Map<string, string>()
          held.set(queue, handles)
          for (const { id, receiptHandle } of messages) handles.set(id, receiptHandle)
          return messages
        } finally {
          asked -= max - count
        }
      },
      deleteBatch: () => Promise.resolve([]),
      changeVisibilityBatch: () => Promise.resolve([]),
      queueUrl: (...args) => sqs.queueUrl(...args),
      queueAttributes: (...args) => sqs.queueAttributes(...args),
      listQueues: (...args) => sqs.listQueues(...args),
      close: () => sqs.close(),
    },
    giveBack: async () => {
      const batches = [...held].flatMap(([queue, handles]) => {
        const all = [...handles.values()]
        return Array.from({ length: Math.ceil(all.length / BATCH) }, (_, i) => {
          return giveBack(queue, all.slice(i * BATCH, (i + 1) * BATCH))
        })
      })
      held.clear()
      await Promise.all(batches)
    },
    notGivenBack: () =>
      failure === null
        ? null
        : `Messages could not be returned, and are hidden for up to ${VISIBILITY_SECONDS} s: ${failure}.`,
  }
}

const NEVER = new AbortController().signal
