import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { ReplayAnswer, ReplayRequest, TaskHealth } from '@tributary/connect-api'
import { connectWorker } from '@tributary/connect-runtime'
import { createStores, type StatusEntry, type Stores, type TargetState } from '@tributary/connect-storage'
import { sharedKafka } from '@tributary/harness'
import { startAdminServer } from '@tributary/service'
import { createLogger } from '@tributary/telemetry'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { askForReplay } from '../replay/letters.ts'
import { LiveFeed, liveSource } from './live-feed.ts'
import { until } from '../../support/until.ts'

type Config = Readonly<Record<string, string>>

const CONNECTOR = 'live'
const quiet = createLogger({ name: 'hand-over', level: 'error', stream: { write: () => true } })

interface Worker {
  readonly address: string
  readonly stop: () => Promise<void>
  /** Stops the worker and its admin server. */
  readonly end: () => Promise<void>
}

/** Workers in this process, one at first, with one connector that reads a live feed of the test. */
export class HandOverScene {
  readonly feed = new LiveFeed()
  /** The states that the task's status has had. A repeated state is listed once. */
  readonly states: string[] = []
  readonly log: string[] = []
  #config: Config = {}
  readonly #settings: Config
  readonly #stores: Stores
  readonly #workers: Worker[] = []
  /** The worker's handler of unhandled errors. */
  #unhandled: (error: unknown) => boolean = () => false

  readonly #brokers: readonly string[]

  private constructor(brokers: readonly string[], stores: Stores, settings: Config) {
    this.#brokers = brokers
    this.#stores = stores
    this.#settings = settings
  }

  /**
   * `config` is the connector's, `settings` are the worker's, `own` are brokers of the test. The scene ends with the
   * test.
   */
  static async start(
    t: TestContext,
    config: Config = {},
    settings: Config = {},
    own?: readonly string[],
  ): Promise<HandOverScene> {
    const brokers = own ?? (await sharedKafka()).brokers
    const cluster = `hand-over-${randomUUID().slice(0, 8)}`
    const stores = createStores({ connection: { brokers, clientId: cluster }, log: quiet, cluster })
    const common = { 'kafka.brokers': brokers.join(','), cluster, 'event.loop.stall.ms': '0' }
    const scene = new HandOverScene(brokers, stores, { ...common, ...settings })
    const { configs, status, offsets } = stores
    await Promise.all([configs.start(t.signal), status.start(t.signal), offsets.start(t.signal)])
    status.listen((_connector, task) => {
      const state = task === null ? undefined : scene.status?.state
      if (state !== undefined && state !== scene.states.at(-1)) scene.states.push(state)
    })
    t.after(async () => {
      scene.feed.rest()
      for (const worker of scene.#workers) await worker.end()
      await Promise.all([configs.stop(), status.stop(), offsets.stop()])
    })
    await scene.startWorker()
    const topic = await createTopic(brokers)
    await scene.change({ feed: scene.feed.name, topic, 'connector.class': liveSource.class, ...config })
    await until('the task runs', () => scene.status?.state === 'RUNNING' && scene.feed.open.size === 1)
    return scene
  }

  /** Starts a worker of the same group. Resolves when it is a member. */
  async startWorker(): Promise<void> {
    const log = createLogger({ name: 'worker', level: 'debug', stream: { write: (line) => this.log.push(line) > 0 } })
    const admin = await startAdminServer({
      host: '127.0.0.1',
      port: 0,
      log: quiet,
      ready: () => true,
    })
    const address = `127.0.0.1:${admin.port}`
    const { settings, start } = connectWorker({ name: 'live-ingest', version: '0', plugins: [liveSource] })
    const life = new AbortController()
    const worker = await start({
      settings: settings.parse(this.#settings),
      log,
      address,
      signal: life.signal,
      admin: admin.app,
      shutdown: (reason, error) => assert.fail(new Error(reason, { cause: error })),
      onUnhandled: (handler) => (this.#unhandled = handler),
    })
    let stopped: Promise<void> | null = null
    const stop = (): Promise<void> => (stopped ??= worker.stop())
    const end = async (): Promise<void> => {
      await stop()
      life.abort()
      await admin.close()
    }
    this.#workers.push({ address, stop, end })
    await admin.open()
    await until('the worker is a member of the group', () => worker.ready() === true)
  }

  get status(): StatusEntry | null {
    return this.#stores.status.task(CONNECTOR, 0)
  }

  /** Changes the connector's configuration. */
  async change(more: Config): Promise<void> {
    this.#config = { ...this.#config, ...more }
    await this.#stores.configs.putConnectorConfig(CONNECTOR, { name: CONNECTOR, ...this.#config })
  }

  setState(state: TargetState): Promise<void> {
    return this.#stores.configs.putTargetState(CONNECTOR, state)
  }

  restart(): Promise<void> {
    return this.#stores.configs.putRestart({ connector: CONNECTOR, includeTasks: true, onlyFailed: false })
  }

  /** Stops the worker that was started first. */
  stop(): Promise<void> {
    return this.#workers[0]!.stop()
  }

  /** Passes the worker an error that no code handled, as the process does. */
  unhandled(error: unknown): boolean {
    return this.#unhandled(error)
  }

  async health(): Promise<TaskHealth | undefined> {
    const response = await fetch(`http://${this.#workers[0]!.address}/internal/connectors/${CONNECTOR}/health`)
    return ((await response.json()) as { tasks: TaskHealth[] }).tasks[0]
  }

  /** Asks the first worker for a replay of letters. null: its task does not run now. */
  async replay(request: Partial<ReplayRequest>): Promise<ReplayAnswer['outcomes'] | null> {
    const { status, body } = await askForReplay(`http://${this.#workers[0]!.address}`, CONNECTOR, request)
    if (status === 409) return null
    assert.equal(status, 200, JSON.stringify(body))
    return (body as ReplayAnswer).outcomes
  }

  /** The number in the committed offset, as Kafka has it now; 0: none. */
  async committed(): Promise<number> {
    await this.#stores.offsets.refresh()
    const [entry] = this.#stores.offsets.offsets(CONNECTOR)
    return Number(entry?.offset?.['number'] ?? 0)
  }

  /** The numbers that a read_committed consumer gets. */
  async numbers(): Promise<number[]> {
    const kept = await readPartition(this.#brokers, this.#config['topic']!, 0, { committed: true })
    return kept.map(({ value }) => Number(String(value)))
  }

  events(name: string): string[] {
    return this.log.filter((line) => line.includes(` event=${name} `) || line.includes(` event=${name}\n`))
  }

  /** Waits until the new run, after a change or because of the connection's age, is the only run. */
  async handedOver(times: number): Promise<void> {
    await until(`${times} hand-overs are over`, () => this.events('hand_over_completed').length >= times)
    await until('one connection is left', () => this.feed.open.size === 1)
  }

  /** Checks that each sent number, from the first received one, is in the topic once, in order. */
  async assertExact(): Promise<void> {
    this.feed.rest()
    const last = this.feed.sent
    await until('the last number is there', async () => (await this.numbers()).at(-1) === last)
    const numbers = await this.numbers()
    const first = numbers[0]!
    assert.deepEqual(
      numbers,
      Array.from({ length: last - first + 1 }, (_, i) => first + i),
    )
  }
}
