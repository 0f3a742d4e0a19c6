import { type AwsServer, sqsCall, startElasticMq } from '@tributary/harness'
import type { ConnectorConfig } from '../support/rig.ts'
import { type Source, startSource } from '../streams/source.ts'

/** ElasticMQ, and a sender in Go that fills its queues. */
export class Queues {
  readonly #sqs: AwsServer
  readonly #source: Source
  #names = 0

  private constructor(sqs: AwsServer, source: Source) {
    this.#sqs = sqs
    this.#source = source
  }

  static async create(): Promise<Queues> {
    const [sqs, source] = await Promise.all([startElasticMq({ underLoad: true }), startSource()])
    return new Queues(sqs, source)
  }

  get server(): string {
    return this.#sqs.url
  }

  /** @returns the URL of a new, empty queue. */
  async queue(): Promise<string> {
    const QueueName = `bench-${++this.#names}`
    return (await sqsCall<{ QueueUrl: string }>(this.#sqs.url, 'CreateQueue', { QueueName })).QueueUrl
  }

  /** Sends `count` messages, `rate` a second or as fast as SQS takes them. Resolves when SQS has them all. */
  async send(queue: string, count: number, rate = 0): Promise<void> {
    const query = new URLSearchParams({ queue, count: String(count), rate: String(rate) })
    const answer = await fetch(`http://127.0.0.1:${this.#source.http}/sqs?${query.toString()}`)
    if (!answer.ok) throw new Error(await answer.text())
  }

  /** Resolves with the time (ms) at which the queue was empty, messages in flight included; NaN after a minute. */
  async emptied(queue: string): Promise<number> {
    const deadline = performance.now() + 60_000
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible']
    while (performance.now() < deadline) {
      const input = { QueueUrl: queue, AttributeNames: names }
      const { Attributes } = await sqsCall<{ Attributes: Record<string, string> }>(this.server, 'GetQueueAttributes', input) // prettier-ignore
      if (names.every((name) => Attributes[name] === '0')) return performance.now()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return NaN
  }

  async remove(queue: string): Promise<void> {
    await sqsCall(this.server, 'DeleteQueue', { QueueUrl: queue })
  }

  async close(): Promise<void> {
    await Promise.all([this.#sqs.stop(), this.#source.process.stop()])
  }
}

/** A connector of one queue and one task. */
export function connector(queue: string, topic: string, extra: Readonly<Record<string, string>> = {}): ConnectorConfig {
  return {
    name: 'bench',
    'connector.class': 'io.tributary.connect.sqs.SqsSourceConnector',
    'tasks.max': '1',
    'kafka.topic': topic,
    'sqs.queue.url': queue,
    'aws.endpoint.override': new URL(queue).origin,
    'aws.access.key.id': 'bench',
    'aws.secret.access.key': 'bench',
    ...extra,
  }
}
