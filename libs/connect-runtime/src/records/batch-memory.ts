import type { MemoryShare } from '@tributary/connect-api'
import type { Batch } from './batch.ts'

/** Counts what the batches of a run have of the memory budget, from their conversion to their acknowledgement. */
export class BatchMemory {
  readonly share: MemoryShare
  #cost = 0

  constructor(share: MemoryShare) {
    this.share = share
  }

  converted({ memoryCost }: Pick<Batch, 'memoryCost'>): void {
    this.share.set('polled', 0)
    this.#add(memoryCost)
  }

  acknowledged({ memoryCost }: Pick<Batch, 'memoryCost'>): void {
    this.#add(-memoryCost)
  }

  #add(cost: number): void {
    this.#cost += cost
    this.share.set('inFlight', this.#cost)
  }
}
