/** A point serves until so many ms are over, or so many bytes were sent to its partition: `batch.size` of Java's producer. */
const LAST_MS = 5
const MAX_BYTES = 16 * 1024

/**
 * Where records without a key go: a point from 0 to 1, which stands for the same partition of a topic for all tasks that are served at
 * nearly the same time (KIP-480, KIP-794). So the single messages of many streams share a batch, and do not each need one of
 * their own in each partition.
 */
export class StickyPoint {
  #point = 0
  #since = -Infinity
  #bytes = 0

  /** The point for a batch. `nowMs`: since the epoch. */
  at(nowMs: number): number {
    if (this.#bytes >= MAX_BYTES || nowMs - this.#since >= LAST_MS || nowMs < this.#since) {
      this.#point = Math.random()
      this.#since = nowMs
      this.#bytes = 0
    }
    return this.#point
  }

  /** Counts the bytes of a batch that went there. */
  used(bytes: number): void {
    this.#bytes += bytes
  }
}

/** The point of all tasks of the process. */
export const stickyPoint = new StickyPoint()
