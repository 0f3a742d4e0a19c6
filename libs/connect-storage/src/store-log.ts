import { abortable, anySignal, CompactedLog, type CompactedTopic, type LogRecord } from '@tributary/kafka'
import { createProducer, partitionForKey, type KafkaProducer } from '@tributary/kafka-producer'
import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'

export interface StoreLogOptions {
  readonly connection: KafkaConnection
  readonly topic: CompactedTopic
  readonly log: Logger
  readonly driver: KafkaProducer['driver']
  /** Every write is a transaction of this id, which fences the writers that had it before (KIP-98). */
  readonly transactionalId?: string | undefined
  /** `live` is false for what was in the topic before the start. */
  readonly onRecord: (record: LogRecord, key: string, live: boolean) => void
}

export interface StoreRecord {
  readonly key: string | Uint8Array
  readonly value: Uint8Array | null
}

/**
 * What is common to the stores: a compacted topic that is tailed, and a producer whose writes count as done once they were read
 * back, so that whoever wrote sees what everyone else sees. The producer starts with the first write.
 */
export class StoreLog {
  readonly #options: StoreLogOptions
  readonly #log: CompactedLog
  #producer: Promise<KafkaProducer> | null = null
  #life: AbortSignal = AbortSignal.abort(new Error('the store was not started'))
  readonly #stop = new AbortController()
  #live = false
  /** End of the last transaction: a producer has one at a time. */
  #transaction: Promise<void> = Promise.resolve()

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
      : this.#inTransaction(records, ends))
    for (const [partition, offset] of positions) await this.#log.readTo(partition, offset, ends)
  }

  /** Becomes the writer of the transactional id and fences the former one; then reads what that one still wrote. */
  async claim(signal: AbortSignal): Promise<void> {
    await this.#dropProducer()
    const ends = AbortSignal.any([signal, this.#life])
    await abortable(this.#writer(ends), ends)
    await this.refresh(signal)
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

  async #sendPlain(records: readonly StoreRecord[], signal: AbortSignal): Promise<Map<number, bigint>> {
    const writer = this.#writer(signal)
    try {
      return await this.#send(await abortable(writer, signal), records, signal)
    } catch (error) {
      // What the producer cannot go on after a new one may. (A transactional one is replaced by `claim` only: to start
      // one here would fence the leader that may have come after us.)
      if ((error as { kind?: unknown }).kind === 'fatal' && this.#producer === writer) await this.#dropProducer()
      throw error
    }
  }

  #inTransaction(records: readonly StoreRecord[], signal: AbortSignal): Promise<Map<number, bigint>> {
    const run = async (): Promise<Map<number, bigint>> => {
      const producer = await abortable(this.#writer(signal), signal)
      producer.beginTransaction()
      try {
        const positions = await this.#send(producer, records, signal)
        await producer.commitTransaction(signal)
        return positions
      } catch (error) {
        // Not with the caller's signal: whoever gives up must not leave a transaction open. When even this fails the first
        // error is the one that tells why.
        await producer.abortTransaction(this.#life).catch(() => undefined)
        throw error
      }
    }
    const result = this.#transaction.then(run)
    this.#transaction = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }

  /** Sends and answers the last offset by partition. */
  async #send(
    producer: KafkaProducer,
    records: readonly StoreRecord[],
    signal: AbortSignal,
  ): Promise<Map<number, bigint>> {
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

  #writer(signal: AbortSignal): Promise<KafkaProducer> {
    signal.throwIfAborted()
    if (!this.#producer) {
      const starting = this.#startProducer()
      this.#producer = starting
      starting.catch(() => {
        if (this.#producer === starting) this.#producer = null
      })
    }
    return this.#producer
  }

  async #startProducer(): Promise<KafkaProducer> {
    const { connection, driver, transactionalId, topic, log } = this.#options
    const producer = createProducer(connection, {
      driver,
      ...(transactionalId !== undefined && { transactionalId }),
      onOutage: (state, error) => {
        log[state === 'down' ? 'warn' : 'info'](`store_writes_${state}`, { topic: topic.name, error: error?.message })
      },
    })
    try {
      await producer.start(this.#life)
      return producer
    } catch (error) {
      await producer.close()
      throw error
    }
  }

  async #dropProducer(): Promise<void> {
    const producer = this.#producer
    this.#producer = null
    await (await producer?.catch(() => null))?.close()
  }
}
