import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createStores, type Stores } from '@tributary/connect-storage'
import { type SharedAws, sharedElasticMq, temporaryFolder } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import { type Ingest, startIngest } from '../../support/ingest.ts'
import { createTopic } from '../../support/kafka-topic.ts'
import { type FlowOptions, SqsFlow } from '../../support/sqs-flow.ts'

const quiet = createLogger({ name: 'crash', level: 'error' })

export interface SqsRigOptions {
  /** Of a broker that was started with SHORT_SESSIONS. */
  readonly brokers: readonly string[]
  /** Addresses of the same broker for the test itself. Default: `brokers`. */
  readonly direct?: readonly string[]
  /** Default: the shared ElasticMQ. */
  readonly server?: SharedAws
}

/** A cluster with a random name, whose workers are sqs-ingest processes. The test writes connectors to its config topic. */
export class SqsRig {
  readonly cluster = `crash-${randomUUID().slice(0, 8)}`
  readonly server: SharedAws
  readonly #t: TestContext
  readonly #options: SqsRigOptions
  readonly #stores: Stores
  readonly #folder = temporaryFolder('crash')
  #starts = 0

  private constructor(t: TestContext, options: SqsRigOptions, server: SharedAws) {
    this.#t = t
    this.#options = options
    this.server = server
    const connection = { brokers: this.#direct, clientId: this.cluster }
    this.#stores = createStores({ connection, log: quiet, cluster: this.cluster })
  }

  static async create(t: TestContext, options: SqsRigOptions): Promise<SqsRig> {
    const rig = new SqsRig(t, options, options.server ?? (await sharedElasticMq()))
    t.after(() => rig.#stores.configs.stop())
    await rig.#stores.configs.start(t.signal)
    return rig
  }

  get #direct(): readonly string[] {
    return this.#options.direct ?? this.#options.brokers
  }

  /** A queue, a topic, and the connector `name` between them. `config`: further keys. */
  async flow(name: string, config: Readonly<Record<string, string>> = {}, options: FlowOptions = {}): Promise<SqsFlow> {
    const flow = await SqsFlow.create(this.server, this.#direct, await createTopic(this.#direct), options)
    this.#t.after(() => flow.end())
    await this.#stores.configs.putConnectorConfig(name, { name, ...flow.config(), ...config })
    return flow
  }

  /** A connector without a queue of its own. */
  async connector(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    await this.#stores.configs.putConnectorConfig(name, { name, ...config })
  }

  /** A further sqs-ingest process. */
  async start(): Promise<Ingest> {
    const nth = ++this.#starts
    const ingest = await startIngest(
      join(this.#folder, `sqs-ingest-${nth}.log`),
      {
        KAFKA_BROKERS: this.#options.brokers.join(','),
        TRIBUTARY_CLUSTER: this.cluster,
        TRIBUTARY_DATA_DIR: join(this.#folder, `data-${nth}`),
        TRIBUTARY_ADMIN_PORT: '0',
        TRIBUTARY_SESSION_TIMEOUT_MS: '2000',
        TRIBUTARY_HEARTBEAT_INTERVAL_MS: '200',
      },
      'sqs-ingest',
    )
    this.#t.after(() => ingest.child.kill())
    return ingest
  }
}

/** Why the process cannot go on, if it has ended. */
export function ended({ child, log }: Ingest): string | undefined {
  return child.exit === undefined ? undefined : `sqs-ingest ended:\n${log.tail()}`
}
