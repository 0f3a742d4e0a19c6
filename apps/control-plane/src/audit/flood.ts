/** Refused requests that are told one by one: so many of a kind, and of all kinds, in a minute. */
const ONE_BY_ONE = 5
const IN_ALL = 100
/** Kinds that are counted apart. The rest is counted together. */
const KINDS = 200
const REST = ''

interface Kind<T> {
  readonly first: T
  last: T
  /** How many have not been told. */
  count: number
}

/**
 * Sums refused requests when there are many, so that whoever guesses passwords fills no topic: at most 300 are told in a
 * minute, whatever is sent.
 */
export class Flood<T> {
  readonly #tell: (item: T, count: number) => void
  readonly #kinds = new Map<string, Kind<T>>()
  readonly #told = new Map<string, number>()
  #toldInAll = 0

  constructor(tell: (item: T, count: number) => void) {
    this.#tell = tell
  }

  /** Tells `item`, or counts it until `endMinute`. */
  add(kind: string, item: T): void {
    const known = this.#told.has(kind) || this.#told.size < KINDS ? kind : REST
    const told = this.#told.get(known) ?? 0
    this.#told.set(known, told + 1)
    if (told < ONE_BY_ONE && this.#toldInAll < IN_ALL) {
      this.#toldInAll++
      this.#tell(item, 1)
      return
    }
    const counted = this.#kinds.get(known)
    if (counted) {
      counted.count++
      counted.last = item
    } else {
      this.#kinds.set(known, { first: item, last: item, count: 1 })
    }
  }

  /** Tells the sums, each with its last request, and begins a new minute. */
  endMinute(): void {
    for (const { last, count } of this.#kinds.values()) this.#tell(last, count)
    this.#kinds.clear()
    this.#told.clear()
    this.#toldInAll = 0
  }
}
