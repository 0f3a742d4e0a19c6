import type { Props, SourcePlugin, SourceTask } from '@tributary/connect-api'
import { type CreatedTask, createTask, type PredecessorRun, type Lease, resolveProps, systemClock, type TaskEnvironment } from '@tributary/connect-runtime' // prettier-ignore
import { createStores, type Stores } from '@tributary/connect-storage'
import { KafkaAdmin } from '@tributary/kafka'
import { createLogger } from '@tributary/telemetry'
import type { KeptRecord, RunningTask, TaskRunner } from '@tributary/testkit'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiKeys } from './kafka-proxy.ts'
import { type ProxiedBroker, startProxiedBroker } from '../integration/kafka-producer/support.ts'
import { createTopic, readPartition } from './kafka-topic.ts'
import { until } from './until.ts'

const CONVERTER = 'io.tributary.connect.converters.PlainConverter'
const DEFAULTS: Props = {
  'key.converter': CONVERTER,
  'value.converter': CONVERTER,
  // The machine may be slow; what a stop gives up is no subject here.
  'task.shutdown.graceful.timeout.ms': '60000',
}
/** The broker's message.max.bytes by default. */
const MAX_RECORD_BYTES = 1_048_588

/** A store lives as long as the signal of its start. */
const NEVER = new AbortController().signal
const silent = createLogger({ name: 'contract', stream: { write: () => true } })
/** Nobody else wants the task. */
const lease: Lease = { valid: () => true, passed: () => Promise.resolve(), release: () => {} }

/** A broker whose clients come through a proxy that can cut them off, and runners of tasks on it. */
export interface RunnerKafka {
  createRunner(): Promise<TaskRunner>
  stop(): Promise<void>
}

export async function startRunnerKafka(): Promise<RunnerKafka> {
  const kafka = await startProxiedBroker()
  const connection = { brokers: [kafka.proxy.address], clientId: 'contract' }
  const admin = new KafkaAdmin(connection)
  const cluster = `contract-${randomUUID()}`
  const newStores = (): Stores => createStores({ connection, log: silent, cluster })
  // As another worker that takes the task over would see it.
  const observer = newStores()
  await observer.offsets.start(NEVER)
  const environment = {
    connection,
    producerDriver: 'platformatic',
    exactlyOnceSource: true,
    handOverTimeoutMs: 10_000,
    dataDir: join(tmpdir(), 'tributary-contract', cluster),
    groupId: `${cluster}-tasks`,
    admin,
    defaults: DEFAULTS,
    environment: {},
    clock: systemClock,
    log: silent,
  } as const
  return {
    createRunner: async () => {
      const topic = await createTopic(kafka.direct)
      const deadLetterTopic = await createTopic(kafka.direct)
      const start = async (plugin: SourcePlugin, props: Props): Promise<RunningTask> => {
        const task = new TaskOnKafka({ kafka, observer, newStores, environment, plugin, props, topic, deadLetterTopic })
        await task.restart()
        return task
      }
      return { topic, deadLetterTopic, maxRecordBytes: MAX_RECORD_BYTES, start }
    },
    stop: async () => {
      kafka.proxy.thaw()
      await observer.offsets.stop()
      await admin.close()
      await kafka.stop()
    },
  }
}

interface TaskOnKafkaParts {
  readonly kafka: ProxiedBroker
  readonly observer: Stores
  readonly newStores: () => Stores
  readonly environment: Omit<TaskEnvironment, 'offsets'>
  readonly plugin: SourcePlugin
  readonly props: Props
  readonly topic: string
  readonly deadLetterTopic: string
}

/** A task as `createTask` makes it for a worker, with the real producer and offset store. */
class TaskOnKafka implements RunningTask {
  polls = 0
  failure: unknown = null
  readonly #parts: TaskOnKafkaParts
  readonly #connector = `contract-${randomUUID()}`
  readonly #kept: KeptRecord[] = []
  #readTo = 0n
  #current: CreatedTask | null = null
  #offsets: Stores['offsets'] | null = null

  constructor(parts: TaskOnKafkaParts) {
    this.#parts = parts
  }

  get state(): string {
    return this.#run.run.state
  }
  get stats(): CreatedTask['stats'] {
    return this.#run.stats
  }

  async kept(): Promise<readonly KeptRecord[]> {
    const { kafka, topic } = this.#parts
    const records = await readPartition(kafka.direct, topic, 0, { from: this.#readTo, committed: true })
    this.#readTo = (records.at(-1)?.offset ?? this.#readTo - 1n) + 1n
    this.#kept.push(...records)
    return this.#kept
  }

  setAside(): Promise<readonly KeptRecord[]> {
    return readPartition(this.#parts.kafka.direct, this.#parts.deadLetterTopic, 0, { committed: true })
  }

  committedOffset(): ReturnType<RunningTask['committedOffset']> {
    const [entry] = this.#parts.observer.offsets.offsets(this.#connector)
    return entry?.offset ?? null
  }

  pause(): void {
    this.#run.run.pause()
  }
  resume(): void {
    this.#run.run.resume()
  }

  async stop(): Promise<void> {
    await this.#current?.run.stop()
    await this.#offsets?.stop()
    this.#offsets = null
  }

  /** What a source that can resume does when its task is another worker's: all is given up before anything more is sent. */
  async crash(): Promise<void> {
    await this.#run.run.lose()
    await this.#offsets?.stop()
  }

  async restart(): Promise<void> {
    const { offsets } = this.#parts.newStores()
    await offsets.start(NEVER)
    this.#offsets = offsets
    this.#current = this.#create(offsets, null)
    void this.#current.run.run()
  }

  async handOver(): Promise<void> {
    const { run: predecessor } = this.#run
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const successor = this.#create(this.#offsets!, {
      finish: async () => {
        await predecessor.stop()
        this.#current = successor
        resolve()
        return predecessor.handOverState
      },
    })
    void successor.run.run()
    await ended
    await until('the successor takes over', () => successor.run.state !== 'starting')
  }

  #create(offsets: Stores['offsets'], predecessor: PredecessorRun | null): CreatedTask {
    const { environment, plugin, props } = this.#parts
    return createTask(
      { ...environment, offsets },
      {
        id: { connector: this.#connector, task: 0 },
        plugin: { ...plugin, createTask: () => this.#counted(plugin.createTask()) },
        ...resolveProps(environment, plugin, props),
        lease,
        predecessor,
        onState: (_state, error) => (this.failure = error ?? null),
        onTopic: () => {},
      },
    )
  }

  kafka(state: 'up' | 'down'): void {
    const { proxy } = this.#parts.kafka
    if (state === 'down') proxy.refuse()
    else proxy.thaw()
  }

  /** The connection that carries the next records stops there; after `thaw` they come over another one. */
  topic(state: 'open' | 'closed'): void {
    const { kafka, topic } = this.#parts
    if (state === 'open') kafka.proxy.thaw()
    else void kafka.proxy.hold({ apiKey: apiKeys.produce, naming: topic, what: 'request' })
  }

  get #run(): CreatedTask {
    if (this.#current === null) throw new Error('the task was never started')
    return this.#current
  }

  #counted(task: SourceTask): SourceTask {
    const poll = task.poll.bind(task)
    return Object.assign(task, {
      poll: (signal: AbortSignal) => {
        this.polls++
        return poll(signal)
      },
    })
  }
}
