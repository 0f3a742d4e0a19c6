import type { KafkaConnection } from '@tributary/config'
import { createStores } from '@tributary/connect-storage'
import { KafkaAdmin } from '@tributary/kafka'
import { createLogger } from '@tributary/telemetry'
import { type Child, start } from './child.ts'

/** Names of the internal topics of a cluster. */
const STORES = ['configs', 'offsets', 'status', 'plugins']
const quiet = createLogger({ name: 'bench', level: 'error' })

export type ConnectorConfig = Readonly<Record<string, string>> & { readonly name: string }

/** Topics and clusters of one run, and the services of these clusters. */
export class Rig {
  readonly connection: KafkaConnection
  readonly admin: KafkaAdmin
  readonly run = `bench-${process.pid}`
  readonly #topics: string[] = []
  readonly #clusters = new Set<string>()

  constructor(brokers: readonly string[]) {
    this.connection = { brokers, clientId: 'bench' }
    this.admin = new KafkaAdmin(this.connection)
  }

  async topic(logAppendTime = false): Promise<string> {
    const name = `${this.run}-${this.#topics.length + 1}`
    this.#topics.push(name)
    const configs: Record<string, string> = logAppendTime ? { 'message.timestamp.type': 'LogAppendTime' } : {}
    await this.admin.createTopic({ name, partitions: 1, replicationFactor: 1, configs })
    return name
  }

  async end(topic: string): Promise<number> {
    return Number((await this.admin.listOffsets(topic, 'latest')).get(0) ?? 0n)
  }

  /** Resolves with the time (ms) at which the topic had `count` records; NaN after `timeoutMs`. */
  async reached(topic: string, count: number, timeoutMs = 120_000): Promise<number> {
    const deadline = performance.now() + timeoutMs
    while ((await this.end(topic)) < count) {
      if (performance.now() > deadline) return NaN
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return performance.now()
  }

  /** Writes a connector to the config topic, as the control plane does. */
  async configure(cluster: string, config: ConnectorConfig): Promise<void> {
    const { configs } = createStores({ connection: this.connection, log: quiet, cluster })
    await configs.start(new AbortController().signal)
    await configs.putConnectorConfig(config.name, config)
    await configs.stop()
  }

  /** `app` is the name of a folder in apps/. */
  startIngest(app: string, cluster: string): Child {
    this.#clusters.add(cluster)
    return start(`apps/${app}/src/main.ts`, [], {
      KAFKA_BROKERS: this.connection.brokers.join(),
      TRIBUTARY_CLUSTER: cluster,
      TRIBUTARY_PARENT_WATCH: '1',
    })
  }

  /** Deletes everything that this run created, because the broker may be shared. */
  async close(): Promise<void> {
    const stores = [...this.#clusters].flatMap((cluster) => STORES.map((store) => `${cluster}-connect-${store}`))
    await this.admin.deleteTopics([...this.#topics, ...stores])
    await this.admin.close()
  }
}
