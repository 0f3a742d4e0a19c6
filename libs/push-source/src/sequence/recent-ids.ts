/** Bytes of ids that are remembered at most. */
const MAX_BYTES = 64 * 1024 * 1024
/** A string with its place in the set, apart from its characters. */
const OVERHEAD_BYTES = 64

/**
 * The ids of the latest messages, at least `window` and at most twice as many, and at most 64 MiB of them. The ids are in two
 * generations. When the young one is full, the old one is dropped as a whole. So an id costs one insertion and no deletion.
 */
export class RecentIds {
  readonly #window: number
  readonly #onCut: () => void
  readonly #maxBytes: number
  #young = new Set<string | number>()
  #old = new Set<string | number>()
  #youngBytes = 0

  /** `window`: number of ids to remember at least (≥ 1). `onCut`: called when `maxBytes` hold fewer. */
  constructor(window: number, onCut: () => void = () => {}, maxBytes = MAX_BYTES) {
    this.#window = window
    this.#onCut = onCut
    this.#maxBytes = maxBytes
  }

  /** Remembers an id; false if the id is remembered already. */
  add(id: string | number): boolean {
    if (this.#young.has(id) || this.#old.has(id)) return false
    this.#young.add(id)
    this.#youngBytes += OVERHEAD_BYTES + (typeof id === 'string' ? 2 * id.length : 0)
    const cut = 2 * this.#youngBytes >= this.#maxBytes
    if (this.#young.size >= this.#window || cut) {
      if (this.#young.size < this.#window) this.#onCut()
      this.#old = this.#young
      this.#young = new Set()
      this.#youngBytes = 0
    }
    return true
  }

  /** At most `window` ids, the latest first. */
  latest(): (string | number)[] {
    return [...this.#old, ...this.#young].reverse().slice(0, this.#window)
  }
}
