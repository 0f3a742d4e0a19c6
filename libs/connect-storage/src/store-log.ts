import { AsyncLocalStorage } from 'node:async_hooks'
import { abortable, anySignal } from '@tributary/async'
import { ConnectError } from '@tributary/connect-api'
import { CompactedLog, type CompactedTopic, type LogRecord } from '@tributary/kafka'
import { createProducer, partitionForKey, producerErrors, type KafkaProducer } from '@tributary/kafka-producer'
import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import type { StoreRecord } from './store-record.ts'
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
}

/**
 * After this time, in ms, the coordinator aborts the open transaction of a dead writer, unless a successor's claim has
 * aborted it before. Until then readers see nothing behind the transaction. A write takes about 5 ms.
 */
const TRANSACTION_TIMEOUT_MS = 10_000

/**
 * The common part of the stores: a tail of a compacted topic, and a producer. A write is done when it was read back, so
 * that the writer sees what everyone else sees. The producer starts with the first write. A transactional producer
 * starts only in `claim`, because its start fences every other holder of the id.
 */
export class StoreLog {
  readonly #options: StoreLogOptions
  readonly #log: CompactedLog
  #producer: Promise<KafkaProducer> | null = null
  #life: AbortSignal = AbortSignal.abort(new Error('the store was not started'))
  readonly #stop = new AbortController()
  /** All callers share the producer, so its sockets must not keep the async context of the first caller. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot()
  #live = false
  /** The writer of the last claim; null before the first claim. */
  #writer: TransactionWriter | null = null

  constructor(options: StoreLogOptions) {
    this.#options = options
    this.#log = new CompactedLog({ ...options, onRecord: (record) => this.#read(record) })
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
    await this.#log.start(signal)
    this.#live = true
  }

  refresh(signal?: AbortSignal): Promise<void> {
    return this.#log.refresh(signal)
  }

  /**
   * Writes `records` in order and resolves when they were read back. A transactional write is all or none. An outage is
   * retried until the store's or the given signal aborts. Rejects with FencedError, or with the error of a refused
   * record.
   */
  async append(records: readonly StoreRecord[], signal?: AbortSignal): Promise<void> {
    const ends = signal ? AbortSignal.any([signal, this.#life]) : this.#life
    const positions = await (this.#options.transactionalId === undefined
      ? this.#sendPlain(records, ends)
      : abortable(this.#claimed().write(records), ends))
    for (const [partition, offset] of positions) await this.#log.readTo(partition, offset, ends)
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
    await this.#dropProducer()
  }

  #read(record: LogRecord): void {
    const key = record.key?.toString() ?? ''
    try {
      this.#options.onRecord(record, key, this.#live)
    } catch (error) {
      const { log } = this.#options
      const { partition, offset } = record
      log.warn('record_skipped', { topic: this.topicName, partition, offset, key, reason: (error as Error).message })
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

  /** Sends the records and returns the last offset by partition. */
  async #send(producer: KafkaProducer, records: readonly StoreRecord[], signal: AbortSignal): Promise<Positions> {
    const timestamp = Date.now()
    const batch = records.map(({ key, value }) => {
      const bytes = typeof key === 'string' ? Buffer.from(key) : key
      const partition = partitionForKey(bytes, this.partitionCount)
      return { topic: this.topicName, partition, key: bytes, value, timestamp }
    })
    const result = await producer.send(batch, signal)
    if (result.failures[0]) throw result.failures[0].error
    const positions = new Map<number, bigint>()
    batch.forEach(({ partition }, i) => {
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
