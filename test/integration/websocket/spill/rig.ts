import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { MemoryBudget, type Props, type TaskStats } from '@tributary/connect-api'
import { createTask, type CreatedTask, type Lease, resolveProps, systemClock } from '@tributary/connect-runtime'
import { createStores } from '@tributary/connect-storage'
import { type ProxiedKafka, temporaryFolder } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { createProducerPool } from '@tributary/kafka-producer'
import { websocketSource } from '@tributary/ws-ingest'
import { numbersIn } from '../../../support/delivered.ts'
import { LiveNumbers, type LiveNumbersOptions } from '../../../support/live-numbers.ts'
import { type LogLine, rememberingLog } from '@tributary/telemetry/testing'
import { createTopic, readPartition } from '../../../support/kafka-topic.ts'

const CONVERTER = 'io.tributary.connect.converters.PlainConverter'
/** No other worker wants the task. */
const LEASE: Lease = { valid: () => true, passed: () => Promise.resolve(), release: () => {} }

/** One run of the task. */
export interface Run {
  readonly stats: TaskStats
  readonly state: string
  stop(): Promise<void>
}

/** A live feed of numbers, a task that reads the feed into a topic in several runs, and a Kafka that can be away. */
export interface SpillRig {
  readonly source: LiveNumbers
  readonly log: readonly LogLine[]
  /** The task's own folder on this host. */
  readonly folder: string
  /** Paths of the segments on disk, in order. */
  segments(): Promise<string[]>
  start(more?: Props): Promise<Run>
  kafka(state: 'up' | 'down'): void
  /** The numbers in the topic, in order. */
  numbers(): Promise<number[]>
  events(name: string): readonly LogLine[]
}

/** `props` are the connector's keys besides URL and topic. Everything is removed with the test. */
export async function startSpillRig(
  t: TestContext,
  kafka: ProxiedKafka,
  numbers: LiveNumbersOptions,
  props: Props,
): Promise<SpillRig> {
  t.after(() => kafka.proxy.thaw())
  const source = await LiveNumbers.listen(numbers)
  t.after(() => source.close())
  const connection = { brokers: [kafka.proxy.address], clientId: 'ws-spill' }
  const cluster = `ws-${randomUUID()}`
  const topic = await createTopic(kafka.direct)
  const dataDir = temporaryFolder('ws-spill')
  const log: LogLine[] = []
  const logger = rememberingLog(log)
  const admin = new KafkaAdmin(connection)
  t.after(() => admin.close())
  const stored = {
    'websocket.url': `ws://127.0.0.1:${source.port}/`,
    'websocket.reconnect.interval.ms': '50',
    'kafka.topic': topic,
    'overflow.policy': 'spill',
    'key.converter': CONVERTER,
    'value.converter': CONVERTER,
    ...props,
  }

  const start = async (more: Props = {}): Promise<Run> => {
    const { offsets } = createStores({ connection, log: logger, cluster })
    await offsets.start(t.signal)
    const environment = {
      producers: createProducerPool(connection, 'tributary'),
      offsets,
      admin,
      exactlyOnceSource: false,
      handOverTimeoutMs: 10_000,
      dataDir,
      groupId: `${cluster}-tasks`,
      defaults: {},
      providers: {},
      memory: new MemoryBudget(Infinity),
      clock: systemClock,
      log: logger,
    } as const
    const { run, stats }: CreatedTask = createTask(environment, {
      id: { connector: 'feed', task: 0 },
      plugin: websocketSource,
      ...(await resolveProps(environment, websocketSource, { ...stored, ...more })),
      lease: LEASE,
      onState: () => {},
      onTopic: () => {},
    })
    let stopped: Promise<void> | null = null
    const stop = (): Promise<void> => (stopped ??= run.stop().then(() => offsets.stop()))
    t.after(stop)
    void run.run()
    return {
      stats,
      get state() {
        return run.state
      },
      stop,
    }
  }

  const folder = join(dataDir, 'feed', '0')
  return {
    source,
    log,
    folder,
    segments: async () => {
      const names = await readdir(folder).catch(() => [])
      return names
        .filter((name) => name.endsWith('.spill'))
        .sort()
        .map((name) => join(folder, name))
    },
    start,
    kafka: (state) => (state === 'down' ? kafka.proxy.refuse() : kafka.proxy.thaw()),
    numbers: async () => numbersIn(await readPartition(kafka.direct, topic)),
    events: (name) => log.filter(({ event }) => event === name),
  }
}
