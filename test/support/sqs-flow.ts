import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type SharedAws, sqsCall } from '@tributary/harness'
import { numbersIn } from './delivered.ts'
import { type KeptRecord, readPartition } from './kafka-topic.ts'
import { until } from './until.ts'

const DEPTH = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const

/** What a queue holds. */
export interface Depth {
  readonly visible: number
  readonly inFlight: number
}

export interface FlowOptions {
  /** More than 0: a FIFO queue, whose message n is of group `g<n mod groups>`. */
  readonly groups?: number
  /** The body of message n, which holds `"sequence":"n"`. */
  readonly body?: (n: number) => string
  /** Attributes of CreateQueue. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** What a topic has of the numbers that were sent. */
export interface Arrivals {
  readonly numbers: readonly number[]
  readonly lost: readonly number[]
  /** Records besides the first one of their number. */
  readonly twice: number
}

/** A queue of numbered messages, and the topic into which a connector reads it. */
export class SqsFlow {
  readonly queue: string
  readonly topic: string
  /** Messages that SQS has taken: the numbers from 1 to this. */
  sent = 0
  readonly #server: SharedAws
  readonly #brokers: readonly string[]
  readonly #options: FlowOptions
  #load: { readonly end: AbortController; readonly done: Promise<void> } | null = null

  private constructor(
    server: SharedAws,
    brokers: readonly string[],
    topic: string,
    queue: string,
    options: FlowOptions,
  ) {
    this.#server = server
    this.#brokers = brokers
    this.topic = topic
    this.queue = queue
    this.#options = options
  }

  /** `topic` has one partition and is there. */
  static async create(
    server: SharedAws,
    brokers: readonly string[],
    topic: string,
    options: FlowOptions = {},
  ): Promise<SqsFlow> {
    const fifo = (options.groups ?? 0) > 0
    const QueueName = `flow-${randomUUID().slice(0, 8)}${fifo ? '.fifo' : ''}`
    const Attributes = { ...(fifo ? { FifoQueue: 'true' } : {}), ...options.attributes }
    const { QueueUrl } = await sqsCall<{ QueueUrl: string }>(server.url, 'CreateQueue', { QueueName, Attributes })
    const flow = new SqsFlow(server, brokers, topic, QueueUrl, options)
    // A new topic may be known to the controller before it is known to the broker.
    await until(`${topic} can be read`, () => flow.records().then(() => true, () => false)) // prettier-ignore
    return flow
  }

  /** The keys of a connector that reads this queue. `at`: a proxy before the server. */
  config(at = this.#server.url): Record<string, string> {
    return {
      'connector.class': 'io.tributary.connect.sqs.SqsSourceConnector',
      'tasks.max': '1',
      'kafka.topic': this.topic,
      'sqs.queue.url': this.queue.replace(this.#server.url, at),
      'aws.region': this.#server.region,
      'aws.endpoint.override': at,
      'aws.access.key.id': 'test',
      'aws.secret.access.key': 'test',
    }
  }

  groupOf(n: number): string {
    return `g${n % (this.#options.groups ?? 1)}`
  }

  /** Sends the next `count` messages. Resolves when SQS has them. */
  async send(count: number): Promise<void> {
    for (const last = this.sent + count; this.sent < last;) await this.#sendBatch(Math.min(10, last - this.sent))
  }

  /** Sends batches of ten with a pause of `everyMs` until `end`. */
  load(everyMs: number): void {
    const end = new AbortController()
    const run = async (): Promise<void> => {
      while (!end.signal.aborted) {
        await this.#sendBatch(10)
        await sleep(everyMs, undefined, { signal: end.signal }).catch(() => undefined)
      }
    }
    this.#load = { end, done: run() }
  }

  /** Ends the load. @returns the last number. */
  async end(): Promise<number> {
    this.#load?.end.abort()
    await this.#load?.done
    this.#load = null
    return this.sent
  }

  async depth(): Promise<Depth> {
    const input = { QueueUrl: this.queue, AttributeNames: DEPTH }
    const { Attributes } = await sqsCall<{ Attributes: Record<string, string> }>(this.#server.url, 'GetQueueAttributes', input) // prettier-ignore
    const [visible, inFlight] = DEPTH.map((name) => Number(Attributes[name]))
    return { visible: visible!, inFlight: inFlight! }
  }

  /** Resolves when the queue is empty and nothing of it is in flight. `failing` says why this cannot happen any more. */
  async drained(failing: () => string | undefined = () => undefined): Promise<void> {
    await until(`${this.queue} is empty`, async () => {
      const problem = failing()
      if (problem !== undefined) throw new Error(problem)
      const { visible, inFlight } = await this.depth()
      return visible + inFlight === 0
    }, 180_000) // prettier-ignore
  }

  /** The records in the topic, as a read_committed consumer sees them. */
  records(): Promise<KeptRecord[]> {
    return readPartition(this.#brokers, this.topic, 0, { committed: true })
  }

  /** Resolves when the topic has `count` records. */
  async reached(count: number): Promise<void> {
    await until(`${this.topic} has ${count} records`, async () => (await this.records()).length >= count, 120_000)
  }

  async arrivals(): Promise<Arrivals> {
    const numbers = numbersIn(await this.records())
    const seen = new Set(numbers)
    const lost = Array.from({ length: this.sent }, (_, i) => i + 1).filter((n) => !seen.has(n))
    return { numbers, lost, twice: numbers.length - seen.size }
  }

  async #sendBatch(count: number): Promise<void> {
    const { groups = 0, body = (n) => `{"sequence":"${n}"}` } = this.#options
    const Entries = Array.from({ length: count }, (_, i) => {
      const n = this.sent + 1 + i
      const fifo = groups > 0 ? { MessageGroupId: this.groupOf(n), MessageDeduplicationId: String(n) } : {}
      return { Id: String(i), MessageBody: body(n), ...fifo }
    })
    const { Failed = [] } = await sqsCall<{ Failed?: unknown[] }>(this.#server.url, 'SendMessageBatch', { QueueUrl: this.queue, Entries }) // prettier-ignore
    if (Failed.length > 0) throw new Error(`SQS refused ${JSON.stringify(Failed)}`)
    this.sent += count
  }
}

/** The first numbers of each group that do not follow the first ones of all lower numbers of their group. */
export function outOfOrder(numbers: readonly number[], groupOf: (n: number) => string): number[] {
  const highest = new Map<string, number>()
  const seen = new Set<number>()
  return numbers.filter((n) => {
    if (seen.has(n)) return false
    seen.add(n)
    const group = groupOf(n)
    const late = n < (highest.get(group) ?? 0)
    highest.set(group, Math.max(n, highest.get(group) ?? 0))
    return late
  })
}
