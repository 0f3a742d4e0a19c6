import type { Polled, SourceRecord, TransactionContext } from '@tributary/connect-api'
import { runtimeErrors } from '../errors.ts'

export type TransactionEnd = 'commit' | 'abort'

/** Records of one poll that belong to one transaction. `end`: how the transaction ends after them; null: it stays open. */
export interface TransactionPart {
  readonly records: Polled[]
  readonly end: TransactionEnd | null
  /** Whether no records of the poll follow. */
  readonly last: boolean
}

/** Keeps where a task asked its transactions to end (KIP-618), until the runtime has reached that record. */
export class TransactionRequests implements TransactionContext {
  readonly #atRecords = new Map<Polled, TransactionEnd>()
  #atBatch: TransactionEnd | null = null

  commitTransaction(record?: SourceRecord): void {
    this.#ask('commit', record)
  }

  abortTransaction(record?: SourceRecord): void {
    this.#ask('abort', record)
  }

  /** Splits a polled batch at the ends of its transactions. Yields the batch whole when the task asked for no end. */
  *split(records: Polled[]): Generator<TransactionPart> {
    let from = 0
    for (let i = 0; i < records.length && this.#atRecords.size > 0; i++) {
      const end = this.#atRecords.get(records[i]!)
      if (end === undefined) continue
      this.#atRecords.delete(records[i]!)
      yield { records: records.slice(from, i + 1), end, last: i + 1 === records.length }
      from = i + 1
    }
    const end = this.#atBatch
    this.#atBatch = null
    yield { records: from === 0 ? records : records.slice(from), end, last: from < records.length }
  }

  #ask(end: TransactionEnd, record: SourceRecord | undefined): void {
    const asked = record === undefined ? this.#atBatch : this.#atRecords.get(record)
    if (asked !== undefined && asked !== null && asked !== end) {
      const what = record === undefined ? 'transaction' : `record of topic ${record.topic}`
      throw runtimeErrors.TRANSACTION_BOUNDARY(
        `Connector requested both commit and abort of same ${what}; a transaction has one end`,
      )
    }
    if (record === undefined) this.#atBatch = end
    else this.#atRecords.set(record, end)
  }
}
