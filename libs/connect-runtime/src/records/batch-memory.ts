import { inFlightCost, type MemoryShare } from '@tributary/connect-api'
import type { Batch } from './batch.ts'

/** Counts what the batches of a run have of the memory budget, from their conversion to their acknowledgement. */
export class BatchMemory {
  readonly share: MemoryShare
  #records = 0
  #bytes = 0

  constructor(share: MemoryShare) {
    this.share = share
  }

  converted({ records, byteCount }: Pick<Batch, 'records' | 'byteCount'>): void {
    this.share.set('polled', 0)
    this.#add(records.length, byteCount)
  }

  acknowledged({ records, byteCount }: Pick<Batch, 'records' | 'byteCount'>): void {
    this.#add(-records.length, -byteCount)
  }

  #add(records: number, bytes: number): void {
    this.#records += records
    this.#bytes += bytes
    this.share.set('inFlight', inFlightCost(this.#records, this.#bytes))
  }
}
