import type { LogRecord } from '@tributary/kafka'

/** A record of the image, to be written again. */
export interface ImageRecord {
  readonly key: string
  readonly value: Uint8Array
  /** ms since the epoch, as it was first written. */
  readonly timestamp: number
}

interface Kept {
  /** The bytes as latin1 text, which takes a third of a Buffer's memory. */
  readonly value: string
  readonly timestamp: number
  /** The number of the topic that holds the record; a lower one than the present: the topic was deleted. */
  readonly topic: number
}

/**
 * What compaction leaves of a topic: the last value of each key, byte for byte, in the order of writing. So a deleted
 * topic can be written again as it was, with records that this version cannot read.
 */
export class TopicImage {
  readonly #kept = new Map<string, Kept>()
  readonly #isTransient: (key: string) => boolean
  #topic = 0

  /** `isTransient`: records that count once, when they are read, and are not kept. */
  constructor(isTransient: (key: string) => boolean) {
    this.#isTransient = isTransient
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
    if (value !== null) this.#kept.set(key, { value: value.toString('latin1'), timestamp, topic: this.#topic })
    return true
  }

  /** What the topic that has the name now does not hold, or holds in an older state. */
  missing(): ImageRecord[] {
    const missing: ImageRecord[] = []
    for (const [key, { value, timestamp, topic }] of this.#kept) {
      if (topic !== this.#topic) missing.push({ key, value: Buffer.from(value, 'latin1'), timestamp })
    }
    return missing
  }
}
