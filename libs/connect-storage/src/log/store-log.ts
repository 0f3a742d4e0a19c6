import { AsyncLocalStorage } from 'node:async_hooks'
import { abortable, anySignal, sleep } from '@tributary/async'
import { ConnectError, errorCode } from '@tributary/connect-api'
import { CompactedLog, type CompactedTopic, type LogRecord } from '@tributary/kafka'
import { createProducer, partitionForKey, producerErrors, type KafkaProducer } from '@tributary/kafka-producer'
import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { storageErrors } from '../errors.ts'
import { refusalOf } from '../schema/checks.ts'
import { SkippedRecords } from '../schema/skipped-records.ts'
import type { Beside, OtherLog, StoreRecord } from '../types.ts'
import { type ImageRecord, TopicImage } from '../topics/topic-image.ts'
import { TopicReturn } from '../topics/topic-return.ts'
import { type Positions, TransactionWriter } from './transaction-writer.ts'

export interface StoreLogOptions {
  readonly connection: KafkaConnection
  readonly topic: CompactedTopic
  readonly log: Logger
  readonly driver: KafkaProducer['driver']
  /** Every write is a transaction of this id. Claiming the id fences its earlier writers (KIP-98). */
  readonly transactionalId?: string | undefined
  /** Called when the claim is lost. Every write then rejects until the next `claim`. */
  readonly onWriterLost?: ((error: Error) => void) | undefined
  /** `maySend` of kafka-producer's ProducerOptions. */
  readonly maySend?: (() => boolean) | undefined
  /** `live` is false for a record that was in the topic before the start. */
  readonly onRecord: (record: LogRecord, key: string, live: boolean) => void
  /** Parses a record that is to be written. Throws for one that every reader would skip, which is then not written. */
  readonly parse?: (key: string, value: Uint8Array | null) => unknown
  /** Records that count once, when they are read: they are not written back after a deletion of the topic. */
  readonly isTransient?: (key: string) => boolean
  /** The topic must have one partition, to keep an order. */
  readonly onePartition?: boolean
  /** Awaited before the start. It looks at all internal topics and creates them. */
  readonly prepared: (signal: AbortSignal) => Promise<void>
  /** Transactional id of those who write a deleted topic back. It keeps them apart. */
  readonly returnId: string
  /** How long a write waits for a deleted topic, in ms; absent: until its signal aborts. It then rejects with INTERNAL_TOPIC_DELETED. */
  readonly deletedWaitMs?: number | undefined
}

/** A record of another store's topic among those of a transaction. */
interface ForeignRecord extends StoreRecord {
  readonly log: OtherLog
}

interface Returning {
  readonly work: TopicReturn
  readonly done: Promise<void>
}

/**
 * After this time, in ms, the coordinator aborts the open transaction of a dead writer, unless a successor's claim has
 * aborted it before. Until then readers see nothing behind the transaction. A write takes about 5 ms.
 */
const TRANSACTION_TIMEOUT_MS = 10_000
/** The same for writing a whole topic back. */
const RETURN_TIMEOUT_MS = 60_000
/** Records of one request when a topic is written back. */
const RETURN_RECORDS = 5000
/** A write failed because the topic is not there: Kafka's code, and that of CompactedLog. */
const DELETED_CODES: readonly (string | undefined)[] = ['UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_DELETED']

/**
 * The common part of the stores: a tail of a compacted topic, and a producer. A write is done when it was read back, so
 * that the writer sees what everyone else sees. The producer starts with the first write. A transactional producer
 * starts only in `claim`, because its start fences every other holder of the id.
 */
export class StoreLog implements OtherLog {
  readonly #options: StoreLogOptions
  readonly #log: CompactedLog
  #producer: Promise<KafkaProducer> | null = null
  #life: AbortSignal = AbortSignal.abort(new Error('the store was not started'))
  readonly #stop = new AbortController()
  #ends = new WeakMap<AbortSignal, AbortSignal>()
  /** All callers share the producer, so its sockets must not keep the async context of the first caller. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot()
  #live = false
  /** The writer of the last claim; null before the first claim. */
  #writer: TransactionWriter | null = null
  readonly #image: TopicImage
  readonly #skipped: SkippedRecords
  /** The deleted topic's way back, and its end; null while the topic is there. */
  #return: Returning | null = null

  constructor(options: StoreLogOptions) {
    this.#options = options
    this.#image = new TopicImage(options.isTransient ?? (() => false))
    this.#skipped = new SkippedRecords(options.log, () => this.topicName)
    this.#log = new CompactedLog({
      ...options,
      onRecord: (record) => this.#read(record),
      onDeleted: () => this.#deleted(),
      onNewTopic: () => {
        if (this.#return === null) this.#deleted()
        this.#image.newTopic()
      },
    })
  }

  /** Why nothing can be written, in a sentence; null while the topic is there. */
  get trouble(): string | null {
    return this.#return?.work.trouble ?? null
  }

  /** The name of the topic in use; known after `start`. */
  get topicName(): string {
    return this.#log.topicName
  }
  get partitionCount(): number {
    return this.#log.partitionCount
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#life = anySignal(signal, this.#stop.signal)
    this.#ends = new WeakMap()
    await this.#options.prepared(this.#life)
    await this.#log.start(signal)
    this.#skipped.started()
    this.#mustHaveOrder()
    this.#live = true
  }

  /** Reads to the present end. Waits until a deleted topic is back. */
  async refresh(signal?: AbortSignal): Promise<void> {
    if (this.#return) await abortable(this.#return.done, signal ? AbortSignal.any([signal, this.#life]) : this.#life)
    await this.#log.refresh(signal)
  }

  /**
   * Writes `records` in order and resolves when they were read back. A transactional write is all or none. An outage is
   * retried until the store's or the given signal aborts, and so is the deletion of the topic, for `deletedWaitMs`.
   * Rejects with FencedError, or with the error of a refused record; with INTERNAL_RECORD_REFUSED for a record that readers
   * would skip. Records `beside` are of another topic, and are written with these or not at all.
   */
  async append(own: readonly StoreRecord[], signal?: AbortSignal, beside?: Beside): Promise<void> {
    for (const record of own) this.check(record)
    for (const record of beside?.records ?? []) beside!.log.check(record)
    const records = [
      ...own,
      ...(beside?.records.map((record): ForeignRecord => ({ ...record, log: beside.log })) ?? []),
    ]
    const ends = signal ? this.#endOf(signal) : this.#life
    for (;;) {
      await this.back(ends)
      await beside?.log.back(ends)
      const { topicId } = this.#log
      try {
        const positions = await (this.#options.transactionalId === undefined
          ? this.#sendPlain(records, ends)
          : abortable(this.#claimed().write(records), ends))
        for (const [partition, offset] of positions) await this.#log.readTo(partition, offset, topicId, ends)
        await beside?.log.refresh(ends)
        // During the write the topic was deleted. Only once it is back is known what became of the write.
        if (this.#return === null && beside?.log.returning !== true) return
      } catch (error) {
        // What was written to a topic that is gone was not written.
        if (!DELETED_CODES.includes(errorCode(error))) throw error
      }
    }
  }

  /** Aborts with the signal or with the store's life. Made once for each signal: a task writes all its offsets with one. */
  #endOf(signal: AbortSignal): AbortSignal {
    let ends = this.#ends.get(signal)
    if (ends === undefined) this.#ends.set(signal, (ends = anySignal(signal, this.#life)))
    return ends
  }

  /**
   * Becomes the writer of the transactional id and fences the predecessor, then reads what the predecessor wrote. If
   * the signal aborts, the claim rejects and this store is not the writer.
   */
  async claim(signal: AbortSignal): Promise<void> {
    const ends = AbortSignal.any([signal, this.#life])
    await this.#dropProducer()
    const producer = await this.#startProducer(ends)
    try {
      await this.refresh(ends)
      ends.throwIfAborted()
    } catch (error) {
      await producer.close()
      throw error
    }
    this.#writer = new TransactionWriter({
      producer,
      send: (...args) => this.#send(...args),
      signal: this.#life,
      onLost: (error) => this.#options.onWriterLost?.(error),
    })
  }

  /** Stops the store. Writes under way reject. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error(`the store on topic ${this.topicName} is closed`))
    await this.#log.stop()
    this.#skipped.stop()
    await this.#dropProducer()
  }

  #deleted(): void {
    if (!this.#live) return
    if (this.#return !== null) return this.#return.work.deletedAgain()
    const { log } = this.#options
    const work = new TopicReturn({
      tail: this.#log,
      image: this.#image,
      exclusively: (records, signal) => this.#writeBack(records, signal),
      check: () => this.#mustHaveOrder(),
      log,
    })
    const done = this.#inOwnContext(() => work.run(this.#life)).then(() => void (this.#return = null))
    // The stop of the store ends the work. Whoever waits has the same signal.
    done.catch(() => undefined)
    this.#return = { work, done }
  }

  get returning(): boolean {
    return this.#return !== null
  }

  async back(signal: AbortSignal): Promise<void> {
    if (this.#return === null) return
    const { work, done } = this.#return
    const { deletedWaitMs } = this.#options
    if (deletedWaitMs === undefined) return abortable(done, signal)
    const over = new AbortController()
    const late = sleep(deletedWaitMs, AbortSignal.any([signal, over.signal])).then(() => {
      throw storageErrors.INTERNAL_TOPIC_DELETED(`${work.trouble} Nothing was written; try again once it is back.`)
    })
    await Promise.race([done, late]).finally(() => {
      over.abort()
      late.catch(() => undefined)
    })
  }

  /** The start of a producer with the common id ends the transaction of any other who writes back. */
  async #writeBack(records: () => Promise<readonly ImageRecord[]>, signal: AbortSignal): Promise<void> {
    const { connection, driver, returnId } = this.#options
    const producer = createProducer(connection, {
      driver,
      transactionalId: returnId,
      transactionTimeoutMs: RETURN_TIMEOUT_MS,
    })
    try {
      await producer.start(signal)
      const lacking = await records()
      producer.beginTransaction()
      for (let from = 0; from < lacking.length; from += RETURN_RECORDS) {
        await this.#send(producer, lacking.slice(from, from + RETURN_RECORDS), signal)
      }
      await producer.commitTransaction(signal)
    } finally {
      await producer.close()
    }
  }

  #mustHaveOrder(): void {
    const { partitionCount: count, topicName: topic } = this
    if (this.#options.onePartition !== true || count === 1) return
    throw storageErrors.CONFIG_TOPIC_PARTITIONS(
      `the config topic ${topic} has ${count} partitions; it must have one, to keep an order. Delete it, if it is empty`,
    )
  }

  #read(record: LogRecord): void {
    const refusal = refusalOf(record.key, record.value)
    if (refusal !== null) return this.#skipped.add(record, refusal)
    const key = record.key!.toString()
    if (!this.#image.apply(record, key)) return
    try {
      this.#options.onRecord(record, key, this.#live)
    } catch (error) {
      this.#skipped.add(record, (error as Error).message)
    }
  }

  check({ key, value }: StoreRecord): void {
    const bytes = Buffer.from(key as string)
    try {
      const refusal = refusalOf(bytes, value)
      if (refusal !== null) throw new Error(refusal)
      this.#options.parse?.(bytes.toString(), value)
    } catch (error) {
      const reason = (error as Error).message
      throw storageErrors.INTERNAL_RECORD_REFUSED(`Nothing was written to ${this.topicName}: ${reason}.`)
    }
  }

  async #sendPlain(records: readonly StoreRecord[], signal: AbortSignal): Promise<Positions> {
    const producer = this.#plainProducer(signal)
    try {
      return await this.#send(await abortable(producer, signal), records, signal)
    } catch (error) {
      // After a fatal error a new producer may still work. A caller that gave up has its own reason, which may be fatal
      // to that caller only.
      const broken = !signal.aborted && error instanceof ConnectError && error.kind === 'fatal'
      if (broken && this.#producer === producer) await this.#dropProducer()
      throw error
    }
  }

  #claimed(): TransactionWriter {
    if (this.#writer) return this.#writer
    const message = `the transactional id "${this.#options.transactionalId}" is not claimed`
    throw producerErrors.PRODUCER_FENCED(message)
  }

  /** Sends the records and returns the last offset by partition of this store's topic. */
  async #send(
    producer: KafkaProducer,
    records: readonly (StoreRecord | ForeignRecord | ImageRecord)[],
    signal: AbortSignal,
  ): Promise<Positions> {
    const now = Date.now()
    const batch = records.map((record) => {
      const { key, value } = record
      const bytes = typeof key === 'string' ? Buffer.from(key) : key
      const { topicName: topic, partitionCount } = 'log' in record ? record.log : this
      const partition = partitionForKey(bytes, partitionCount)
      const timestamp = 'timestamp' in record ? record.timestamp : now
      return { topic, partition, key: bytes, value, timestamp }
    })
    const result = await producer.send(batch, signal)
    if (result.failures[0]) throw result.failures[0].error
    const positions = new Map<number, bigint>()
    batch.forEach(({ topic, partition }, i) => {
      if (topic !== this.topicName) return
      const offset = result.offset(i)
      if (offset !== null && offset > (positions.get(partition) ?? -1n)) positions.set(partition, offset)
    })
    return positions
  }

  #plainProducer(signal: AbortSignal): Promise<KafkaProducer> {
    signal.throwIfAborted()
    if (!this.#producer) {
      const starting = this.#inOwnContext(() => this.#startProducer(this.#life))
      this.#producer = starting
      starting.catch(() => {
        if (this.#producer === starting) this.#producer = null
      })
    }
    return this.#producer
  }

  async #startProducer(signal: AbortSignal): Promise<KafkaProducer> {
    const { connection, driver, transactionalId, maySend, log } = this.#options
    const producer = createProducer(connection, {
      driver,
      ...(maySend && { maySend }),
      ...(transactionalId !== undefined && { transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS }),
      onOutage: (state, error) => {
        log[state === 'down' ? 'warn' : 'info'](`store_writes_${state}`, {
          topic: this.topicName,
          error: error?.message,
        })
      },
    })
    try {
      await producer.start(signal)
      return producer
    } catch (error) {
      await producer.close()
      throw error
    }
  }

  async #dropProducer(): Promise<void> {
    const [producer, writer] = [this.#producer, this.#writer]
    this.#producer = this.#writer = null
    await writer?.close()
    await (await producer?.catch(() => null))?.close()
  }
}
