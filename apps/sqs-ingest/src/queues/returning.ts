import type { ConfigError } from '@tributary/connect-api'
import type { SqsApi } from '../aws/sqs-api.ts'
import { sqsErrors } from '../errors.ts'
import type { Queue } from '../message.ts'
import type { SqsSettings } from '../settings/read.ts'

/** The settings that decide whether messages go back to their queue without being consumed. */
export type ReturnSettings = Pick<SqsSettings, 'sqs.mode' | 'sqs.filter.unmatched' | 'sqs.message.filter.policy'>

type ReturningKey = 'sqs.mode' | 'sqs.filter.unmatched'

/** Which setting returns messages to their queue; null: none. */
function returningKey(config: ReturnSettings): ReturningKey | null {
  if (config['sqs.mode'] === 'mirror') return 'sqs.mode'
  const keeps = config['sqs.message.filter.policy'] !== null && config['sqs.filter.unmatched'] === 'keep'
  return keeps ? 'sqs.filter.unmatched' : null
}

/** The error for a FIFO queue whose messages would go back, since each of them holds up its group. null: there is none. */
export function fifoReturnError({ name, fifo }: Omit<Queue, 'url'>, config: ReturnSettings): ConfigError | null {
  const key = returningKey(config)
  return key === null || !fifo
    ? null
    : refusal(key, config, `a message of FIFO queue ${name} that goes back holds up its group`)
}

/**
 * Rejects with a ConfigError if messages would go back to a queue that bears it badly: a FIFO queue, or one with a RedrivePolicy, which
 * counts each receive and moves messages to its dead-letter queue. Asks SQS only if messages go back at all.
 */
export async function checkReturning(
  queue: Queue,
  config: ReturnSettings,
  sqs: Pick<SqsApi, 'queueAttributes'>,
  signal: AbortSignal,
): Promise<void> {
  const key = returningKey(config)
  if (key === null) return
  const fifo = fifoReturnError(queue, config)
  if (fifo !== null) throw fifo
  const { RedrivePolicy: policy } = await sqs.queueAttributes(queue.url, ['RedrivePolicy'], signal)
  if (policy === undefined || policy === '') return
  const limit = /"maxReceiveCount"\s*:\s*"?(\d+)/.exec(policy)?.[1]
  const after = limit === undefined ? '' : ` after ${limit} receives`
  throw refusal(key, config, `the RedrivePolicy of queue ${queue.name} moves messages to its dead-letter queue${after}`)
}

function refusal(key: ReturningKey, config: ReturnSettings, why: string): ConfigError {
  const instead = key === 'sqs.mode' ? 'read a queue of your own, such as a second subscription of the topic' : 'set delete or dlq' // prettier-ignore
  const message = `Invalid value ${config[key]} for configuration ${key}: ${why}; ${instead}`
  return sqsErrors.SQS_QUEUE_SHARED(message, { field: key })
}
