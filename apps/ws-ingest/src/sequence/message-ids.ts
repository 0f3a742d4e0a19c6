import { RecentIds } from '@tributary/push-source'
import { idDigest, longIdDigest } from './hand-over-state.ts'

/** The ids of the latest messages, including those of the predecessor. */
export class MessageIds {
  readonly #window: number
  readonly #recent: RecentIds
  /** Digests of ids; dropped once `window` new ids have arrived. */
  #predecessor: ReadonlySet<string> | null = null
  #newIds = 0

  /** See RecentIds. */
  constructor(window: number, onCut: () => void) {
    this.#window = window
    this.#recent = new RecentIds(window, onCut)
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

/** Characters up to which an id is remembered as it is. */
const MAX_ID = 64

/**
 * An id for comparison; null if the value is not an id. Integers that a double would round are bigint. A long id is replaced by its
 * digest, so that ids do not fill the memory.
 */
export function idOf(value: unknown): string | number | null {
  if (typeof value === 'number') return value
  if (typeof value === 'string') return value.length > MAX_ID ? longIdDigest(value) : value
  return typeof value === 'bigint' ? String(value) : null
}
