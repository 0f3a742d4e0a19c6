import type { DeadLetterIndex } from '@tributary/dead-letters'

/** The index is asked no more often, in ms. */
const FRESH_MS = 10_000

export interface LetterCount {
  /** The topic for which the records were meant. */
  readonly table: string
  readonly errorType: string
  readonly count: number
}

/**
 * Dead letters by table and type, as counts that never fall: what retention or a deletion takes from the index stays counted. They
 * begin with the letters that are in Kafka at the start.
 */
export class LetterCounts {
  readonly #index: Pick<DeadLetterIndex, 'stats' | 'state'>
  readonly #now: () => number
  /** Error type → table → the count, and the number that the index gave last. */
  readonly #counts = new Map<string, Map<string, { count: number; last: number }>>()
  #readAt = -Infinity
  #reading: Promise<void> | null = null

  /** `now`: monotonic, in ms. */
  constructor(index: Pick<DeadLetterIndex, 'stats' | 'state'>, now: () => number = () => performance.now()) {
    this.#index = index
    this.#now = now
  }

  /** The counts; those of the last time, if the index takes longer than the signal allows. */
  async read(signal: AbortSignal): Promise<readonly LetterCount[]> {
    // An index that is being built would count old letters as new ones.
    if (this.#index.state.ready && this.#now() - this.#readAt >= FRESH_MS) {
      this.#reading ??= this.#read().finally(() => (this.#reading = null))
      const aborted = new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
      await Promise.race([this.#reading, aborted])
    }
    return [...this.#counts].flatMap(([errorType, tables]) =>
      [...tables].map(([table, { count }]) => ({ table, errorType, count })),
    )
  }

  async #read(): Promise<void> {
    const { byErrorType } = await this.#index.stats({})
    const types = new Set([...Object.keys(byErrorType), ...this.#counts.keys()])
    for (const errorType of types) {
      const { byOriginalTopic } = await this.#index.stats({ errorTypes: [errorType as never] })
      const tables = this.#counts.get(errorType) ?? new Map<string, { count: number; last: number }>()
      this.#counts.set(errorType, tables)
      for (const table of new Set([...Object.keys(byOriginalTopic), ...tables.keys()])) {
        const now = byOriginalTopic[table] ?? 0
        const { count, last } = tables.get(table) ?? { count: 0, last: 0 }
        tables.set(table, { count: count + Math.max(0, now - last), last: now })
      }
    }
    this.#readAt = this.#now()
  }
}
