import type { LogRecord } from '@tributary/kafka'

/** A record of the image, to be written again. */
export interface ImageRecord {
  readonly key: string
  /** null: the key was removed. */
  readonly value: Uint8Array | null
  /** ms since the epoch, as it was first written. */
  readonly timestamp: number
}

interface Kept {
  /** The bytes as latin1 text, which takes a third of a Buffer's memory; null: the key was removed. */
  readonly value: string | null
  readonly timestamp: number
  /** The number of the topic that holds the record; a lower one than the present: the topic was deleted. */
  readonly topic: number
}

/**
 * Removals are kept for so long, in ms. A process that was cut off from Kafka while a key was removed, and has read the whole topic
 * less than 30 s before, may write the key back.
 */
const REMOVALS_KEPT_MS = 600_000
/** Removals that are kept at most: a writer without bounds must not fill the memory. */
const MAX_REMOVALS = 50_000

/**
 * What compaction leaves of a topic: the last value of each key, byte for byte, in the order of writing, and the latest removals. So a
 * deleted topic can be written again as it was, with records that this version cannot read.
 */
export class TopicImage {
  readonly #kept = new Map<string, Kept>()
  /** The keys that were removed lately, in order, and when (ms since the epoch). */
  readonly #removals = new Map<string, number>()
  readonly #isTransient: (key: string) => boolean
  readonly #now: () => number
  #topic = 0

  /** `isTransient`: records that count once, when they are read, and are not kept. `now`: ms since the epoch. */
  constructor(isTransient: (key: string) => boolean, now: () => number = Date.now) {
    this.#isTransient = isTransient
    this.#now = now
  }

  /** Another topic has the name: it holds none of the image, until its records are read. */
  newTopic(): void {
    this.#topic++
  }

  /**
   * Takes the record. Returns false for one that is older than what the deleted topic held: another process has written
   * back what it knew.
   */
  apply({ value, timestamp }: Pick<LogRecord, 'value' | 'timestamp'>, key: string): boolean {
    // No key of ours has other bytes than UTF-8 text.
    if (key === '' || key.includes('\ufffd') || this.#isTransient(key)) return true
    const known = this.#kept.get(key)
    if (known !== undefined && known.topic !== this.#topic && known.timestamp > timestamp) return false
    // The map's order is that of the last writes.
    this.#kept.delete(key)
    this.#removals.delete(key)
    this.#forgetRemovals()
    const topic = this.#topic
    if (value !== null) this.#kept.set(key, { value: value.toString('latin1'), timestamp, topic })
    else if (timestamp >= this.#now() - REMOVALS_KEPT_MS) {
      this.#kept.set(key, { value, timestamp, topic })
      this.#removals.set(key, timestamp)
    }
    return true
  }

  #forgetRemovals(): void {
    if (this.#removals.size === 0) return
    const since = this.#now() - REMOVALS_KEPT_MS
    for (const [key, timestamp] of this.#removals) {
      if (timestamp >= since && this.#removals.size <= MAX_REMOVALS) return
      this.#removals.delete(key)
      this.#kept.delete(key)
    }
  }

  /** What the topic that has the name now does not hold, or holds in an older state. */
  missing(): ImageRecord[] {
    this.#forgetRemovals()
    const missing: ImageRecord[] = []
    for (const [key, { value, timestamp, topic }] of this.#kept) {
      if (topic === this.#topic) continue
      missing.push({ key, value: value === null ? null : Buffer.from(value, 'latin1'), timestamp })
    }
    return missing
  }
}
