import { type DeadLetter, END_OF_INPUT, MemoryBudget, type Polled, type Props, readDeadLetter, recordsOf, type SourcePlugin, type SourceRecord, type SourceTask, type TaskContext } from '@tributary/connect-api' // prettier-ignore
import { type CreatedTask, createProducerPool, createTask, ErrorHandler, type PredecessorRun, type Lease, resolveProps, systemClock, type TaskEnvironment } from '@tributary/connect-runtime' // prettier-ignore
import { createStores, type Stores } from '@tributary/connect-storage'
import { apiKeys, type ProxiedKafka, startProxiedKafka } from '@tributary/harness'
import { KafkaAdmin, type LogRecord, readPartition } from '@tributary/kafka'
import { createLogger } from '@tributary/telemetry'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningTask, TaskRunner } from '../source-fixture.ts'
import { until } from '../until.ts'

const CONVERTER = 'io.tributary.connect.converters.PlainConverter'
const DEFAULTS: Props = {
  'key.converter': CONVERTER,
  'value.converter': CONVERTER,
  // Long, so that no stop is forced on a slow machine: a forced stop gives up records, which the contract does not cover.
  'task.shutdown.graceful.timeout.ms': '60000',
}
/** The broker's default of message.max.bytes. */
const MAX_RECORD_BYTES = 1_048_588
/** Records whose dead letters are delivered again. */
const FIRST_RECORDS = 10
const LETTERS = { tolerance: 'all', logErrors: false, logErrorMessages: false, deadLetterTopic: 'dlq', deadLetterHeaders: true } as const // prettier-ignore

/** The stores run until `stop`, not until a signal. */
const NEVER = new AbortController().signal
const silent = createLogger({ name: 'contract', stream: { write: () => true } })
/** A lease that is always valid, as no other worker asks for the task. */
const lease: Lease = { valid: () => true, passed: () => Promise.resolve(), release: () => {} }

/** One Kafka broker behind a proxy, and task runners on it. */
export interface KafkaTaskRunner {
  /** Addresses of the broker, around the proxy. */
  readonly brokers: readonly string[]
  /** A runner with a topic and a dead-letter topic of its own: what `sourceContract` asks for, once for each scenario. */
  readonly createRunner: () => Promise<TaskRunner>
  /** Ends the broker and the proxy. Stop the tasks first. */
  stop(): Promise<void>
}

/**
 * Starts a Kafka broker whose clients come through a proxy that can cut them off, and makes runners that run a source's tasks
 * on that broker with the real runtime, producer and offset store. Takes some seconds, so call it once in a test file:
 *
 *     const kafka = await kafkaTaskRunner()
 *     after(() => kafka.stop())
 *     sourceContract('SSE', fixture, kafka.createRunner)
 *
 * Kafka comes from Docker or from Java 17+ and Maven. Rejects with a HarnessError, one sentence, when there is neither.
 */
export async function kafkaTaskRunner(): Promise<KafkaTaskRunner> {
  const kafka = await startProxiedKafka()
  const connection = { brokers: kafka.brokers, clientId: 'contract' }
  const admin = new KafkaAdmin(connection)
  const cluster = `contract-${randomUUID()}`
  const newStores = (): Stores => createStores({ connection, log: silent, cluster })
  // Reads the offsets as another worker would that takes over the task.
  const observer = newStores()
  await observer.offsets.start(NEVER)
  const environment = {
    producers: createProducerPool(connection, 'tributary'),
    exactlyOnceSource: true,
    handOverTimeoutMs: 10_000,
    dataDir: join(tmpdir(), 'tributary-contract', cluster),
    groupId: `${cluster}-tasks`,
    admin,
    defaults: DEFAULTS,
    providers: {},
    memory: new MemoryBudget(Infinity),
    clock: systemClock,
    log: silent,
  } as const
  const createTopic = async (): Promise<string> => {
    const name = `contract-${randomUUID()}`
    await admin.createTopic({ name, partitions: 1, replicationFactor: 1 })
    return name
  }
  return {
    brokers: kafka.direct,
    createRunner: async () => {
      const [topic, deadLetterTopic] = await Promise.all([createTopic(), createTopic()])
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
  readonly kafka: ProxiedKafka
  readonly observer: Stores
  readonly newStores: () => Stores
  readonly environment: Omit<TaskEnvironment, 'offsets'>
  readonly plugin: SourcePlugin
  readonly props: Props
  readonly topic: string
  readonly deadLetterTopic: string
}

/** A task as a worker creates it, with the real producer and offset store. */
class TaskOnKafka implements RunningTask {
  polls = 0
  failure: unknown = null
  readonly #parts: TaskOnKafkaParts
  readonly #connector = `contract-${randomUUID()}`
  readonly #kept: LogRecord[] = []
  #readTo = 0n
  #current: CreatedTask | null = null
  #task: SourceTask | null = null
  /** The first records, with their dead letters. */
  readonly #first: (readonly [SourceRecord, DeadLetter])[] = []
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

  async kept(): Promise<readonly LogRecord[]> {
    const records = await this.#read(this.#parts.topic, this.#readTo)
    this.#readTo = (records.at(-1)?.offset ?? this.#readTo - 1n) + 1n
    this.#kept.push(...records)
    return this.#kept
  }

  deadLetters(): Promise<readonly LogRecord[]> {
    return this.#read(this.#parts.deadLetterTopic, 0n)
  }

  redelivered(): Promise<readonly (readonly [SourceRecord, SourceRecord | null])[]> {
    return Promise.all(
      this.#first.map(async ([record, letter]) => [record, (await this.#task?.redeliver?.(letter)) ?? null] as const),
    )
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

  /** Ends the run as a worker does that lost the task to another worker: nothing more is sent or committed. */
  async crash(): Promise<void> {
    await this.#run.run.lose()
    await this.#offsets?.stop()
  }

  async restart(): Promise<void> {
    const { offsets } = this.#parts.newStores()
    await offsets.start(NEVER)
    this.#offsets = offsets
    this.#current = await this.#create(offsets, null)
    void this.#current.run.run()
  }

  async handOver(): Promise<void> {
    const { run: predecessor } = this.#run
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const successor = await this.#create(this.#offsets!, {
      finish: async () => {
        await predecessor.stop()
        this.#current = successor
        resolve()
        return predecessor.handOverState
      },
    })
    void successor.run.run()
    await ended
    await until(() => successor.run.state !== 'starting', 'the successor takes over')
  }

  async #create(offsets: Stores['offsets'], predecessor: PredecessorRun | null): Promise<CreatedTask> {
    const { environment, plugin, props } = this.#parts
    const resolved = await resolveProps(environment, plugin, props)
    return createTask(
      { ...environment, offsets },
      {
        id: { connector: this.#connector, task: 0 },
        plugin: { ...plugin, createTask: () => this.#counted(plugin.createTask()) },
        ...resolved,
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

  /** Closed: the proxy stops the connection at the next produce request. Open: the proxy cuts it, and the producer reconnects. */
  topic(state: 'open' | 'closed'): void {
    const { kafka, topic } = this.#parts
    if (state === 'open') kafka.proxy.thaw()
    else void kafka.proxy.hold({ apiKey: apiKeys.produce, naming: topic, what: 'request' })
  }

  /** Reads around the proxy, so that it works whatever the task's own connections go through. */
  #read(topic: string, from: bigint): Promise<LogRecord[]> {
    const connection = { brokers: this.#parts.kafka.direct, clientId: 'contract' }
    return readPartition(connection, { topic, partition: 0, from })
  }

  get #run(): CreatedTask {
    if (this.#current === null) throw new Error('the task was never started')
    return this.#current
  }

  #counted(task: SourceTask): SourceTask {
    const [start, poll] = [task.start.bind(task), task.poll.bind(task)]
    this.#task = task
    return Object.assign(task, {
      start: (context: TaskContext) => {
        const { offer } = context
        return start(offer === undefined ? context : { ...context, offer: (take) => offer(() => this.#keep(take())) })
      },
      poll: async (signal: AbortSignal) => {
        this.polls++
        const polled = await poll(signal)
        return polled === END_OF_INPUT ? polled : this.#keep(polled)
      },
    })
  }

  #keep(polled: Polled[]): Polled[] {
    if (this.#first.length === FIRST_RECORDS) return polled
    const errors = new ErrorHandler(LETTERS, this.#connector, 0, silent)
    for (const record of polled.flatMap(recordsOf).slice(0, FIRST_RECORDS - this.#first.length)) {
      const error = new Error('to be delivered again')
      const letter = errors.tolerate({ record, stage: 'TRANSFORMATION', className: 'Contract', error })!
      // The source may use the memory of the bytes again.
      const value = record.value instanceof Uint8Array ? Buffer.from(record.value) : record.value
      const copy = { ...letter, value: letter.value && Buffer.from(letter.value), headers: letter.headers ?? [] }
      this.#first.push([{ ...record, value }, readDeadLetter(copy)])
    }
    return polled
  }
}
