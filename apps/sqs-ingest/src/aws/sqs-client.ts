import type {
  BatchResultErrorEntry,
  Message,
  MessageSystemAttributeName,
  QueueAttributeName,
  SQSClient,
} from '@aws-sdk/client-sqs'
import type * as Sdk from '@aws-sdk/client-sqs'
import type { MessageAttribute, Queue, SqsMessage } from '../message.ts'
import type { SharedCredentials } from './credentials.ts'
import { type AwsAction, awsFailure, isExpired } from './failure.ts'
import type { AwsSettings } from './settings.ts'
import type { EntryFailure, ReceiveRequest, SqsApi, VisibilityChange } from './sqs-api.ts'

export interface SqsClientOptions {
  /** Names of message attributes to receive, as ReceiveMessage takes them: `All`, `prefix.*`, names; [] for none. */
  readonly attributeNames: readonly string[]
}

/** What `openAws` has made. */
export interface SqsClientParts {
  readonly sdk: typeof Sdk
  readonly client: SQSClient
  /** For receives, on connections of their own. */
  readonly receiver: SQSClient
  readonly credentials: Pick<SharedCredentials, 'forget'>
  readonly settings: Pick<AwsSettings, 'key' | 'role' | 'requestTimeoutMs'>
  readonly close: () => void
}

const SYSTEM_ATTRIBUTES = ['SentTimestamp', 'ApproximateReceiveCount', 'ApproximateFirstReceiveTimestamp', 'AWSTraceHeader'] as const satisfies MessageSystemAttributeName[] // prettier-ignore
const FIFO_ATTRIBUTES = [...SYSTEM_ATTRIBUTES, 'MessageGroupId', 'MessageDeduplicationId', 'SequenceNumber'] as const satisfies MessageSystemAttributeName[] // prettier-ignore

/** SQS does not know the delivery any more. An expired handle of a FIFO queue is an InvalidParameterValue, whose text tells. */
const GONE = /ReceiptHandleIsInvalid|MessageNotInflight|InvalidParameterValue.*(?:handle|expired)/is
const NO_SYSTEM_ATTRIBUTES: SqsMessage['system'] = {}
const NO_ATTRIBUTES: SqsMessage['attributes'] = {}

/** The calls of SQS by the AWS SDK. */
export class SqsClient implements SqsApi {
  readonly #parts: SqsClientParts
  readonly #attributeNames: string[]

  constructor(parts: SqsClientParts, { attributeNames }: SqsClientOptions) {
    this.#parts = parts
    this.#attributeNames = [...attributeNames]
  }

  async receive(queue: Queue, request: ReceiveRequest, signal: AbortSignal): Promise<SqsMessage[]> {
    const { sdk, receiver, settings } = this.#parts
    const command = new sdk.ReceiveMessageCommand({
      QueueUrl: queue.url,
      MaxNumberOfMessages: request.maxMessages,
      WaitTimeSeconds: request.waitSeconds,
      // 0 would give a message to several receivers at once: the queue's own timeout serves.
      ...(request.visibilitySeconds > 0 && { VisibilityTimeout: request.visibilitySeconds }),
      MessageSystemAttributeNames: [...(queue.fifo ? FIFO_ATTRIBUTES : SYSTEM_ATTRIBUTES)],
      ...(this.#attributeNames.length > 0 && { MessageAttributeNames: this.#attributeNames }),
      ...(request.attemptId !== undefined && { ReceiveRequestAttemptId: request.attemptId }),
    })
    const requestTimeout = request.waitSeconds * 1000 + settings.requestTimeoutMs
    const action = { what: 'receive messages from SQS', of: `queue ${queue.name}`, permission: 'sqs:ReceiveMessage' }
    const { Messages } = await this.#call(action, signal, () =>
      receiver.send(command, { abortSignal: signal, requestTimeout }),
    )
    return Messages?.map((message) => received(queue, message)) ?? []
  }

  async deleteBatch(queue: Queue, receiptHandles: readonly string[], signal: AbortSignal): Promise<EntryFailure[]> {
    const { sdk, client } = this.#parts
    const command = new sdk.DeleteMessageBatchCommand({
      QueueUrl: queue.url,
      Entries: receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle })),
    })
    const action = { what: 'delete messages from SQS', of: `queue ${queue.name}`, permission: 'sqs:DeleteMessage' }
    const { Failed } = await this.#call(action, signal, () => client.send(command, { abortSignal: signal }))
    return failures(Failed)
  }

  async changeVisibilityBatch(
    queue: Queue,
    changes: readonly VisibilityChange[],
    signal: AbortSignal,
  ): Promise<EntryFailure[]> {
    const { sdk, client } = this.#parts
    const command = new sdk.ChangeMessageVisibilityBatchCommand({
      QueueUrl: queue.url,
      Entries: changes.map(({ receiptHandle, visibilitySeconds }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: visibilitySeconds,
      })),
    })
    const action = {
      what: 'change the visibility of messages in SQS',
      of: `queue ${queue.name}`,
      permission: 'sqs:ChangeMessageVisibility',
    }
    const { Failed } = await this.#call(action, signal, () => client.send(command, { abortSignal: signal }))
    return failures(Failed)
  }

  /** Takes the name of a queue of the account, or the ARN of a queue. */
  async queueUrl(name: string, signal: AbortSignal): Promise<string> {
    const { sdk, client } = this.#parts
    const [, account, named] = ARN.exec(name) ?? []
    const command = new sdk.GetQueueUrlCommand({
      QueueName: named ?? name,
      ...(account !== undefined && { QueueOwnerAWSAccountId: account }),
    })
    const action = { what: 'find the SQS queue', of: name, permission: 'sqs:GetQueueUrl' }
    const { QueueUrl } = await this.#call(action, signal, () => client.send(command, { abortSignal: signal }))
    return QueueUrl!
  }

  async queueAttributes(
    url: string,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string | undefined>>> {
    const { sdk, client } = this.#parts
    const command = new sdk.GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: names as readonly QueueAttributeName[] as QueueAttributeName[],
    })
    const action = { what: 'look up the SQS queue', of: url, permission: 'sqs:GetQueueAttributes' }
    const { Attributes } = await this.#call(action, signal, () => client.send(command, { abortSignal: signal }))
    return Attributes ?? {}
  }

  async listQueues(prefix: string, signal: AbortSignal): Promise<string[]> {
    const { sdk, client } = this.#parts
    const action = {
      what: 'list SQS queues with the prefix',
      of: prefix,
      permission: 'sqs:ListQueues',
      field: 'sqs.queue.name.prefix',
    }
    const urls: string[] = []
    let NextToken: string | undefined
    do {
      const command = new sdk.ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 1000, NextToken })
      const page = await this.#call(action, signal, () => client.send(command, { abortSignal: signal }))
      urls.push(...(page.QueueUrls ?? []))
      NextToken = page.NextToken
    } while (NextToken !== undefined)
    return urls
  }

  close(): void {
    this.#parts.close()
  }

  /** Sends once more with new credentials when AWS calls the old ones expired, unless they are a static key, which nothing renews. */
  async #call<T>(action: AwsAction, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
    const { credentials, settings } = this.#parts
    try {
      return await send().catch((error: unknown) => {
        if (!isExpired(error) || (settings.key !== null && settings.role === null)) throw error
        credentials.forget()
        return send()
      })
    } catch (error) {
      signal.throwIfAborted()
      throw awsFailure(error, action)
    }
  }
}

/** arn:aws:sqs:<region>:<account>:<name> */
const ARN = /^arn:[a-z0-9-]+:sqs:[a-z0-9-]+:(\d{12}):(.+)$/

function received(queue: Queue, message: Message): SqsMessage {
  return {
    queue,
    id: message.MessageId!,
    receiptHandle: message.ReceiptHandle!,
    body: message.Body ?? '',
    md5OfBody: message.MD5OfBody ?? null,
    system: message.Attributes ?? NO_SYSTEM_ATTRIBUTES,
    attributes: message.MessageAttributes === undefined ? NO_ATTRIBUTES : attributesOf(message.MessageAttributes),
  }
}

function attributesOf(given: NonNullable<Message['MessageAttributes']>): SqsMessage['attributes'] {
  // Senders choose the names: `constructor` must find nothing.
  const attributes = Object.create(null) as Record<string, MessageAttribute>
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(given)) {
    attributes[name] = {
      dataType: DataType ?? 'String',
      ...(StringValue !== undefined && { stringValue: StringValue }),
      ...(BinaryValue !== undefined && { binaryValue: BinaryValue }),
    }
  }
  return attributes
}

function failures(failed: readonly BatchResultErrorEntry[] | undefined): EntryFailure[] {
  return (failed ?? []).map(({ Id, Code = '', Message = '', SenderFault }) => ({
    index: Number(Id),
    reason: GONE.test(`${Code} ${Message}`) ? 'gone' : SenderFault === true ? 'refused' : 'retriable',
    code: Code,
    message: Message,
  }))
}
