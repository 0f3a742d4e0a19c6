import { abortable, anySignal, sleep } from '@tributary/async'
import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { listOffsets } from '../admin/admin.ts'
import { Backoff } from '../cluster/backoff.ts'
import { Cluster, leadersOf } from '../cluster/cluster.ts'
import type { LogRecord } from './committed-records.ts'
import {
  createAgain,
  ensureCompactedTopic,
  markComplete,
  markIncomplete,
  type CompactedTopic,
} from './compacted-topic.ts'
import { KafkaError } from '../cluster/errors.ts'
import { tailLeader } from './tail.ts'
import { SharedRun } from './coalesce.ts'
import { Turns } from './coalesce.ts'

export interface CompactedLogOptions {
  readonly connection: KafkaConnection
  readonly topic: CompactedTopic
  readonly log: Logger
  /** Called for every record in the order of its partition, tombstones included. Synchronous; must not throw. */
  readonly onRecord: (record: LogRecord) => void
  /** The topic in use does not exist. Called with each look until it does. */
  readonly onDeleted?: () => void
  /** The topic was deleted, and another one has its name. Called before anything is read of that, from its beginning. */
  readonly onNewTopic?: () => void
}

/**
 * At most so many waiting callers continue in one turn of the event loop: of a thousand tasks that start after a
 * refresh, each takes some ms.
 */
const REFRESHED_PER_TURN = 32

/** Failures in a row that are not logged: a new topic has no leader yet, or a leader moves. */
const QUIET_TRIES = 2

/** Code of the error for a wait in a topic that was deleted. */
const TOPIC_DELETED = 'TOPIC_DELETED'
/** A log that read everything this many ms ago, or less, has missed nothing that was written before the topic was deleted. */
const COMPLETE_MS = 30_000
/** Wait before the log is asked whether it reads the topic that has the name now. */
const NEW_TOPIC_LOOK_MS = 20

/** The ends of the partitions of a topic, which were asked for at the time `askedAt` (ms since the epoch). */
interface Ends {
  readonly id: string
  readonly offsets: ReadonlyMap<number, bigint>
  readonly askedAt: number
}

interface Waiter {
  readonly ends: ReadonlyMap<number, bigint>
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/**
 * Tails all partitions of a compacted topic from the beginning, read_committed and without a consumer group. So it
 * starts without a rebalance, and every process sees every record. A lost connection is made again without limit.
 */
export class CompactedLog {
  readonly #options: CompactedLogOptions
  readonly #cluster: Cluster
  readonly #stop = new AbortController()
  /** An array, for the reason that ChangingSet gives: each write of an offset waits here. */
  #waiters: Waiter[] = []
  /** The next offset to apply, by partition. */
  readonly #positions = new Map<number, bigint>()
  /** Callers that refresh at the same time share one request and then continue in turns. */
  readonly #latestEnds = new SharedRun(() => this.#ends('latest'))
  readonly #turns = new Turns(REFRESHED_PER_TURN)
  #life: AbortSignal = this.#stop.signal
  #topicName: string
  #topicId: string | null = null
  #partitionsAtStart = -1
  /** When everything in the partition was last read, in ms since the epoch. */
  readonly #completeAt = new Map<number, number>()
  #running: Promise<void> | null = null

  constructor(options: CompactedLogOptions) {
    this.#options = options
    this.#topicName = options.topic.name
    this.#cluster = new Cluster(options.connection)
  }

  /** The name of the topic; after `start` possibly the former one. */
  get topicName(): string {
    return this.#topicName
  }
  /** The number of partitions of the topic; known after `start`. */
  get partitionCount(): number {
    return this.#positions.size
  }
  /** Kafka's id of the topic that is read. Another one means that the topic was deleted, and another one has its name. */
  get topicId(): string | null {
    return this.#topicId
  }
  /** Whether everything that was in the topic was read a moment ago. */
  get complete(): boolean {
    const since = Date.now() - COMPLETE_MS
    const { size } = this.#positions
    return size > 0 && [...this.#positions.keys()].every((partition) => (this.#completeAt.get(partition) ?? 0) >= since)
  }

  /**
   * Creates the topic when it is missing. Resolves when every record up to the last stable offset was passed to
   * `onRecord`. It does not wait for open transactions: the transaction of a killed worker stays open until its
   * successor, which starts here, fences it. An outage is waited for until `signal` aborts. The signal also ends the
   * tailing, like `stop`. Throws KafkaError INVALID_CONFIG for a topic that is not compacted.
   */
  async start(signal: AbortSignal): Promise<void> {
    this.#life = anySignal(signal, this.#stop.signal)
    // One listener for all that wait: a removed listener refers to the next one, so that they would not be free one by one.
    this.#life.addEventListener('abort', () => this.#rejectWaiters(this.#life.reason), { once: true })
    const { connection, topic, log } = this.#options
    this.#topicName = await ensureCompactedTopic(connection, topic, log, this.#life)
    this.#running = this.#run()
    await this.#readToEnd(await this.#ends('stable'), undefined)
    this.#partitionsAtStart = this.partitionCount
  }

  /**
   * Creates the topic again after its deletion, with as many partitions as it had at the start, and marked as incomplete.
   * A topic that somebody else has created meanwhile is made compacted.
   */
  createAgain(signal: AbortSignal): Promise<void> {
    const { connection, topic, log } = this.#options
    const { replicationFactor } = topic
    const partitions = this.#partitionsAtStart
    return createAgain(connection, { name: this.#topicName, partitions, replicationFactor }, log, signal)
  }

  /** Marks the topic as incomplete, if it is not marked: somebody else has created it. */
  markIncomplete(signal: AbortSignal): Promise<void> {
    return markIncomplete(this.#options.connection, this.#topicName, signal)
  }

  /** Removes the mark: the topic holds everything. */
  markComplete(signal: AbortSignal): Promise<void> {
    return markComplete(this.#options.connection, this.#topicName, signal)
  }

  /**
   * Resolves when every record that is in the topic now was passed to `onRecord`. Waits for a deleted topic to be created
   * again. Waits for open transactions to end,
   * as Connect does by asking for the high watermark: a committed offset may stand after a record of an open
   * transaction of somebody else.
   */
  async refresh(signal?: AbortSignal): Promise<void> {
    const until = signal ? AbortSignal.any([signal, this.#life]) : this.#life
    for (;;) {
      try {
        await this.#readToEnd(await abortable(this.#latestEnds.ask(), until), signal)
        return await this.#turns.next()
      } catch (error) {
        if (!(error instanceof KafkaError) || error.code !== TOPIC_DELETED) throw error
      }
    }
  }

  /**
   * Resolves when the record at `offset` was passed to `onRecord`, or skipped (aborted, or removed by compaction).
   * `topicId`: the topic that was read before the record was written. Rejects with KafkaError TOPIC_DELETED when the log
   * reads another one.
   */
  async readTo(partition: number, offset: bigint, topicId: string | null, signal?: AbortSignal): Promise<void> {
    if (topicId !== this.#topicId) throw this.#deleted()
    await this.#reach(new Map([[partition, offset + 1n]]), signal)
  }

  /** Ends the tailing and waits for its end. Pending waits reject. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort(new KafkaError('CLOSED', `the log of topic ${this.#topicName} is closed`, false))
    await this.#running
    await this.#cluster.close()
  }

  async #ends(at: 'latest' | 'stable'): Promise<Ends> {
    const backoff = new Backoff(50, 1000)
    for (;;) {
      const askedAt = Date.now()
      try {
        const { id, offsets } = await abortable(listOffsets(this.#cluster, this.#topicName, at), this.#life)
        if (this.#topicId === null || id === this.#topicId) return { id, offsets, askedAt }
        await sleep(NEW_TOPIC_LOOK_MS, this.#life)
      } catch (error) {
        if (this.#life.aborted || !(error instanceof KafkaError) || !error.retriable) throw error
        await sleep(backoff.next(), this.#life)
      }
    }
  }

  /** A broker answers a fetch that finds nothing after seconds, so a topic without records would not count as read until then. */
  async #readToEnd({ id, offsets, askedAt }: Ends, signal: AbortSignal | undefined): Promise<void> {
    await this.#reach(offsets, signal)
    if (id !== this.#topicId) return
    for (const partition of offsets.keys()) {
      this.#completeAt.set(partition, Math.max(askedAt, this.#completeAt.get(partition) ?? 0))
    }
  }

  async #reach(ends: ReadonlyMap<number, bigint>, signal: AbortSignal | undefined): Promise<void> {
    if (this.#reached(ends)) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#life.throwIfAborted()
    const waiter = { ends, resolve, reject }
    this.#waiters.push(waiter)
    if (signal === undefined) return promise
    try {
      await abortable(promise, signal)
    } catch (error) {
      this.#waiters = this.#waiters.filter((other) => other !== waiter)
      throw error
    }
  }

  #reached(ends: ReadonlyMap<number, bigint>): boolean {
    for (const [partition, end] of ends) if ((this.#positions.get(partition) ?? -1n) < end) return false
    return true
  }

  #wake(): void {
    if (this.#waiters.length === 0) return
    const waiting: Waiter[] = []
    for (const waiter of this.#waiters) {
      if (this.#reached(waiter.ends)) waiter.resolve()
      else waiting.push(waiter)
    }
    this.#waiters = waiting
  }

  #rejectWaiters(reason: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason)
  }

  async #run(): Promise<void> {
    const { log } = this.#options
    const backoff = new Backoff(100, 1000)
    const progress = (): void => {
      if (backoff.attempts > QUIET_TRIES)
        log.info('log_reconnected', { topic: this.#topicName, attempts: backoff.attempts })
      backoff.reset()
      this.#wake()
    }
    while (!this.#life.aborted) {
      try {
        await this.#tailAll(progress)
      } catch (error) {
        if (this.#life.aborted) return
        if (backoff.attempts === QUIET_TRIES)
          log.warn('log_disconnected', { topic: this.#topicName, error: (error as Error).message })
        await sleep(backoff.next(), this.#life).catch(() => undefined)
      }
    }
  }

  /**
   * Finds the leaders and reads all of them until one fails. Then the others end too, because leaders may have moved.
   */
  async #tailAll(onProgress: () => void): Promise<void> {
    const { log } = this.#options
    const topic = this.#topicName
    const { id, leaders } = await this.#describe()
    if (this.#topicId !== null && this.#topicId !== id) this.#beginAnew()
    this.#topicId = id
    for (const partition of leaders.keys()) {
      if (!this.#positions.has(partition)) this.#positions.set(partition, 0n)
    }
    // An empty topic is read to its end already.
    this.#wake()
    const round = new AbortController()
    const signal = AbortSignal.any([this.#life, round.signal])
    const tails = Array.from(
      Map.groupBy(leaders.keys(), (partition) => leaders.get(partition)!),
      ([node, partitions]) =>
        tailLeader(
          {
            cluster: this.#cluster,
            node,
            topic,
            topicId: id,
            positions: this.#positions,
            partitions,
            onRecords: (records) => this.#handOut(records),
            onProgress,
            onUnreadable: (partition, offset, reason) =>
              log.error('log_batch_skipped', { topic, partition, offset, reason }),
            onReset: (partition, to) => log.warn('log_offset_reset', { topic, partition, to }),
            onEnd: (partition, at) => void this.#completeAt.set(partition, at),
          },
          signal,
        ),
    )
    try {
      await Promise.race(tails)
    } finally {
      round.abort(new KafkaError('NETWORK', 'another leader of the topic failed', true))
      await Promise.allSettled(tails)
    }
  }

  async #describe(): ReturnType<typeof leadersOf> {
    try {
      return await leadersOf(this.#cluster, this.#topicName)
    } catch (error) {
      if (this.#topicId !== null && error instanceof KafkaError && error.code === 'UNKNOWN_TOPIC_OR_PARTITION') {
        this.#options.onDeleted?.()
      }
      throw error
    }
  }

  /** Another topic has the name. Whoever waits for an offset of the old one waits in vain. */
  #beginAnew(): void {
    const { log, onNewTopic } = this.#options
    log.warn('topic_recreated', { topic: this.#topicName })
    onNewTopic?.()
    this.#positions.clear()
    this.#completeAt.clear()
    this.#rejectWaiters(this.#deleted())
  }

  #deleted(): KafkaError {
    return new KafkaError(TOPIC_DELETED, `topic ${this.#topicName} was deleted, and another one has its name`, true)
  }

  #handOut(records: readonly LogRecord[]): void {
    for (const record of records) {
      try {
        this.#options.onRecord(record)
      } catch (error) {
        // One bad record must not keep the following records from the service.
        const { partition, offset } = record
        const { log } = this.#options
        log.error('log_record_failed', { topic: this.#topicName, partition, offset, error: (error as Error).stack })
      }
    }
  }
}
