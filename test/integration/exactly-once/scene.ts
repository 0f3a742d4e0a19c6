import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createStores, type Stores } from '@tributary/connect-storage'
import { type Child, freePort, sharedKafka, startChild, temporaryFolder } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import { countNumbers, COUNTERS, headOf } from './counters.ts'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const MAIN = new URL('worker.ts', import.meta.url).pathname
const LOGS = 6
const quiet = createLogger({ name: 'exactly-once', level: 'error' })

interface StartOptions {
  readonly service?: string
  readonly plugins?: string
  readonly env?: Readonly<Record<string, string>>
}

/** One connector of the counters source, and the worker processes that share its tasks. */
export class Scene {
  readonly cluster = `eos-${randomUUID().slice(0, 8)}`
  readonly stores: Stores
  readonly #t: TestContext
  readonly #logs = temporaryFolder('exactly-once')
  readonly #workers = new Map<string, Child>()
  #config: Record<string, string> = {}

  private constructor(t: TestContext) {
    this.#t = t
    const connection = { brokers, clientId: this.cluster }
    this.stores = createStores({ connection, log: quiet, cluster: this.cluster })
  }

  static async create(t: TestContext): Promise<Scene> {
    const scene = new Scene(t)
    const { configs, offsets, status } = scene.stores
    t.after(() => Promise.all([configs.stop(), offsets.stop(), status.stop()]))
    await Promise.all([configs.start(t.signal), offsets.start(t.signal), status.start(t.signal)])
    return scene
  }

  get topic(): string {
    return this.#config['topic']!
  }

  /** The highest number of the logs so far. */
  get head(): number {
    return headOf(this.#config, Date.now())
  }

  /** The worker of that address, or the only worker. */
  worker(workerId?: string): Child {
    return workerId === undefined ? [...this.#workers.values()][0]! : this.#workers.get(workerId)!
  }

  /** Starts a worker and returns its id. `plugins`: the names of its plugins. `service`: the name of its service. */
  async start(options: StartOptions = {}): Promise<string> {
    const { service = 'counters', plugins = 'counters', env = {} } = options
    const port = String(await freePort())
    const child = await startChild({
      command: process.execPath,
      args: [MAIN],
      logFile: join(this.#logs, `worker-${port}.log`),
      env: {
        KAFKA_BROKERS: brokers.join(','),
        TRIBUTARY_CLUSTER: this.cluster,
        TRIBUTARY_ADMIN_PORT: port,
        TRIBUTARY_SESSION_TIMEOUT_MS: '6000',
        TRIBUTARY_REBALANCE_SETTLE_MS: '200',
        SERVICE: service,
        PLUGINS: plugins,
        LEASE: 'unchecked',
        ...env,
      },
    })
    this.#t.after(() => child.kill())
    const workerId = `127.0.0.1:${port}`
    this.#workers.set(workerId, child)
    return workerId
  }

  async configure(change: Record<string, string>): Promise<void> {
    this.#config = { ...this.#config, ...change }
    await this.stores.configs.putConnectorConfig('counters', this.#config)
  }

  async create(more: Record<string, string>): Promise<void> {
    await this.configure({
      name: 'counters',
      'connector.class': COUNTERS,
      'exactly.once.support': 'required',
      topic: await createTopic(brokers),
      logs: String(LOGS),
      since: String(Date.now()),
      ...more,
    })
  }

  /**
   * The workers of the tasks 0 to `count` - 1, when these run. Other tasks of a killed worker keep their last status.
   */
  async running(count: number): Promise<string[]> {
    const { status, configs } = this.stores
    return until(`${count} tasks run`, () => {
      const tasks = Array.from({ length: count }, (_, task) => status.task('counters', task))
      const run = tasks.every((entry) => entry?.state === 'RUNNING')
      return run && configs.snapshot.tasks('counters').length === count && tasks.map((entry) => entry!.workerId)
    })
  }

  /** Waits until the numbers of every log are committed up to `number`. */
  async committed(number: number): Promise<void> {
    const { offsets } = this.stores
    await until(`all logs are committed to ${number}`, () => {
      const entries = offsets.offsets('counters')
      return entries.length === LOGS && entries.every(({ offset }) => Number(offset?.['number']) >= number)
    })
  }

  /** The values that a read_committed consumer gets. */
  async values(): Promise<string[]> {
    return (await readPartition(brokers, this.topic, 0, { committed: true })).map(({ value }) => String(value))
  }

  /** Ends the logs, and reads what became of their numbers as a read_committed consumer. */
  async finish(): Promise<{ lost: number; twice: number }> {
    const last = this.head
    await this.configure({ last: String(last) })
    await this.committed(last)
    const values = await until('the last numbers are there', async () => {
      const kept = await this.values()
      const complete = Array.from({ length: LOGS }, (_, log) => kept.includes(`${log}:${last}`)).every(Boolean)
      return complete && kept
    })
    const { kept, lost, twice } = countNumbers(values, LOGS, last)
    this.#t.diagnostic(`${kept} kept of ${LOGS * last}`)
    return { lost, twice }
  }
}
