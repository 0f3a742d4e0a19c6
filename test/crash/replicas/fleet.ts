import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createStores, type Stores } from '@tributary/connect-storage'
import { type Child, startChild, temporaryFolder } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import { createTopic } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { type Ingest, startIngest } from '../../support/ingest.ts'
import type { Delivery } from '../ingest/rig.ts'
import { countItems, type Item, readItems, type StreamDelivered } from './streams-delivered.ts'
import type { Load, Streams } from './streams.ts'
import { StreamsSource } from './streams-source.ts'

const PLANE = new URL('../../../apps/control-plane/src/main.ts', import.meta.url).pathname
const LONG_WAIT_MS = 120_000
const quiet = createLogger({ name: 'fleet', level: 'error' })

export interface FleetOptions {
  readonly brokers: readonly string[]
  /**
   * In ms; at least 6000 unless the broker was started with SHORT_SESSIONS. A shorter session does not work on a busy
   * machine.
   */
  readonly sessionMs: number
  /** Environment of every replica. */
  readonly env?: Readonly<Record<string, string>>
  /**
   * The source that the connectors read; it also names the service of the replicas. By default a StreamsSource of its
   * own.
   */
  readonly source?: Streams
}

/** One process of the ingest service. */
export interface Replica {
  readonly ingest: Ingest
  /** The replica's worker id. */
  readonly address: string
}

export interface Plane {
  readonly child: Child
  /** The URL of its REST API. */
  readonly url: string
}

/** The answer to a REST request. `body` is parsed JSON, or null when there is none. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

export interface Flow {
  readonly name: string
  readonly delivery: Delivery
}

/**
 * A cluster with a random name, as users run it: a control plane and replicas of an ingest service, each a process,
 * with connectors created by REST. Each connector reads one stream of a single source. All write to one topic with one
 * partition, whose order is the order of all events.
 */
export class Fleet {
  readonly cluster = `fleet-${randomUUID().slice(0, 8)}`
  readonly source: Streams
  readonly topic: string
  readonly flows: Flow[] = []
  readonly replicas: Replica[] = []
  plane: Plane | null = null
  readonly #t: TestContext
  readonly #options: FleetOptions
  readonly #stores: Stores
  readonly #logs = temporaryFolder('fleet')
  readonly #data = temporaryFolder('fleet-data')
  #starts = 0

  private constructor(t: TestContext, options: FleetOptions, source: Streams, topic: string) {
    this.#t = t
    this.#options = options
    this.source = source
    this.topic = topic
    const connection = { brokers: options.brokers, clientId: this.cluster }
    this.#stores = createStores({ connection, log: quiet, cluster: this.cluster })
  }

  /** Starts a control plane and `replicas` replicas, without a connector. */
  static async start(t: TestContext, replicas: number, options: FleetOptions): Promise<Fleet> {
    const source = options.source ?? (await StreamsSource.listen())
    t.after(() => source.close())
    const topic = await createTopic(options.brokers, { config: { 'message.timestamp.type': 'LogAppendTime' } })
    const fleet = new Fleet(t, options, source, topic)
    const { offsets, status } = fleet.#stores
    t.after(() => Promise.all([offsets.stop(), status.stop()]))
    await Promise.all([offsets.start(t.signal), status.start(t.signal), fleet.startPlane()])
    for (let replica = 0; replica < replicas; replica++) await fleet.startReplica()
    await until('the plugin is listed', async () => {
      const { body } = await fleet.rest('GET', '/connector-plugins')
      return (body as unknown[]).length > 0
    })
    return fleet
  }

  async startPlane(): Promise<Plane> {
    const logFile = join(this.#logs, `control-plane-${++this.#starts}.log`)
    const env = { ...this.#env(), TRIBUTARY_REST_PORT: '0' }
    const child = await startChild({ command: process.execPath, args: [PLANE], logFile, env })
    this.#t.after(() => child.kill())
    const address = await until(
      'the REST API listens',
      () => {
        const log = readFileSync(logFile, 'utf8')
        if (child.exit !== undefined) throw new Error(`the control plane ended:\n${log}`)
        return /event=rest_started.* address=(\S+)/.exec(log)?.[1]
      },
      LONG_WAIT_MS,
    )
    return (this.plane = { child, url: `http://${address}` })
  }

  async startReplica(): Promise<Replica> {
    const logFile = join(this.#logs, `${this.source.app}-${++this.#starts}.log`)
    const env = {
      ...this.#env(),
      TRIBUTARY_LOG_LEVEL: 'info',
      TRIBUTARY_ADMIN_PORT: '0',
      TRIBUTARY_DATA_DIR: this.#data,
      TRIBUTARY_SESSION_TIMEOUT_MS: String(this.#options.sessionMs),
      TRIBUTARY_HEARTBEAT_INTERVAL_MS: String(Math.min(500, Math.round(this.#options.sessionMs / 12))),
      ...this.#options.env,
    }
    const ingest = await startIngest(logFile, env, this.source.app)
    this.#t.after(() => ingest.child.kill())
    await ingest.logged('service_started')
    const { line } = ingest.log.events().find(({ name }) => name === 'service_started')!
    const replica = { ingest, address: / address=(\S+)/.exec(line)![1]! }
    this.replicas.push(replica)
    return replica
  }

  /** Removes the replica from the list, then ends its process with `kill` or `stop`. */
  async endReplica(replica: Replica, end: (child: Child) => Promise<void>): Promise<void> {
    this.replicas.splice(this.replicas.indexOf(replica), 1)
    await end(replica.ingest.child)
  }

  /** Waits longer than the control plane, which answers 500 after 90 s. */
  async rest(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(this.plane!.url + path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(LONG_WAIT_MS),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) }
  }

  config(flow: Flow, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      ...this.source.config(flow.name),
      'kafka.topic': this.topic,
      ...(flow.delivery === 'exactly-once' ? { 'exactly.once.support': 'required' } : {}),
      ...extra,
    }
  }

  /** Creates the stream and its connector. Returns the answer of REST. */
  async create(flow: Flow, load: Load, extra: Readonly<Record<string, string>> = {}): Promise<Answer> {
    this.source.add(flow.name, load)
    this.flows.push(flow)
    return await this.rest('POST', '/connectors', { name: flow.name, config: this.config(flow, extra) })
  }

  /** The present content of the topic, including records of open and aborted transactions. */
  items(): Promise<Map<string, Item[]>> {
    return readItems(this.#options.brokers, this.topic)
  }

  names(): string[] {
    return this.flows.map(({ name }) => name)
  }

  /** The worker whose status says that it runs the connector's task; null when none does. */
  owner(name: string): string | null {
    const status = this.#stores.status.task(name, 0)
    return status?.state === 'RUNNING' ? status.workerId : null
  }

  ownedBy({ address }: Replica): string[] {
    return this.names().filter((name) => this.owner(name) === address)
  }

  /** The last number with a committed offset; 0 when there is none. */
  committed(name: string): number {
    return this.source.committed(name, this.#stores.offsets.offsets(name)[0]?.offset ?? null)
  }

  /** How many calls each stream has had. */
  callCounts(): Map<string, number> {
    return new Map(this.names().map((name) => [name, this.source.callsOf(name).length]))
  }

  /** Waits until every task runs on a replica of the list and has its stream. */
  async allRunning(what: string): Promise<void> {
    const missing = (): string[] => {
      const live = new Set(this.replicas.map(({ address }) => address))
      const streaming = new Set(this.source.calls.filter(({ open }) => open).map(({ stream }) => stream))
      return this.names().filter((name) => !live.has(this.owner(name) ?? '') || !streaming.has(name))
    }
    await this.#eventually(`${what}: all tasks run`, () => missing().length === 0, missing)
  }

  /** Waits until all tasks run and the replicas' numbers of tasks differ by at most one. */
  async balanced(what: string): Promise<void> {
    const counts = (): number[] => this.replicas.map((replica) => this.ownedBy(replica).length)
    const even = (): boolean => Math.max(...counts()) - Math.min(...counts()) <= 1
    await this.#eventually(`${what}: the tasks are balanced`, even, counts)
    await this.allRunning(what)
  }

  /** Waits until every stream has committed the numbers that its source had at the time of this call. */
  async caughtUp(what: string, names: readonly string[] = this.names()): Promise<void> {
    const heads = new Map(names.map((name) => [name, this.source.head(name)]))
    const behind = (): string[] => names.filter((name) => this.committed(name) < heads.get(name)!)
    await this.#eventually(`${what}: all is committed`, () => behind().length === 0, behind)
  }

  /** Ends the load, waits until every number is committed, and returns what the topic contains. */
  async finish(): Promise<{ delivered: StreamDelivered[]; items: Map<string, Item[]> }> {
    this.source.end()
    await this.caughtUp('the end')
    const items = await readItems(this.#options.brokers, this.topic, { committed: true })
    const count = (name: string): StreamDelivered => countItems(name, items.get(name) ?? [], this.source.head(name))
    return { delivered: this.names().map(count), items }
  }

  /** Checks that no task failed, and that only the test has ended processes. */
  assertHealthy(): void {
    for (const { ingest } of this.replicas) {
      assert.equal(ingest.child.exit, undefined, ingest.log.tail())
      assert.deepEqual(
        ingest.log.events().filter(({ name }) => name === 'task_failed'),
        [],
      )
    }
  }

  #env(): Record<string, string> {
    return { KAFKA_BROKERS: this.#options.brokers.join(','), TRIBUTARY_CLUSTER: this.cluster }
  }

  async #eventually(what: string, reached: () => boolean, missing: () => unknown): Promise<void> {
    const reachedByAll = (): boolean => {
      const ended = this.replicas.find(({ ingest }) => ingest.child.exit !== undefined)
      if (ended)
        throw new Error(`${what}: the replica ${ended.address} ended: ${JSON.stringify(ended.ingest.child.exit)}`)
      return reached()
    }
    try {
      await until(what, reachedByAll, LONG_WAIT_MS)
    } catch (cause) {
      const logs = this.replicas.map(({ ingest }) => ingest.log.tail()).join('\n\n')
      throw new Error(`${(cause as Error).message}, but ${JSON.stringify(missing())}\n${logs}`, { cause })
    }
  }
}
