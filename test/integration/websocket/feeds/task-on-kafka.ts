import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { MemoryBudget, type OffsetEntry, type Props, type TaskStats } from '@tributary/connect-api'
import { createTask, type Lease, resolveProps, systemClock, type TaskEnvironment } from '@tributary/connect-runtime'
import { createStores } from '@tributary/connect-storage'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { createProducerPool } from '@tributary/kafka-producer'
import { websocketSource } from '@tributary/ws-ingest'
import { type LogLine, rememberingLog } from '@tributary/telemetry/testing'
import { createTopic, type KeptRecord, readPartition } from '../../../support/kafka-topic.ts'

const CONVERTER = 'io.tributary.connect.converters.PlainConverter'
const DEFAULTS: Props = {
  'key.converter': CONVERTER,
  'value.converter': CONVERTER,
  'websocket.reconnect.interval.ms': '50',
}

/** No other worker wants the task. */
const LEASE: Lease = { valid: () => true, passed: () => Promise.resolve(), release: () => {} }

/** A task in the runtime, with the real producer and offset store, on the shared broker. */
export interface TaskOnKafka {
  readonly log: readonly LogLine[]
  readonly stats: TaskStats
  readonly state: string
  /** The reason of its failure; null: it has not failed. */
  readonly failure: Error | null
  /** The records in `kafka.topic`, `gap.topic` and the dead-letter topic. */
  kept(): Promise<readonly KeptRecord[]>
  gaps(): Promise<readonly KeptRecord[]>
  deadLetters(): Promise<readonly KeptRecord[]>
  /** The committed offsets, as another process reads them. */
  offsets(): Promise<readonly OffsetEntry[]>
  pause(): void
  resume(): void
  stop(): Promise<void>
}

/** Starts a task, which ends with the test. Names of topics and of the cluster are random. */
export async function startTaskOnKafka(t: TestContext, props: Props): Promise<TaskOnKafka> {
  const { brokers } = await sharedKafka()
  const connection = { brokers, clientId: 'ws-task' }
  const cluster = `ws-${randomUUID()}`
  const [topic, gapTopic, deadLetterTopic] = await Promise.all([1, 2, 3].map(() => createTopic(brokers)))
  const log: LogLine[] = []
  const logger = rememberingLog(log)
  const admin = new KafkaAdmin(connection)
  const { offsets } = createStores({ connection, log: logger, cluster })
  await offsets.start(t.signal)
  const environment: TaskEnvironment = {
    producers: createProducerPool(connection, 'tributary'),
    offsets,
    admin,
    exactlyOnceSource: false,
    handOverTimeoutMs: 10_000,
    dataDir: join(temporaryFolder('ws-task'), 'tasks'),
    groupId: `${cluster}-tasks`,
    defaults: DEFAULTS,
    providers: {},
    memory: new MemoryBudget(Infinity),
    clock: systemClock,
    log: logger,
  }
  const stored = {
    'kafka.topic': topic!,
    'gap.topic': gapTopic!,
    'errors.deadletterqueue.topic.name': deadLetterTopic!,
    'errors.deadletterqueue.context.headers.enable': 'true',
    ...props,
  }
  let failure: unknown = null
  const { run, stats } = createTask(environment, {
    id: { connector: 'feed', task: 0 },
    plugin: websocketSource,
    ...(await resolveProps(environment, websocketSource, stored)),
    lease: LEASE,
    onState: (_state, error) => (failure = error ?? failure),
    onTopic: () => {},
  })
  let stopped: Promise<void> | null = null
  const stop = async (): Promise<void> => {
    await run.stop()
    await offsets.stop()
    await admin.close()
  }
  const stopOnce = (): Promise<void> => (stopped ??= stop())
  t.after(stopOnce)
  void run.run()
  const read = (name: string) => (): Promise<KeptRecord[]> => readPartition(brokers, name)
  return {
    log,
    stats,
    get state() {
      return run.state
    },
    get failure() {
      return failure as Error | null
    },
    kept: read(topic!),
    gaps: read(gapTopic!),
    deadLetters: read(deadLetterTopic!),
    offsets: async () => {
      const other = createStores({ connection, log: logger, cluster }).offsets
      await other.start(t.signal)
      try {
        return other.offsets('feed')
      } finally {
        await other.stop()
      }
    },
    pause: () => run.pause(),
    resume: () => run.resume(),
    stop: stopOnce,
  }
}

/** The texts of records. */
export function texts(records: readonly KeptRecord[]): string[] {
  return records.map(({ value }) => String(value))
}
