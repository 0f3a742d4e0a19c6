import { type ConnectError, errorKind } from '@tributary/connect-api'
import { Lru } from './lru.ts'

/** A registry that refused is not asked the same again for this long, so that a thousand bad records are not a thousand requests. */
const KEPT_MS = 5000

/** What the registry refused lately. */
export class Refusals<K> {
  readonly #kept: Lru<K, { readonly error: ConnectError; readonly until: number }>
  readonly #now: () => number

  /** `now` in ms, monotonic. */
  constructor(size: number, now: () => number = () => performance.now()) {
    this.#kept = new Lru(size)
    this.#now = now
  }

  /** Throws the refusal of `key`, if it is fresh. */
  check(key: K): void {
    const kept = this.#kept.get(key)
    if (kept === undefined) return
    if (this.#now() < kept.until) throw kept.error
    this.#kept.delete(key)
  }

  /** Awaits an answer of the registry, and keeps its refusal of the record. */
  async watch<T>(key: K, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (errorKind(error) === 'data')
        this.#kept.set(key, { error: error as ConnectError, until: this.#now() + KEPT_MS })
      throw error
    }
  }
}
