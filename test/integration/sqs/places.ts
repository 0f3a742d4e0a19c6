import { type SharedAws, sqsCall } from '@tributary/harness'
import { systemClock } from '@tributary/async'
import { openAws } from '../../../apps/sqs-ingest/src/aws/clients.ts'
import { type AwsSettings, awsSettings } from '../../../apps/sqs-ingest/src/aws/settings.ts'
import type { Queue } from '../../../apps/sqs-ingest/src/message.ts'
import { readSettings } from '../../../apps/sqs-ingest/src/settings/read.ts'
import type { Sent, SqsPlace } from '../../../apps/sqs-ingest/test/sqs-api-contract.ts'

/** The keys of a connector that lead to a server of the harness. */
function endpointOf({ url, region }: SharedAws): Record<string, string> {
  return {
    'aws.region': region,
    'aws.endpoint.override': url,
    'aws.access.key.id': 'test',
    'aws.secret.access.key': 'test',
  }
}

/** The settings that lead to a server of the harness, with further keys. */
export function settingsFor(server: SharedAws, more: Readonly<Record<string, string>> = {}): AwsSettings {
  const props = { ...endpointOf(server), 'sqs.queue.url': server.url, 'kafka.topic': 't', ...more }
  return awsSettings(readSettings(props))
}

/** A server of the harness, and the client as the source makes it. */
export async function sqsPlace(server: SharedAws, settings = settingsFor(server)): Promise<SqsPlace> {
  const { sqs } = await openAws(settings, { attributeNames: ['All'], clock: systemClock })
  return {
    api: sqs,
    createQueue: (name, attributes = {}) => createQueue(server, name, attributes),
    send: (queue, message) => send(server, queue, message),
    close: async () => sqs.close(),
  }
}

async function createQueue(server: SharedAws, name: string, given: Readonly<Record<string, string>>): Promise<Queue> {
  const fifo = name.endsWith('.fifo')
  const Attributes = { ...(fifo ? { FifoQueue: 'true' } : {}), ...given }
  const { QueueUrl } = await sqsCall<{ QueueUrl: string }>(server.url, 'CreateQueue', { QueueName: name, Attributes })
  return { url: QueueUrl, name, fifo }
}

async function send(server: SharedAws, queue: Queue, { body, group, id, attributes = {} }: Sent): Promise<void> {
  const entries = Object.entries(attributes).map(([key, StringValue]) => [key, { DataType: 'String', StringValue }])
  await sqsCall(server.url, 'SendMessage', {
    QueueUrl: queue.url,
    MessageBody: body,
    MessageAttributes: Object.fromEntries(entries) as object,
    ...(group === undefined ? {} : { MessageGroupId: group }),
    ...(id === undefined ? {} : { MessageDeduplicationId: id }),
  })
}
