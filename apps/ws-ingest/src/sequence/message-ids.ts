import { RecentIds } from '@tributary/push-source'
import { idDigest } from './hand-over-state.ts'

/** The ids of the latest messages, including those of the predecessor. */
export class MessageIds {
  readonly #window: number
  readonly #recent: RecentIds
  /** Digests of ids; dropped once `window` new ids have arrived. */
  #predecessor: ReadonlySet<string> | null = null
  #newIds = 0

  /** `window`: number of ids to remember at least (≥ 1). */
  constructor(window: number) {
    this.#window = window
    this.#recent = new RecentIds(window)
  }

  /** Remembers an id; false if the id is a duplicate. */
  add(id: string | number): boolean {
    return this.#recent.add(id) && !this.#isOfPredecessor(id)
  }

  /** Adds the digests of the ids that the predecessor received. */
  addPredecessor(digests: ReadonlySet<string>): void {
    if (digests.size > 0) this.#predecessor = digests
  }

  /** The ids of this run, the latest first. */
  latest(): (string | number)[] {
    return this.#recent.latest()
  }

  #isOfPredecessor(id: string | number): boolean {
    if (this.#predecessor === null) return false
    const had = this.#predecessor.has(idDigest(id))
    if (!had && ++this.#newIds > this.#window) this.#predecessor = null
    return had
  }
}

/** An id for comparison; null if the value is not an id. Integers that a double would round are bigint. */
export function idOf(value: unknown): string | number | null {
  if (typeof value === 'string' || typeof value === 'number') return value
  return typeof value === 'bigint' ? String(value) : null
}
