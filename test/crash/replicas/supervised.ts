import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createStores, type Stores } from '@tributary/connect-storage'
import { temporaryFolder } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import { ServiceProcess } from '../../../deploy/local/service-process.ts'
import { createTopic } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { type Item, readItems } from './streams-delivered.ts'
import type { Streams } from './streams.ts'

const quiet = createLogger({ name: 'supervised', level: 'error' })

/** A replica of an ingest service, which the launcher's supervisor starts again when it ends. */
export interface Supervised {
  readonly name: string
  readonly process: ServiceProcess
  readonly logFile: string
}

export interface SupervisedOptions {
  readonly brokers: readonly string[]
  readonly source: Streams
  readonly replicas: number
  readonly sessionMs: number
  /** The connectors, each with a stream of this name that grows by 100 numbers a second. */
  readonly streams: readonly string[]
  /** Numbers of the streams cannot be read again. */
  readonly live: boolean
}

/** Replicas of an ingest service under the launcher's supervisor, as `npm start` runs them, without a control plane. */
export class SupervisedReplicas {
  readonly replicas: Supervised[] = []
  readonly #options: SupervisedOptions
  readonly #cluster = `supervised-${randomUUID().slice(0, 8)}`
  readonly #folder = temporaryFolder('supervised')
  readonly #stores: Stores
  readonly #topic: string

  private constructor(options: SupervisedOptions, topic: string) {
    this.#options = options
    this.#topic = topic
    const connection = { brokers: options.brokers, clientId: this.#cluster }
    this.#stores = createStores({ connection, log: quiet, cluster: this.#cluster })
  }

  static async start(t: TestContext, options: SupervisedOptions): Promise<SupervisedReplicas> {
    const topic = await createTopic(options.brokers, { config: { 'message.timestamp.type': 'LogAppendTime' } })
    const all = new SupervisedReplicas(options, topic)
    const { configs, status } = all.#stores
    t.after(() => Promise.all([configs.stop(), status.stop()]))
    await Promise.all([configs.start(t.signal), status.start(t.signal)])
    for (const stream of options.streams) {
      options.source.add(stream, { rate: 100, live: options.live })
      const config = { ...options.source.config(stream), name: stream, 'tasks.max': '1', 'kafka.topic': topic }
      await configs.putConnectorConfig(stream, config)
    }
    for (let n = 1; n <= options.replicas; n++) all.startReplica(t, `replica-${n}`)
    await Promise.all(all.replicas.map(({ process }) => process.ready()))
    await all.settled()
    return all
  }

  /** `name` is also the instance id. */
  startReplica(t: TestContext, name: string, file = name): Supervised {
    const { brokers, source, sessionMs } = this.#options
    const logFile = join(this.#folder, `${file}.log`)
    const process = new ServiceProcess({
      name,
      entry: new URL(`../../../apps/${source.app}/src/main.ts`, import.meta.url).pathname,
      logFile,
      say: () => undefined,
      env: {
        KAFKA_BROKERS: brokers.join(','),
        TRIBUTARY_CLUSTER: this.#cluster,
        TRIBUTARY_DATA_DIR: join(this.#folder, 'data'),
        TRIBUTARY_SESSION_TIMEOUT_MS: String(sessionMs),
        TRIBUTARY_REBALANCE_TIMEOUT_MS: String(sessionMs),
        TRIBUTARY_GROUP_INSTANCE_ID: name,
      },
    })
    process.start()
    t.after(() => process.kill())
    const replica = { name, process, logFile }
    this.replicas.push(replica)
    return replica
  }

  /** The present process, and the ms from its start until its admin server listened. */
  started({ logFile }: Supervised): { readonly pid: number; readonly startMs: number } {
    const starts = readFileSync(logFile, 'utf8').matchAll(/event=service_started .*\bpid=(\d+) start_ms=(\d+)/g)
    const [, pid, startMs] = Array.from(starts).at(-1)!
    return { pid: Number(pid), startMs: Number(startMs) }
  }

  logged({ logFile }: Supervised, event: string): number {
    return readFileSync(logFile, 'utf8').split(` event=${event} `).length - 1
  }

  /** The streams whose tasks run on the replica, as their status says. */
  ownedBy({ process }: Supervised): string[] {
    return this.#options.streams.filter((stream) => {
      const status = this.#stores.status.task(stream, 0)
      return status?.state === 'RUNNING' && status.workerId === process.address
    })
  }

  /** Waits until every task runs, and each replica has at least one. */
  async settled(): Promise<void> {
    await until('each replica has its share', () => {
      const counts = this.replicas.map((replica) => this.ownedBy(replica).length)
      return counts.every((n) => n > 0) && counts.reduce((sum, n) => sum + n) === this.#options.streams.length
    })
    await this.allRunning()
  }

  async allRunning(): Promise<void> {
    const open = (stream: string): boolean => this.#options.source.callsOf(stream).some((call) => call.open)
    await until('all streams are read', () => this.#options.streams.every(open))
  }

  items(): Promise<Map<string, Item[]>> {
    return readItems(this.#options.brokers, this.#topic)
  }
}
