import { setTimeout as wait } from 'node:timers/promises'
import {
  createTaskStats,
  END_OF_INPUT,
  MemoryBudget,
  type MemoryShare,
  type OffsetEntry,
  type Polled,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'
import { silentLog } from '@tributary/telemetry/testing'
import type { Queue } from '../src/message.ts'
import { sqsTask } from '../src/task.ts'
import {
  type Conversion,
  createCounters,
  type MessageFilter,
  type RecordMaker,
  type SqsCounters,
  type SqsTaskOptions,
  type SqsTaskParts,
} from '../src/task-parts.ts'
import { FakeClock, turns } from './fake-clock.ts'
import { FakeSqs } from './fake-sqs.ts'

const OPTIONS: SqsTaskOptions = {
  maxMessages: 10,
  waitSeconds: 10,
  visibilitySeconds: 30,
  maxLanes: 4,
  pollIntervalMs: 1000,
  mode: 'consume',
  deleteMessages: true,
  maxConversions: 8,
  maxRetries: 3,
  retryBackoffMs: 1000,
  deadLetters: true,
  deduplicate: true,
  deduplicationWindowMs: 300_000,
  maxRecords: 1000,
  maxBytes: 1_000_000,
  maxPollRecords: 500,
}

/** Converts a message to its body. */
export const PLAIN: Conversion = { convert: ({ body }) => ({ value: body }) }

/** Bare records: the value, and the message's id as key. */
export const RECORDS: RecordMaker = {
  record: ({ id }, { value }, place) => ({ ...place, topic: 't', key: id, value, timestamp: null }),
  deadLetter: ({ id, body }, { error, retries }, place) => ({
    ...place,
    topic: 'dlq',
    key: id,
    value: body,
    headers: [
      { name: 'error.message', value: error.message },
      { name: 'retry.count', value: retries },
    ],
    timestamp: null,
  }),
}

export interface RigOptions {
  readonly options?: Partial<SqsTaskOptions>
  readonly parts?: Partial<SqsTaskParts>
  readonly filter?: MessageFilter
  readonly converter?: Conversion
  readonly offsets?: readonly OffsetEntry[]
  readonly memory?: MemoryShare
  readonly sqs?: FakeSqs
  /** Whether a prefix names the queues. Default: false. */
  readonly mayGo?: boolean
}

/** A task on a fake queue, driven as the runtime drives it. Kafka takes everything at `acknowledge`. */
export class Rig {
  readonly clock: FakeClock
  readonly sqs: FakeSqs
  readonly task: SourceTask
  readonly counters: SqsCounters
  readonly stats = createTaskStats()
  /** Batches that were polled and not acknowledged. */
  readonly polled: Polled[][] = []
  /** Values of the records that Kafka has, in order. */
  readonly kafka: unknown[] = []
  /** What Kafka has as offsets, by the text of the partition. */
  readonly offsets = new Map<string, OffsetEntry>()
  readonly #removed: SourcePartition[] = []
  readonly #queues: () => readonly Queue[]
  readonly #options: RigOptions

  constructor(sqs: FakeSqs, queues: () => readonly Queue[], options: RigOptions = {}) {
    this.clock = sqs.clock as FakeClock
    this.sqs = sqs
    this.counters = createCounters()
    this.#queues = queues
    this.#options = options
    for (const entry of options.offsets ?? []) this.offsets.set(JSON.stringify(entry.partition), entry)
    this.task = sqsTask(() => ({
      api: sqs,
      queues: { resolve: async () => this.#queues(), lookAgainMs: 60_000, mayGo: () => options.mayGo ?? false },
      converter: options.converter ?? PLAIN,
      filter: options.filter ?? null,
      records: RECORDS,
      options: { ...OPTIONS, ...options.options },
      counters: this.counters,
      ...options.parts,
    }))
  }

  async start(): Promise<void> {
    await this.task.start(this.#context())
  }

  async connect(): Promise<void> {
    await this.task.connect(new AbortController().signal)
    await turns()
  }

  async open(): Promise<this> {
    await this.start()
    await this.connect()
    return this
  }

  /** Polls what is ready; [] if nothing is. Does not wait for messages. */
  async poll(): Promise<SourceRecord[]> {
    await turns()
    const given = new AbortController()
    const polled = this.task.poll(given.signal).catch((error: unknown) => {
      if (given.signal.aborted) return []
      throw error
    })
    // Awaited below; until then nobody handles a rejection.
    polled.catch(() => {})
    await turns()
    // With a backlog a poll waits for more messages.
    await this.clock.advance(20)
    given.abort(new Error('nothing is ready'))
    return this.#keep(await polled)
  }

  /** One poll, which may wait for a message, and throw. */
  async pollNow(): Promise<SourceRecord[]> {
    return this.#keep(await this.task.poll(new AbortController().signal))
  }

  /** Kafka takes the batches that were polled, in order. */
  async acknowledge(): Promise<void> {
    for (const batch of this.polled.splice(0)) {
      for (const partition of this.#removed.splice(0)) this.offsets.delete(JSON.stringify(partition))
      for (const record of batch as SourceRecord[]) {
        this.kafka.push(record.value)
        const { sourcePartition: partition, sourceOffset: offset } = record
        this.offsets.set(JSON.stringify(partition), { partition, offset })
      }
      this.task.commitBatch!(batch)
    }
    await turns()
  }

  /** Polls and acknowledges until nothing is ready, and the deletes are answered. */
  async deliver(): Promise<void> {
    for (let i = 0; i < 50; i++) {
      await this.poll()
      if (this.polled.length === 0) break
      await this.acknowledge()
    }
    await this.clock.advance(250)
  }

  async stop(): Promise<void> {
    this.task.drain!()
    const stopped = this.task.stop()
    // Fails rather than hangs when a stop waits for time to pass.
    await Promise.race([stopped, wait(2000).then(() => Promise.reject(new Error('the stop hangs')))])
    await turns()
  }

  #keep(answer: Polled[] | typeof END_OF_INPUT): SourceRecord[] {
    if (answer === END_OF_INPUT) throw new Error('the end of the input')
    if (answer.length > 0) this.polled.push(answer)
    return answer as SourceRecord[]
  }

  #context(): TaskContext {
    return {
      connector: 'c',
      task: 0,
      config: {},
      offset: (partition: SourcePartition): SourceOffset | null =>
        this.offsets.get(JSON.stringify(partition))?.offset ?? null,
      offsets: () => [...this.offsets.values()],
      removeOffsets: (partitions) => this.#removed.push(...partitions),
      log: silentLog,
      stats: this.stats,
      memory: this.#options.memory ?? new MemoryBudget(Infinity).share(),
      clock: this.clock,
      dataDir: '/nonexistent',
    }
  }
}

export function newSqs(): FakeSqs {
  return new FakeSqs(new FakeClock())
}

export const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `m${from + i}`)
