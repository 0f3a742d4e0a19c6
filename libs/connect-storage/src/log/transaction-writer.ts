import { ConnectError } from '@tributary/connect-api'
import type { KafkaProducer } from '@tributary/kafka-producer'
import type { StoreRecord } from '../types.ts'

/** The last offset written, by partition. */
export type Positions = ReadonlyMap<number, bigint>

export interface TransactionWriterOptions {
  /** A started producer with a transactional id. */
  readonly producer: KafkaProducer
  /** Sends inside the open transaction. Rejects with the error of a refused record. */
  readonly send: (producer: KafkaProducer, records: readonly StoreRecord[], signal: AbortSignal) => Promise<Positions>
  /** Ends the store's writes, including those under way. */
  readonly signal: AbortSignal
  /** Called once when the producer is unusable: it is fenced, or the end of a transaction is in doubt. */
  readonly onLost: (error: Error) => void
}

interface Write {
  readonly records: readonly StoreRecord[]
  readonly resolve: (positions: Positions) => void
  readonly reject: (error: unknown) => void
}

/** Limits how many writes one transaction joins, because all of them fail when the transaction fails. */
const MAX_GROUP = 500

/**
 * The writes of one transactional producer. Each write is all or none. A producer has one transaction at a time, which
 * takes about 5 ms. Writes that arrive meanwhile share the next transaction (group commit).
 */
export class TransactionWriter {
  readonly #options: TransactionWriterOptions
  readonly #waiting: Write[] = []
  #running = false
  /** True after `onLost` or `close`. */
  #lost = false

  constructor(options: TransactionWriterOptions) {
    this.#options = options
  }

  /** Resolves when the write is committed. */
  write(records: readonly StoreRecord[]): Promise<Positions> {
    const { promise, resolve, reject } = Promise.withResolvers<Positions>()
    this.#waiting.push({ records, resolve, reject })
    if (!this.#running) void this.#run()
    return promise
  }

  /** Closes the writer. Writes under way reject. */
  close(): Promise<void> {
    this.#lost = true
    return this.#options.producer.close()
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0, MAX_GROUP))
    this.#running = false
  }

  /** Settles the writes of `group`. */
  async #commit(group: readonly Write[]): Promise<void> {
    try {
      const positions = await this.#transaction(group.flatMap(({ records }) => records))
      for (const { resolve } of group) resolve(positions)
    } catch (error) {
      const kind = error instanceof ConnectError ? error.kind : null
      if (kind === 'fatal' && !this.#lost) {
        this.#lost = true
        this.#options.onLost(error as Error)
      }
      if (kind === 'data' && group.length > 1) {
        // A record that the broker refuses must fail only its own write, so each write gets its own transaction.
        for (const write of group) await this.#commit([write])
      } else {
        for (const { reject } of group) reject(error)
      }
    }
  }

  async #transaction(records: readonly StoreRecord[]): Promise<Positions> {
    const { producer, send, signal } = this.#options
    producer.beginTransaction()
    try {
      const positions = await send(producer, records, signal)
      await producer.commitTransaction(signal)
      return positions
    } catch (error) {
      // If even the abort fails, the first error is still the one that explains the failure.
      await producer.abortTransaction(signal).catch(() => undefined)
      throw error
    }
  }
}
