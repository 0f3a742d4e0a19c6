import { type FileHandle, open } from 'node:fs/promises'
import { claimedBytes, entryBytes, readEntry } from './entry.ts'

const CHUNK_BYTES = 256 * 1024

/** Bytes of a segment that hold no valid entry. */
export interface Damage {
  readonly segment: number
  /** Byte offset in the segment's file. */
  readonly at: number
  readonly bytes: number
}

/** Reads the entries of one segment in order, in chunks of 256 KiB. Skips damaged bytes and reports them to `onDamage`. */
export class SegmentReader {
  readonly #file: FileHandle
  readonly #segment: number
  readonly #onDamage: (damage: Damage) => void
  #chunk: Buffer = Buffer.alloc(0)
  /** Byte offset of the chunk in the file. */
  #chunkAt: number
  /** Byte offset of the next entry in the file. */
  #at: number

  private constructor(file: FileHandle, segment: number, at: number, onDamage: (damage: Damage) => void) {
    this.#file = file
    this.#segment = segment
    this.#at = at
    this.#chunkAt = at
    this.#onDamage = onDamage
  }

  static async open(
    path: string,
    segment: number,
    at: number,
    onDamage: (damage: Damage) => void,
  ): Promise<SegmentReader> {
    return new SegmentReader(await open(path, 'r'), segment, at, onDamage)
  }

  get at(): number {
    return this.#at
  }

  /** Up to `max` payloads from the first `size` bytes of the file, which are those written so far; [] at their end. */
  async read(max: number, size: number): Promise<Buffer[]> {
    const payloads: Buffer[] = []
    while (this.#at < size) {
      this.#take(payloads, max)
      // One read of the disk is enough for one call.
      if (payloads.length > 0) break
      await this.#fill(size)
    }
    return payloads
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  #take(payloads: Buffer[], max: number): void {
    while (payloads.length < max) {
      const entry = readEntry(this.#chunk, this.#at - this.#chunkAt)
      if (entry === null) return
      payloads.push(entry.payload)
      this.#at = this.#chunkAt + entry.end
    }
  }

  /** Reads the next chunk, which holds at least one whole entry. If the next entry is damaged, skips it. */
  async #fill(size: number): Promise<void> {
    this.#chunk = await this.#readAt(this.#at, Math.min(CHUNK_BYTES, size - this.#at))
    this.#chunkAt = this.#at
    const claimed = claimedBytes(this.#chunk, 0)
    if (claimed === null || this.#at + claimed > size) return this.#damaged(size)
    if (claimed > this.#chunk.length) this.#chunk = await this.#readAt(this.#at, claimed)
    if (readEntry(this.#chunk, 0) === null) return this.#damagedEntry(claimed, size)
  }

  /** If a valid entry or the end of the file follows at the claimed length, the length is right and only this entry is damaged. */
  async #damagedEntry(claimed: number, size: number): Promise<void> {
    const next = this.#at + claimed
    if (next < size) {
      const header = await this.#readAt(next, Math.min(entryBytes(0), size - next))
      const following = claimedBytes(header, 0)
      if (following === null || next + following > size) return this.#damaged(size)
      if (readEntry(await this.#readAt(next, following), 0) === null) return this.#damaged(size)
    }
    this.#damaged(next)
  }

  #damaged(to: number): void {
    this.#onDamage({ segment: this.#segment, at: this.#at, bytes: to - this.#at })
    this.#at = to
  }

  async #readAt(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await this.#file.read(buffer, filled, length - filled, at + filled)
      // The file is shorter than `size`. The caller finds the incomplete entry damaged.
      if (bytesRead === 0) return buffer.subarray(0, filled)
      filled += bytesRead
    }
    return buffer
  }
}
