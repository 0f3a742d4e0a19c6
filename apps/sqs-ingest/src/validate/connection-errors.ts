import { abortable } from '@tributary/async'
import { ConfigError, type Clock, ConnectError, type FieldError } from '@tributary/connect-api'
import type { openAws } from '../aws/clients.ts'
import { awsSettings } from '../aws/settings.ts'
import type { SqsApi } from '../aws/sqs-api.ts'
import type { Queue } from '../message.ts'
import { NamedQueues } from '../queues/named-queues.ts'
import { checkReturning } from '../queues/returning.ts'
import type { SqsSettings } from '../settings/read.ts'
import { queueKey } from './settings-errors.ts'

/** The validate route must answer within some seconds, whatever aws.request.timeout.ms allows. */
const TIME_LIMIT_MS = 5000
/** Queues that are asked. Validation of a thousand queues would take too long. */
const MAX_QUEUES = 20

export interface ConnectionCheck {
  /** `openAws`, or what a test has in its place. */
  readonly open: typeof openAws
  readonly clock: Clock
}

/**
 * Asks for the queues, so that missing ones, refused credentials and another region are found. AWS out of reach, too slow or too busy
 * is an outage and no error: the task will wait, so a connector can be created before its network.
 */
export async function connectionErrors(
  config: SqsSettings,
  { open, clock }: ConnectionCheck,
  signal: AbortSignal,
): Promise<FieldError[]> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)])
  let sqs: SqsApi | null = null
  try {
    ;({ sqs } = await open(awsSettings(config), { attributeNames: [], clock }))
    const queues = await abortable(new NamedQueues(config, sqs, { index: 0, count: 1 }).resolve(until), until)
    const asked = queues.slice(0, MAX_QUEUES).map((queue) => ask(queue, config, sqs!, until))
    const results = await Promise.allSettled(asked.map((each) => abortable(each, until)))
    const errors = results.flatMap((result) => (result.status === 'rejected' ? fieldError(result.reason, config) : []))
    // One cause concerns many queues.
    return errors.filter(({ message }, at) => errors.findIndex((other) => other.message === message) === at)
  } catch (error) {
    return fieldError(error, config)
  } finally {
    sqs?.close()
  }
}

async function ask(queue: Queue, config: SqsSettings, sqs: SqsApi, signal: AbortSignal): Promise<void> {
  await checkReturning(queue, config, sqs, signal)
  try {
    await sqs.queueAttributes(queue.url, ['QueueArn'], signal)
  } catch (error) {
    // The task itself receives, deletes and changes visibility; a policy may well grant no more.
    if (!(error instanceof ConnectError && error.code === 'SQS_DENIED')) throw error
  }
}

/** The error on its key; none for an outage. Throws any other error. */
function fieldError(error: unknown, config: SqsSettings): FieldError[] {
  if (error instanceof ConfigError) return [{ field: error.field ?? queueKey(config), message: error.message }]
  if (error instanceof ConnectError && error.kind === 'retriable') return []
  if (error instanceof DOMException && error.name === 'TimeoutError') return []
  throw error
}
