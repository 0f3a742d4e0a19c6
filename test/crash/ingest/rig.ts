import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createStores, type Stores } from '@tributary/connect-storage'
import { temporaryFolder } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import { createTopic } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { type Delivered, deliveredTo } from '../../support/delivered.ts'
import { type Ingest, startIngest } from '../../support/ingest.ts'
import { type NumbersOptions, NumbersSource } from '../../support/numbers-source.ts'

export const long = process.env['TRIBUTARY_TEST_LONG'] === '1'

export type Delivery = 'at-least-once' | 'exactly-once'

const SHORT_SESSION_MS = '2000'

const quiet = createLogger({ name: 'crash', level: 'error' })

/** One source, and the connector that reads the source into a topic of its own. */
export interface Flow {
  readonly name: string
  readonly delivery: Delivery
  readonly source: NumbersSource
  readonly topic: string
}

export interface RigOptions {
  readonly brokers: readonly string[]
  /** Only with a broker that was started with SHORT_SESSIONS. */
  readonly shortSessions?: boolean
  /** More environment variables of the workers. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * A cluster with a random name. The test writes connectors to its config topic; its workers are grpc-ingest processes.
 */
export class Rig {
  readonly cluster = `crash-${randomUUID().slice(0, 8)}`
  readonly #t: TestContext
  readonly #options: RigOptions
  readonly #stores: Stores
  readonly #logs = temporaryFolder('crash')
  #starts = 0
  #running: Ingest | null = null

  private constructor(t: TestContext, options: RigOptions) {
    this.#t = t
    this.#options = options
    const connection = { brokers: options.brokers, clientId: this.cluster }
    this.#stores = createStores({ connection, log: quiet, cluster: this.cluster })
  }

  static async create(t: TestContext, options: RigOptions): Promise<Rig> {
    const rig = new Rig(t, options)
    const { configs, offsets } = rig.#stores
    t.after(() => Promise.all([configs.stop(), offsets.stop()]))
    await Promise.all([configs.start(t.signal), offsets.start(t.signal)])
    return rig
  }

  get offsetsTopic(): string {
    return `${this.cluster}-connect-offsets`
  }

  /** `extra` are additional keys of the connector's configuration. */
  async flow(delivery: Delivery, numbers: NumbersOptions, extra: Record<string, string> = {}): Promise<Flow> {
    const source = await NumbersSource.listen(numbers)
    this.#t.after(() => source.close())
    const topic = await createTopic(this.#options.brokers)
    await this.#stores.configs.putConnectorConfig(delivery, {
      name: delivery,
      ...source.config(),
      'kafka.topic': topic,
      ...(delivery === 'exactly-once' ? { 'exactly.once.support': 'required' } : {}),
      ...extra,
    })
    return { name: delivery, delivery, source, topic }
  }

  async start(): Promise<Ingest> {
    const ingest = await startIngest(join(this.#logs, `grpc-ingest-${++this.#starts}.log`), {
      KAFKA_BROKERS: this.#options.brokers.join(','),
      TRIBUTARY_CLUSTER: this.cluster,
      ...(this.#options.shortSessions === true
        ? { TRIBUTARY_SESSION_TIMEOUT_MS: SHORT_SESSION_MS, TRIBUTARY_HEARTBEAT_INTERVAL_MS: '200' }
        : {}),
      ...this.#options.env,
    })
    this.#t.after(() => ingest.child.kill())
    this.#running = ingest
    return ingest
  }

  /** The last number with a committed offset; 0 when there is none. */
  committed({ name }: Flow): number {
    return Number(this.#stores.offsets.offsets(name)[0]?.offset?.['resume'] ?? 0)
  }

  async committedTo(flow: Flow, number: number): Promise<void> {
    const running = this.#running
    const reached = (): boolean => {
      if (running?.child.exit) throw new Error('grpc-ingest ended')
      return this.committed(flow) >= number
    }
    try {
      await until(`${flow.name} has committed ${number}`, reached, 120_000)
    } catch (cause) {
      throw new Error(`${(cause as Error).message}, but ${this.committed(flow)}:\n${running?.log.tail()}`, { cause })
    }
  }

  /** Ends the load, waits until every number is committed, and returns what the topic contains. */
  async finish(flow: Flow): Promise<Delivered> {
    const last = flow.source.end()
    await this.committedTo(flow, last)
    return await deliveredTo(this.#options.brokers, flow.topic, last)
  }
}
