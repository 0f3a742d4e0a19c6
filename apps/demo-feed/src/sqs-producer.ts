import { setTimeout as sleep } from 'node:timers/promises'
import { CreateQueueCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Logger } from '@tributary/telemetry'
import { nowMs, OpenLoop } from './open-loop.ts'
import { DEFAULT_SYMBOLS, jsonOf, quoteOf } from './quotes.ts'

/** Messages a second, and in one request, which is as many as SQS takes. */
const RATE = 20
const BATCH = 10
const RETRY_MS = 1000
const FIRST_TRY_MS = 5000

export interface SqsProducerOptions {
  /** `http://127.0.0.1:9324` */
  readonly endpoint: string
  /** The queue is created if it is not there. */
  readonly queue: string
  readonly log: Logger
}

/**
 * Sends quotes as JSON to an SQS queue, as far as SQS takes them: while it is away, quotes are left out. Their numbers are counted
 * since 1970. Region and credentials are those of the SDK's chain.
 */
export class SqsProducer {
  readonly #options: SqsProducerOptions
  readonly #client: SQSClient
  readonly #stopping = new AbortController()
  #done = Promise.resolve()
  #problem = ''
  #url: string | undefined
  /** Messages that SQS has taken. */
  sent = 0

  private constructor(options: SqsProducerOptions) {
    this.#options = options
    this.#client = new SQSClient({ endpoint: options.endpoint, region: process.env['AWS_REGION'] ?? 'us-east-1' })
  }

  /** Resolves when the queue is there, or the first try to create it has failed. */
  static async start(options: SqsProducerOptions): Promise<SqsProducer> {
    const producer = new SqsProducer(options)
    await producer.#attempt(() => producer.#createQueue(AbortSignal.timeout(FIRST_TRY_MS)))
    producer.#done = producer.#run()
    return producer
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#done
    this.#client.destroy()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      if (!(await this.#attempt(() => this.#send(signal)))) {
        this.#url = undefined
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  /** @returns whether it worked. The log gets each new reason once. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      this.#problem = ''
      return true
    } catch (error) {
      const { message } = error as Error
      const isNew = message !== this.#problem && !this.#stopping.signal.aborted
      if (isNew) this.#options.log.warn('sqs_send_failed', { error: message })
      this.#problem = message
      return false
    }
  }

  async #createQueue(abortSignal: AbortSignal): Promise<void> {
    const command = new CreateQueueCommand({ QueueName: this.#options.queue })
    this.#url = (await this.#client.send(command, { abortSignal })).QueueUrl
  }

  /** Waits until a batch is due, and sends it. */
  async #send(abortSignal: AbortSignal): Promise<void> {
    const loop = new OpenLoop(RATE, 0)
    const first = Math.ceil((nowMs() / 1000) * RATE)
    await loop.due(first + BATCH - 1, abortSignal)
    if (this.#url === undefined) await this.#createQueue(abortSignal)
    const Entries = Array.from({ length: BATCH }, (_, i) => {
      const quote = quoteOf({ symbols: DEFAULT_SYMBOLS, padding: '' }, first + i, loop.dueAt(first + i))
      return { Id: String(i), MessageBody: jsonOf(quote) }
    })
    await this.#client.send(new SendMessageBatchCommand({ QueueUrl: this.#url, Entries }), { abortSignal })
    this.sent += BATCH
  }
}
