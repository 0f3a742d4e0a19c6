import type { KafkaProducer, ProduceResult, ProducerRecord } from '@tributary/kafka-producer'
import type { InFlight, InFlightBatch } from '../commit/in-flight.ts'
import type { TransactionBoundary } from '../commit/transaction-boundary.ts'
import type { Lease } from '../model/task.ts'

/** Nothing was sent. */
export class NotSent extends Error {}

export interface BesideParts {
  readonly producer: Pick<KafkaProducer, 'send'>
  readonly inFlight: Pick<InFlight, 'room' | 'hasRoom' | 'add' | 'acknowledged'>
  /** null: without exactly once. */
  readonly transactions: Pick<TransactionBoundary, 'alone'> | null
  readonly lease: Lease
  /** Whether the run is at work: neither paused nor about to end. */
  readonly runs: () => boolean
  /** The run takes in nothing more. */
  readonly ends: AbortSignal
  /** The run is abandoned. */
  readonly signal: AbortSignal
}

/** ms after which a transaction that Kafka does not take is aborted, since it holds up those of the task. */
const TRANSACTION_MS = 20_000
const NO_OFFSETS: InFlightBatch['offsets'] = new Map()

/**
 * Sends records by the producer of a run that its source has not just brought, beside those that it brings: they count in flight, wait
 * for the lease, and the end of the run waits for them. They have no offsets. What comes of them does not concern the run.
 */
export class Beside {
  readonly #parts: BesideParts

  constructor(parts: BesideParts) {
    this.#parts = parts
  }

  /** Aborts when the run takes in nothing more. */
  get ends(): AbortSignal {
    return this.#parts.ends
  }

  /**
   * Resolves once Kafka has the records, in a committed transaction of their own with exactly once, or has refused some of them.
   * `patience` ends the waits before they are sent. Rejects with NotSent if nothing was sent; else with what the producer rejected
   * with: without transactions some of the records may have been written then.
   */
  async send(records: readonly ProducerRecord[], patience: AbortSignal): Promise<ProduceResult> {
    const { inFlight, transactions, producer, signal } = this.#parts
    await this.#turn(patience)
    let byteCount = 0
    for (const { key, value } of records) byteCount += (key?.length ?? 0) + (value?.length ?? 0)
    const submitted = inFlight.add({ offsets: NO_OFFSETS, recordCount: records.length, byteCount })
    try {
      if (transactions === null) return await producer.send(records, signal)
      const limited = AbortSignal.any([signal, AbortSignal.timeout(TRANSACTION_MS)])
      return await transactions
        .alone(() => producer.send(records, limited))
        .catch((cause: unknown) => {
          throw new NotSent('the transaction was aborted', { cause })
        })
    } finally {
      inFlight.acknowledged(submitted)
    }
  }

  /** Waits for the lease and for room among the records in flight. Returns in the turn in which both are there. */
  async #turn(patience: AbortSignal): Promise<void> {
    const { inFlight, lease, runs, ends } = this.#parts
    const signal = AbortSignal.any([patience, ends])
    try {
      do {
        await lease.passed(signal)
        await inFlight.room(signal)
      } while (runs() && !(lease.valid() && inFlight.hasRoom))
      signal.throwIfAborted()
    } catch (cause) {
      throw new NotSent('the task ends, or has no lease or no room', { cause })
    }
    if (!runs()) throw new NotSent('the task does not run any more')
  }
}
