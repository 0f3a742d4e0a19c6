import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { Listeners } from '../log/listeners.ts'
import { StoreLog } from '../log/store-log.ts'
import type { StoreRecord } from '../types.ts'
import { InternalTopics } from '../topics/internal-topics.ts'
import {
  chunkKey,
  chunkRecord,
  eventRecord,
  readDeadLetterRecord,
  replayRecord,
  topicRecord,
} from './dead-letter-records.ts'
import { DeadLetterState } from './dead-letter-state.ts'
import type { LetterEvent, Replay, ReplayChunk } from './types.ts'

export interface DeadLetterStoreOptions {
  readonly connection: KafkaConnection
  readonly log: Logger
  /** As in StoresOptions. */
  readonly cluster: string
  /** The name of the topic; null: `<cluster>-connect-dead-letters`. */
  readonly topic: string | null
  /** Replicas with which the topic is created; -1 is the broker's default. */
  readonly replication: number
  /** Of the control plane's leader, which fences its predecessor by `claim`. */
  readonly transactionalId: string
  /** As `onConfigsLost` of StoresOptions. */
  readonly onLost: (error: Error) => void
  /** As in StoresOptions. */
  readonly deletedWaitMs?: number
}

/** What is written at once: all of it or nothing. */
export interface DeadLetterChanges {
  readonly topics?: readonly string[]
  readonly replays?: readonly Replay[]
  readonly chunks?: readonly ReplayChunk[]
  readonly events?: readonly LetterEvent[]
  /** To be removed. */
  readonly gone?: {
    readonly topics?: readonly string[]
    readonly replays?: readonly string[]
    readonly chunks?: readonly Pick<ReplayChunk, 'replay' | 'number'>[]
    readonly events?: readonly string[]
  }
}

export type DeadLetterSnapshot = Omit<DeadLetterState, 'apply'>

export interface DeadLetterStore {
  readonly snapshot: DeadLetterSnapshot
  readonly trouble: string | null
  start(signal: AbortSignal): Promise<void>
  refresh(signal?: AbortSignal): Promise<void>
  /** Becomes the one writer; see ConfigStore of the control plane. */
  claim(signal: AbortSignal): Promise<void>
  /** Resolves when it was read back. Rejects without a claim. */
  write(changes: DeadLetterChanges): Promise<void>
  /** Called for each event in its order, those of before the start included. */
  listen(listener: { event?(event: LetterEvent): void; changed?(): void }): () => void
  stop(): Promise<void>
}

/**
 * The store of what is done about dead letters, on a topic of one partition that Kafka Connect does not have: the topics to
 * follow, replays with their letters, and events. The leader of the control plane writes it in transactions.
 */
export class KafkaDeadLetterStore implements DeadLetterStore {
  readonly #state = new DeadLetterState()
  readonly #listeners: Listeners<{ event?(event: LetterEvent): void; changed?(): void }>
  readonly #log: StoreLog

  constructor(options: DeadLetterStoreOptions) {
    const { connection, log, cluster, topic: name, replication: replicationFactor, deletedWaitMs } = options
    const topic = { name: name ?? `${cluster}-connect-dead-letters`, partitions: 1, replicationFactor }
    const topics = new InternalTopics([{ ...topic, store: 'dead-letters' }], connection, log)
    this.#listeners = new Listeners(log)
    this.#log = new StoreLog({
      connection,
      log,
      driver: 'tributary',
      topic,
      onePartition: true,
      transactionalId: options.transactionalId,
      onWriterLost: options.onLost,
      prepared: (signal) => topics.prepare(signal),
      returnId: `${cluster}-return-dead-letters`,
      deletedWaitMs,
      parse: readDeadLetterRecord,
      onRecord: ({ value }, key) => {
        const event = this.#state.apply(readDeadLetterRecord(key, value))
        if (event !== null) this.#listeners.notify((listener) => listener.event?.(event))
        this.#listeners.notify((listener) => listener.changed?.())
      },
    })
  }

  get snapshot(): DeadLetterSnapshot {
    return this.#state
  }

  /** See StoreLog. */
  get trouble(): string | null {
    return this.#log.trouble
  }

  /** The name of the topic; known after `start`. */
  get topic(): string {
    return this.#log.topicName
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#log.start(signal)
  }

  refresh(signal?: AbortSignal): Promise<void> {
    return this.#log.refresh(signal)
  }

  claim(signal: AbortSignal): Promise<void> {
    return this.#log.claim(signal)
  }

  async write(changes: DeadLetterChanges): Promise<void> {
    const records = recordsOf(changes)
    if (records.length > 0) await this.#log.append(records)
  }

  listen(listener: { event?(event: LetterEvent): void; changed?(): void }): () => void {
    return this.#listeners.add(listener)
  }

  stop(): Promise<void> {
    return this.#log.stop()
  }
}

/** Exported for stores of tests, so that these hold what Kafka would. */
export function recordsOf({
  topics = [],
  replays = [],
  chunks = [],
  events = [],
  gone = {},
}: DeadLetterChanges): StoreRecord[] {
  const tombstones = [
    ...(gone.replays ?? []).map((id) => `replay:${id}`),
    ...(gone.chunks ?? []).map(({ replay, number }) => chunkKey(replay, number)),
    ...(gone.events ?? []).map((id) => `event:${id}`),
  ]
  return [
    ...topics.map((name) => topicRecord(name, true)),
    ...(gone.topics ?? []).map((name) => topicRecord(name, false)),
    ...chunks.map(chunkRecord),
    ...events.map(eventRecord),
    ...replays.map(replayRecord),
    ...tombstones.map((key) => ({ key, value: null })),
  ]
}
