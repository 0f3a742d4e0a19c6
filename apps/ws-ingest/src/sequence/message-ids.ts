import { RecentIds } from '@tributary/push-source'
import { idDigest } from './hand-over-state.ts'

/** The ids of the latest messages, and of the run before this one. */
export class MessageIds {
  readonly #window: number
  readonly #recent: RecentIds
  /** Digests, until as many new ids as the window holds have come. */
  #former: ReadonlySet<string> | null = null
  #sinceFormer = 0

  /** `window`: ids that are remembered at least (≥ 1). */
  constructor(window: number) {
    this.#window = window
    this.#recent = new RecentIds(window)
  }

  /** Remembers an id; false when it came before. */
  add(id: string | number): boolean {
    return this.#recent.add(id) && !this.#hadFormer(id)
  }

  /** Digests of ids that the run before this one had. */
  goOnAfter(former: ReadonlySet<string>): void {
    if (former.size > 0) this.#former = former
  }

  /** The latest first. */
  latest(): (string | number)[] {
    return this.#recent.latest()
  }

  #hadFormer(id: string | number): boolean {
    if (this.#former === null) return false
    const had = this.#former.has(idDigest(id))
    if (!had && ++this.#sinceFormer > this.#window) this.#former = null
    return had
  }
}

/** An id as it is compared; null for a value that is none. A number that a double would round came as a bigint. */
export function idOf(value: unknown): string | number | null {
  if (typeof value === 'string' || typeof value === 'number') return value
  return typeof value === 'bigint' ? String(value) : null
}
