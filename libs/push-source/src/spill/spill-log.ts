import { readdir, stat, truncate, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeEntries } from './entry.ts'
import { PositionFile, type SpillPosition } from './position-file.ts'
import { type Damage, SegmentReader } from './segment-reader.ts'
import { SegmentWriter } from './segment-writer.ts'

const MIB = 1024 * 1024
/** Lower numbers are left for `prepend`. */
const FIRST_SEGMENT = 1_000_000
/** Such as `0001000000.spill`. The segments are in the order of their numbers. */
const SEGMENT_NAME = /^(\d{10})\.spill$/

export interface SpillLogOptions {
  readonly dir: string
  /** An append begins a new segment once the last one has this size in bytes. Disk space is freed by whole segments. */
  readonly segmentBytes: number
  /** A crash had interrupted the last write; its incomplete bytes were truncated. */
  readonly onTorn: (damage: Damage) => void
  /** Damaged bytes were skipped. */
  readonly onDamage: (damage: Damage) => void
}

interface Segment {
  readonly number: number
  /** Bytes of complete writes. */
  size: number
}

/** Segment size for a log of `maxBytes`, both in bytes: small enough that reading frees space long before the log is empty. */
export function segmentBytesFor(maxBytes: number): number {
  return Math.min(16 * MIB, Math.max(64 * 1024, Math.floor(maxBytes / 16)))
}

/**
 * A first-in, first-out log of byte strings in a folder that has no other writer. One `append`, one `read` and one `release` may
 * run at the same time. A killed process loses nothing that `append` has resolved for. A power loss loses at most what was
 * appended after the last `sync`.
 */
export class SpillLog {
  readonly #options: SpillLogOptions
  readonly #position: PositionFile
  /** The segments that are not released, in order. */
  #segments: Segment[] = []
  #nextNumber = FIRST_SEGMENT
  #writer: SegmentWriter | null = null
  #appending = false
  #reader: SegmentReader | null = null
  /** Position of the next read. */
  #readAt: SpillPosition = { segment: 0, at: 0 }
  #bytes = 0
  #unread = 0

  private constructor(options: SpillLogOptions) {
    this.#options = options
    this.#position = new PositionFile(options.dir)
  }

  /** Opens the log that the last owner left, or an empty one. Truncates a write that a crash interrupted; see `onTorn`. */
  static async open(options: SpillLogOptions): Promise<SpillLog> {
    const log = new SpillLog(options)
    await log.#recover()
    return log
  }

  /** Whether the folder exists and is not empty. A crash may leave the position alone, which `open` then removes. */
  static async isIn(dir: string): Promise<boolean> {
    return (await namesIn(dir)).length > 0
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#bytes
  }
  /** Bytes that no `read` has returned yet. */
  get unread(): number {
    return this.#unread
  }

  /** End of the last payload that `read` returned. Pass it to `release` once Kafka has all payloads before it. */
  get readPosition(): SpillPosition {
    return this.#readAt
  }

  /** Appends the payloads with one write. If it rejects, the log has none of them. */
  async append(payloads: readonly Uint8Array[]): Promise<void> {
    this.#appending = true
    try {
      if (this.#writer && (this.#writer.broken || this.#writer.size >= this.#options.segmentBytes)) await this.#seal()
      const writer = (this.#writer ??= await this.#nextSegment())
      await writer.append(encodeEntries(payloads))
      this.#segments.at(-1)!.size = writer.size
      this.#count()
    } finally {
      this.#appending = false
    }
  }

  /**
   * Puts older payloads before the first segment. If that segment was read in part, the payloads are appended instead. For the end
   * of a run: no `append` and no `read` may be in progress.
   */
  async prepend(payloads: readonly Uint8Array[]): Promise<void> {
    const first = this.#segments[0]
    const untouched = first && (this.#readAt.segment < first.number || this.#readAt.at === 0)
    if (!untouched || first.number === 0) return this.append(payloads)
    const number = first.number - 1
    // A released segment may have had this number, and the stored position may still point into it.
    await this.#position.write({ segment: number, at: 0 })
    const writer = await SegmentWriter.create(this.#path(number))
    try {
      await writer.append(encodeEntries(payloads))
      await writer.sync()
    } finally {
      await writer.close()
    }
    this.#segments.unshift({ number, size: writer.size })
    await this.#turnTo(number, 0)
    this.#count()
  }

  /** The next payloads in order, at most `max`; [] at the end of the log. */
  async read(max: number): Promise<Buffer[]> {
    for (const segment of this.#segments) {
      if (segment.number < this.#readAt.segment) continue
      if (segment.number > this.#readAt.segment) await this.#turnTo(segment.number, 0)
      this.#reader ??= await this.#openReader()
      const payloads = await this.#reader.read(max, segment.size)
      this.#readAt = { segment: segment.number, at: this.#reader.at }
      this.#count()
      if (payloads.length > 0) return payloads
    }
    return []
  }

  /**
   * Stores `position`, then deletes the segments that end before it. If everything is released, deletes all files. Rejects if the
   * disk does not take the position; a later call with the same position or a later one repairs that.
   */
  async release(position: SpillPosition): Promise<void> {
    const stored = await this.#position.write(position).then(
      () => true,
      () => false,
    )
    const read = position.segment === this.#readAt.segment && position.at === this.#readAt.at
    // Deleting works on a full disk, and without segments the position does not matter.
    if (read && this.unread === 0 && !this.#appending) return this.#removeAll()
    await this.#remove((segment) => this.#isOver(segment, position))
    // The deleted segments may have made room. If not, this rejects with the reason.
    if (!stored) await this.#position.write(position)
  }

  /** After this, a power loss does not lose what was appended before. */
  async sync(): Promise<void> {
    await this.#writer?.sync()
  }

  async close(): Promise<void> {
    await this.#reader?.close()
    this.#reader = null
    await this.#seal()
    await this.#position.close()
  }

  #isOver({ number, size }: Segment, position: SpillPosition): boolean {
    if (number !== position.segment) return number < position.segment
    return size === position.at && number !== this.#segments.at(-1)!.number
  }

  async #recover(): Promise<void> {
    const { dir } = this.#options
    const position = await this.#position.read()
    const found = await segmentsIn(dir)
    this.#nextNumber = Math.max(FIRST_SEGMENT - 1, found.at(-1) ?? 0, position?.segment ?? 0) + 1
    for (const number of found) this.#segments.push({ number, size: (await stat(this.#path(number))).size })
    await this.#cutTornTail()
    this.#readAt = position ?? { segment: this.#segments[0]?.number ?? 0, at: 0 }
    const current = this.#segments.find(({ number }) => number === this.#readAt.segment)
    // After a power loss the position may lie behind the end of the segment, whose last bytes never reached the disk.
    if (current && current.size < this.#readAt.at) this.#readAt = { segment: current.number, at: current.size }
    await this.#remove(({ number }) => number < this.#readAt.segment)
    this.#count()
    if (this.unread === 0) await this.#removeAll()
  }

  /** A crash can interrupt a write to the last segment only. */
  async #cutTornTail(): Promise<void> {
    const last = this.#segments.at(-1)
    if (last === undefined) return
    let torn: Damage | null = null
    const path = this.#path(last.number)
    const reader = await SegmentReader.open(path, last.number, 0, (damage) => (torn = damage))
    try {
      while ((await reader.read(Infinity, last.size)).length > 0);
    } finally {
      await reader.close()
    }
    const damage = torn as Damage | null
    // Valid entries follow the damage, so the damage is no torn tail. `read` will report it and return the entries.
    if (damage === null || damage.at + damage.bytes < last.size) return
    this.#options.onTorn(damage)
    await truncate(path, damage.at)
    last.size = damage.at
  }

  async #nextSegment(): Promise<SegmentWriter> {
    const number = this.#nextNumber++
    // Takes the block of the position while there is space: from now on a full disk can note what is released.
    if (this.#segments.length === 0) await this.#position.write({ segment: number, at: 0 })
    const writer = await SegmentWriter.create(this.#path(number))
    if (this.#segments.length === 0) await this.#turnTo(number, 0)
    this.#segments.push({ number, size: 0 })
    return writer
  }

  /** Syncs and closes the last segment. The next append begins a new one. */
  async #seal(): Promise<void> {
    const writer = this.#writer
    this.#writer = null
    try {
      await writer?.sync()
    } finally {
      await writer?.close()
    }
  }

  async #turnTo(segment: number, at: number): Promise<void> {
    const reader = this.#reader
    this.#reader = null
    this.#readAt = { segment, at }
    await reader?.close()
  }

  #openReader(): Promise<SegmentReader> {
    const { segment, at } = this.#readAt
    return SegmentReader.open(this.#path(segment), segment, at, this.#options.onDamage)
  }

  async #removeAll(): Promise<void> {
    const writer = this.#writer
    this.#writer = null
    // Closed without a sync, as the segment is deleted.
    await Promise.all([this.#turnTo(0, 0), writer?.close(), this.#remove(() => true)])
    // Last, because segments without a position would be delivered again. A position without segments does no harm.
    await this.#position.remove()
  }

  async #remove(which: (segment: Segment) => boolean): Promise<void> {
    const removed = this.#segments.filter(which)
    if (removed.length === 0) return
    this.#segments = this.#segments.filter((segment) => !which(segment))
    this.#count()
    for (const { number } of removed) await unlink(this.#path(number))
  }

  #count(): void {
    const { segment, at } = this.#readAt
    this.#bytes = 0
    this.#unread = 0
    for (const { number, size } of this.#segments) {
      this.#bytes += size
      if (number > segment) this.#unread += size
      else if (number === segment) this.#unread += size - at
    }
  }

  #path(number: number): string {
    return join(this.#options.dir, `${String(number).padStart(10, '0')}.spill`)
  }
}

/** Numbers of the segments in a folder, in order; [] if the folder does not exist. */
async function segmentsIn(dir: string): Promise<number[]> {
  const names = await namesIn(dir)
  return names
    .map((name) => SEGMENT_NAME.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b)
}

async function namesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch((error: unknown) => {
    if ((error as { code?: unknown }).code === 'ENOENT') return []
    throw error
  })
}
