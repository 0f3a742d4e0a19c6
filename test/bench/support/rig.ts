import type { KafkaConnection } from '@tributary/config'
import { createStores } from '@tributary/connect-storage'
import { freePort, sharedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { createLogger } from '@tributary/telemetry'
import { type Child, startService } from './child.ts'
import type { Tree } from './tree.ts'

/** Names of the internal topics of a cluster. */
const STORES = ['configs', 'offsets', 'status', 'plugins']
const quiet = createLogger({ name: 'bench', level: 'error' })

export type ConnectorConfig = Readonly<Record<string, string>> & { readonly name: string }

export interface Service extends Child {
  /** host:port of the admin server, which is also the worker id, and of the control plane's REST API. */
  readonly admin: string
  readonly rest: string
}

/** Topics and clusters on one broker, and the services of these clusters. */
export class Rig {
  readonly connection: KafkaConnection
  readonly admin: KafkaAdmin
  readonly run = `bench-${process.pid}`
  #names = 0
  readonly #topics: string[] = []
  readonly #atEnd: string[] = []

  private constructor(brokers: readonly string[]) {
    this.connection = { brokers, clientId: 'bench' }
    this.admin = new KafkaAdmin(this.connection)
  }

  /** On the brokers of KAFKA_BROKERS, or on a broker that it starts. */
  static async create(): Promise<Rig> {
    return new Rig((await sharedKafka()).brokers)
  }

  get broker(): string {
    return this.connection.brokers[0]!
  }

  /** `stamped`: the records' time is that of their append by the broker. */
  async topic({ stamped = false, partitions = 1 } = {}): Promise<string> {
    const name = `${this.run}-${++this.#names}`
    this.#topics.push(name)
    const configs: Record<string, string> = stamped ? { 'message.timestamp.type': 'LogAppendTime' } : {}
    await this.admin.createTopic({ name, partitions, replicationFactor: 1, configs })
    return name
  }

  /** The name of a new cluster, with connectors in its config topic as the control plane writes them. */
  async cluster(configs: readonly ConnectorConfig[] = []): Promise<string> {
    const cluster = `${this.run}-${++this.#names}`
    this.#topics.push(...STORES.map((store) => `${cluster}-connect-${store}`))
    if (configs.length === 0) return cluster
    const stores = createStores({ connection: this.connection, log: quiet, cluster })
    await stores.configs.start(new AbortController().signal)
    await Promise.all(configs.map((config) => stores.configs.putConnectorConfig(config.name, config)))
    await stores.configs.stop()
    return cluster
  }

  /** `app` is the name of a folder in apps/, or the path of a program in the checkout. */
  async startService(tree: Tree, app: string, cluster: string): Promise<Service> {
    const [admin, rest] = [await freePort(), await freePort()]
    const child = startService(tree, app.endsWith('.ts') ? app : `apps/${app}/src/main.ts`, {
      KAFKA_BROKERS: this.connection.brokers.join(),
      TRIBUTARY_CLUSTER: cluster,
      TRIBUTARY_ADMIN_PORT: String(admin),
      TRIBUTARY_REST_PORT: String(rest),
      TRIBUTARY_OPERATORS_PORT: '0',
    })
    return { ...child, admin: `127.0.0.1:${admin}`, rest: `127.0.0.1:${rest}` }
  }

  /** The number of records in a topic. */
  async end(topic: string): Promise<number> {
    let sum = 0
    for (const end of (await this.admin.listOffsets(topic, 'latest')).values()) sum += Number(end)
    return sum
  }

  /** Resolves with the time (ms) at which the topic had `count` records; NaN after `timeoutMs`. Throws an Error
   * when there is none at all by then. */
  async reached(topic: string, count: number, timeoutMs = 60_000): Promise<number> {
    const deadline = performance.now() + timeoutMs
    for (let end = await this.end(topic); end < count; end = await this.end(topic)) {
      if (performance.now() > deadline && end === 0) throw new Error(`${topic} has no record after ${timeoutMs} ms`)
      if (performance.now() > deadline) return NaN
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return performance.now()
  }

  /** Deletes everything that was made since the last call, because the broker may be shared. */
  async clean(): Promise<void> {
    await this.admin.deleteTopics(this.#topics.splice(0))
  }

  /** Has a topic deleted at the end. */
  deleteLater(topic: string): void {
    this.#atEnd.push(topic)
  }

  async close(): Promise<void> {
    await this.clean()
    await this.admin.deleteTopics(this.#atEnd)
    await this.admin.close()
  }
}
