import { AsyncLocalStorage } from 'node:async_hooks'
import { abortable, anySignal } from '@tributary/async'
import { CompactedLog, type CompactedTopic, type LogRecord } from '@tributary/kafka'
import { createProducer, partitionForKey, ProducerError, type KafkaProducer } from '@tributary/kafka-producer'
import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import type { StoreRecord } from './store-record.ts'
import { type Positions, TransactionWriter } from './transaction-writer.ts'

export interface StoreLogOptions {
  readonly connection: KafkaConnection
  readonly topic: CompactedTopic
  readonly log: Logger
  readonly driver: KafkaProducer['driver']
  /** Every write is a transaction of this id, which fences the writers that had it before (KIP-98). */
  readonly transactionalId?: string | undefined
  /** Told when what `claim` gave is lost: every write rejects until the next claim. */
  readonly onWriterLost?: ((error: Error) => void) | undefined
  /** As ProducerOptions of kafka-producer has it. */
  readonly maySend?: (() => boolean) | undefined
  /** `live` is false for what was in the topic before the start. */
  readonly onRecord: (record: LogRecord, key: string, live: boolean) => void
}

/**
 * ms after which the coordinator aborts the open transaction of a writer that died, unless a successor's claim did it before.
 * Until then nobody reads what stands behind it; a write takes some 5 ms.
 */
const TRANSACTION_TIMEOUT_MS = 10_000

/**
 * What is common to the stores: a compacted topic that is tailed, and a producer whose writes count as done once they were read
 * back, so that whoever wrote sees what everyone else sees. The producer starts with the first write; a transactional one with
 * `claim`, and only that, as a start fences whoever has the id.
 */
export class StoreLog {
  readonly #options: StoreLogOptions
  readonly #log: CompactedLog
  #producer: Promise<KafkaProducer> | null = null
  #life: AbortSignal = AbortSignal.abort(new Error('the store was not started'))
  readonly #stop = new AbortController()
  /** The producer serves all who write: its sockets must not keep the async context of the one who wrote first. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot()
  #live = false
  /** Of the last claim; null before the first one. */
  #writer: TransactionWriter | null = null

  constructor(options: StoreLogOptions) {
    this.#options = options
    this.#log = new CompactedLog({ ...options, onRecord: (record) => this.#read(record) })
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
   * Writes `records` in their order, all or none when transactional, and resolves once they were read back. An outage is
   * retried until the store's or the given signal aborts. Rejects with FencedError, or the error of a record that is refused.
   */
  async append(records: readonly StoreRecord[], signal?: AbortSignal): Promise<void> {
    const ends = signal ? AbortSignal.any([signal, this.#life]) : this.#life
    const positions = await (this.#options.transactionalId === undefined
      ? this.#sendPlain(records, ends)
      : abortable(this.#claimed().write(records), ends))
    for (const [partition, offset] of positions) await this.#log.readTo(partition, offset, ends)
  }

  /**
   * Becomes the writer of the transactional id and fences the former one; then reads what that one still wrote. Rejects, and
   * is not the writer, when the signal aborts.
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

  /** Writes that are under way reject. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error(`the store on topic ${this.#options.topic.name} is closed`))
    await this.#log.stop()
    await this.#dropProducer()
  }

  #read(record: LogRecord): void {
    const key = record.key?.toString() ?? ''
    try {
      this.#options.onRecord(record, key, this.#live)
    } catch (error) {
      const { topic, log } = this.#options
      const { partition, offset } = record
      log.warn('record_skipped', { topic: topic.name, partition, offset, key, reason: (error as Error).message })
    }
  }

  async #sendPlain(records: readonly StoreRecord[], signal: AbortSignal): Promise<Positions> {
    const producer = this.#plainProducer(signal)
    try {
      return await this.#send(await abortable(producer, signal), records, signal)
    } catch (error) {
      // What the producer cannot go on after a new one may. (A caller who gave up has a reason of its own, which may be
      // fatal, to it alone.)
      const broken = !signal.aborted && (error as { kind?: unknown }).kind === 'fatal'
      if (broken && this.#producer === producer) await this.#dropProducer()
      throw error
    }
  }

  #claimed(): TransactionWriter {
    if (this.#writer) return this.#writer
    const message = `the transactional id "${this.#options.transactionalId}" is not claimed`
    throw new ProducerError('fatal', 'PRODUCER_FENCED', message)
  }

  /** Sends and answers the last offset by partition. */
  async #send(producer: KafkaProducer, records: readonly StoreRecord[], signal: AbortSignal): Promise<Positions> {
    const timestamp = Date.now()
    const batch = records.map(({ key, value }) => {
      const bytes = typeof key === 'string' ? Buffer.from(key) : key
      const partition = partitionForKey(bytes, this.partitionCount)
      return { topic: this.#options.topic.name, partition, key: bytes, value, timestamp }
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
    const { connection, driver, transactionalId, maySend, topic, log } = this.#options
    const producer = createProducer(connection, {
      driver,
      ...(maySend && { maySend }),
      ...(transactionalId !== undefined && { transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS }),
      onOutage: (state, error) => {
        log[state === 'down' ? 'warn' : 'info'](`store_writes_${state}`, { topic: topic.name, error: error?.message })
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
