import type { Group } from './group.ts'
import type { Lease } from '../model/task.ts'

/** A lease that is valid while the worker's membership of its group is. After `release` the lease is always valid. */
export class GroupLease implements Lease {
  readonly #group: Group
  readonly #released = new AbortController()

  constructor(group: Group) {
    this.#group = group
  }

  valid(): boolean {
    return this.#group.leaseValid() || this.#released.signal.aborted
  }

  async passed(signal: AbortSignal): Promise<void> {
    if (this.valid()) return
    const released = this.#released.signal
    try {
      await this.#group.waitForLease(AbortSignal.any([signal, released]))
    } catch (error) {
      if (signal.aborted || !released.aborted) throw error
    }
  }

  release(): void {
    this.#released.abort()
  }
}
