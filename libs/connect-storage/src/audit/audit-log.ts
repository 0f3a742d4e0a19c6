import { abortable, anySignal, sleep } from '@tributary/async'
import type { KafkaConnection } from '@tributary/config'
import { ConnectError } from '@tributary/connect-api'
import { KafkaAdmin, KafkaError, type LogRecord, PartitionReader } from '@tributary/kafka'
import { createProducer, type KafkaProducer } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import { storageErrors } from '../errors.ts'
import type { AuditEntry, AuditLog, AuditQuery } from '../types.ts'
import { auditRecord, readAuditRecord } from './audit-records.ts'

export interface AuditLogOptions {
  readonly connection: KafkaConnection
  readonly log: Logger
  readonly cluster: string
  /** The name of the topic; null: `<cluster>-connect-audit`. */
  readonly topic: string | null
  /** Replicas with which the topic is created; -1 is the broker's default. */
  readonly replication: number
  readonly retentionMs: number
  /** How long `append` waits, in ms. */
  readonly writeTimeoutMs?: number
}

interface Waiting {
  readonly entry: AuditEntry
  readonly value: Buffer
  readonly done: PromiseWithResolvers<void>
}

const WRITE_TIMEOUT_MS = 5000
/** Entries that wait for Kafka. More are dropped, the oldest first; the log has them all. */
const MAX_WAITING = 1000
const BATCH = 100
const RETRY_MS = { first: 250, most: 2000 } as const
/** The time between two tries to make the topic after Kafka refused that, in ms. */
const PREPARE_AGAIN_MS = 1000
/** The work of one read: so many offsets at a time, and so many in all. */
const WINDOW = 1000n
const MAX_SCANNED = 50_000n
const READ_TIMEOUT_MS = 20_000
/**
 * By how much, in ms, an entry may be older than one that is written before: sums of refused requests are written a minute
 * later, clocks differ, and Kafka takes times up to an hour ahead (message.timestamp.after.max.ms).
 */
const OUT_OF_ORDER_MS = 3_600_000 + 120_000
const STOP_MS = 1000

/** The audit topic: one partition, which only grows, and whose records go by age. */
export class KafkaAuditLog implements AuditLog {
  readonly topic: string
  readonly #options: AuditLogOptions
  readonly #life = new AbortController()
  #queue: readonly Waiting[] = []
  #trouble: string | null = null
  #flushing: Promise<void> = Promise.resolve()
  #isFlushing = false
  #producer: KafkaProducer | null = null
  #prepared = false
  #reader: PartitionReader | null = null

  constructor(options: AuditLogOptions) {
    this.#options = options
    this.topic = options.topic ?? `${options.cluster}-connect-audit`
  }

  get trouble(): string | null {
    return this.#trouble
  }

  /** Makes the topic. Waits for Kafka; any other failure becomes `trouble`, and is tried again with the next entry. */
  async start(signal: AbortSignal): Promise<void> {
    const ends = anySignal(signal, this.#life.signal)
    for (;;) {
      try {
        return await this.#prepare(ends)
      } catch (error) {
        if (ends.aborted) throw error
        this.#failed(error)
        if (!(error instanceof KafkaError && error.retriable)) return void this.#prepareLater(ends)
        await sleep(RETRY_MS.first, ends)
      }
    }
  }

  async #prepareLater(signal: AbortSignal): Promise<void> {
    while (!this.#prepared && !signal.aborted) {
      await sleep(PREPARE_AGAIN_MS, signal).catch(() => undefined)
      if (!signal.aborted)
        await this.#prepare(signal).then(
          () => this.#recovered(),
          (error: unknown) => this.#failed(error),
        )
    }
  }

  async append(entry: AuditEntry): Promise<void> {
    const waiting: Waiting = { entry, value: auditRecord(entry), done: Promise.withResolvers() }
    waiting.done.promise.catch(() => undefined)
    for (const { done } of this.#queue.slice(0, -(MAX_WAITING - 1))) done.reject(this.#refusal())
    this.#queue = [...this.#queue.slice(-(MAX_WAITING - 1)), waiting]
    if (!this.#isFlushing) this.#flushing = this.#flush()
    const timeout = AbortSignal.timeout(this.#options.writeTimeoutMs ?? WRITE_TIMEOUT_MS)
    try {
      await abortable(waiting.done.promise, timeout)
    } catch (error) {
      if (timeout.aborted) this.#failed(new Error('Kafka does not answer in time'))
      this.#options.log.error('audit_entry_unwritten', { entry: JSON.stringify(entry), error })
      throw this.#refusal()
    }
  }

  async read({
    before,
    from,
    to,
    limit,
    matches,
  }: AuditQuery): Promise<{ entries: AuditEntry[]; next: bigint | null }> {
    const deadline = performance.now() + READ_TIMEOUT_MS
    const reader = (this.#reader ??= new PartitionReader(this.#options.connection, this.topic, 0))
    const offset = async (at: 'earliest' | 'latest' | number): Promise<bigint | null> => reader.offset(at)
    const end = (await offset('latest')) ?? 0n
    const after = to === null ? null : await offset(to + 1 + OUT_OF_ORDER_MS)
    const lowest = from === null ? ((await offset('earliest')) ?? 0n) : ((await offset(from)) ?? end)
    const highest = [end, before, after].reduce<bigint>((low, each) => (each !== null && each < low ? each : low), end)
    const entries: AuditEntry[] = []
    for (let high = highest; high > lowest;) {
      const low = high - WINDOW > lowest ? high - WINDOW : lowest
      const found: { entry: AuditEntry; offset: bigint }[] = []
      await reader.scan(low, high, (record) => {
        const entry = this.#read(record)
        if (entry === null || (from !== null && entry.time < from) || (to !== null && entry.time > to)) return
        if (matches(entry)) found.push({ entry, offset: record.offset })
        if (found.length > limit) found.shift()
      })
      for (const { entry, offset: at } of found.reverse()) {
        entries.push(entry)
        if (entries.length === limit) return { entries, next: at > lowest ? at : null }
      }
      if (low > lowest && (highest - low >= MAX_SCANNED || performance.now() > deadline)) return { entries, next: low }
      high = low
    }
    return { entries, next: null }
  }

  async stop(): Promise<void> {
    await Promise.race([this.#flushing, sleep(STOP_MS, this.#life.signal).catch(() => undefined)])
    this.#life.abort(new Error('the audit log was stopped'))
    await this.#flushing.catch(() => undefined)
    await this.#producer?.close()
    await this.#reader?.close()
  }

  async #flush(): Promise<void> {
    this.#isFlushing = true
    let wait: number = RETRY_MS.first
    while (this.#queue.length > 0 && !this.#life.signal.aborted) {
      const batch = this.#queue.slice(0, BATCH)
      try {
        await this.#send(batch)
        this.#queue = this.#queue.filter((each) => !batch.includes(each))
        for (const { done } of batch) done.resolve()
        wait = RETRY_MS.first
        this.#recovered()
      } catch (error) {
        if (this.#life.signal.aborted) break
        this.#failed(error)
        for (const { done } of this.#queue) done.reject(error)
        await sleep(wait, this.#life.signal).catch(() => undefined)
        wait = Math.min(2 * wait, RETRY_MS.most)
      }
    }
    this.#isFlushing = false
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const signal = AbortSignal.any([
      this.#life.signal,
      AbortSignal.timeout(this.#options.writeTimeoutMs ?? WRITE_TIMEOUT_MS),
    ])
    if (!this.#prepared) await this.#prepare(signal)
    try {
      const producer = (this.#producer ??= await this.#startProducer(signal))
      const records = batch.map(({ entry, value }) => {
        return { topic: this.topic, partition: 0, key: null, value, timestamp: entry.time }
      })
      const { failures } = await producer.send(records, signal)
      for (const { index, error } of failures) {
        if (error.code !== 'RECORD_TOO_LARGE') throw error
        batch[index]!.done.reject(error)
      }
    } catch (error) {
      // The topic may have been deleted, and a producer is of no use after a fatal error.
      this.#prepared = false
      if (!(error instanceof ConnectError) || error.kind !== 'retriable') {
        await this.#producer?.close()
        this.#producer = null
      }
      throw error
    }
  }

  async #startProducer(signal: AbortSignal): Promise<KafkaProducer> {
    const producer = createProducer(this.#options.connection, { driver: 'tributary' })
    try {
      await producer.start(signal)
      return producer
    } catch (error) {
      await producer.close()
      throw error
    }
  }

  /** Creates the topic where it is missing, and gives it the retention that is set. */
  async #prepare(signal: AbortSignal): Promise<void> {
    const { connection, replication, retentionMs } = this.#options
    const wanted = { 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs) }
    const admin = new KafkaAdmin(connection, { timeoutMs: 10_000 })
    try {
      const name = this.topic
      const isThere = (await admin.describeTopics([name], signal)).get(name) !== null
      const topic = { name, partitions: 1, replicationFactor: replication, configs: wanted }
      // A broker may not know yet what somebody else has just created.
      if (isThere || !(await admin.createTopic(topic, signal))) {
        const config = await admin.topicConfig(name, Object.keys(wanted), signal)
        if (config.get('cleanup.policy') !== 'delete') {
          throw storageErrors.AUDIT_TOPIC_POLICY(
            `the audit topic ${name} has cleanup.policy=${config.get('cleanup.policy')}, so its records do not stay: set cleanup.policy=delete`,
          )
        }
        if (config.get('retention.ms') !== wanted['retention.ms']) {
          await admin.alterTopicConfig(name, { 'retention.ms': wanted['retention.ms'] }, signal)
        }
      }
      this.#prepared = true
    } finally {
      await admin.close()
    }
  }

  #recovered(): void {
    if (this.#trouble !== null) this.#options.log.info('audit_writes_up', { topic: this.topic })
    this.#trouble = null
  }

  #failed(error: unknown): void {
    const reason = (error as Error).message
    if (this.#trouble === null) this.#options.log.error('audit_writes_down', { topic: this.topic, error })
    this.#trouble = `The audit topic ${this.topic} cannot be written: ${reason}`
  }

  #refusal(): Error {
    return storageErrors.AUDIT_UNWRITTEN(this.#trouble ?? `The audit topic ${this.topic} cannot be written.`)
  }

  /** null for a record that is no entry. */
  #read({ offset, value }: LogRecord): AuditEntry | null {
    try {
      return value === null ? null : readAuditRecord(value)
    } catch (error) {
      this.#options.log.debug('audit_record_skipped', { offset, error })
      return null
    }
  }
}
