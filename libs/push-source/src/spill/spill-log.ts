import { readdir, stat, truncate, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeEntries } from './entry.ts'
import { PositionFile, type SpillPosition } from './position-file.ts'
import { type Damage, SegmentReader } from './segment-reader.ts'
import { SegmentWriter } from './segment-writer.ts'

const MIB = 1024 * 1024
/** Some numbers are left for what comes before. */
const FIRST_SEGMENT = 1_000_000
/** `0001000000.spill`; the number says the order. */
const SEGMENT_NAME = /^(\d{10})\.spill$/

export interface SpillLogOptions {
  readonly dir: string
  /** A segment that has reached this size is followed by another; space is given back a segment at a time. */
  readonly segmentBytes: number
  /** A write that a crash had cut off was found at the end, and taken away. */
  readonly onTorn: (damage: Damage) => void
  /** Something that had been written is not what it was, and was passed over. */
  readonly onDamage: (damage: Damage) => void
}

interface Segment {
  readonly number: number
  /** Bytes of it that count. */
  size: number
}

/** The size of a segment for a log of `maxBytes`: small enough that space comes back while the rest is being read. */
export function segmentBytesFor(maxBytes: number): number {
  return Math.min(16 * MIB, Math.max(64 * 1024, Math.floor(maxBytes / 16)))
}

/**
 * A first-in, first-out log of byte strings in a folder that nobody else writes to. One `append` at a time, and beside it one
 * `read` and one `release` at a time. A killed process loses nothing that `append` has resolved for; a power loss at most
 * what no `sync` has followed.
 */
export class SpillLog {
  readonly #options: SpillLogOptions
  readonly #position: PositionFile
  /** In order; from the first that is not released to the last that was written. */
  #segments: Segment[] = []
  #nextNumber = FIRST_SEGMENT
  #writer: SegmentWriter | null = null
  #appending = false
  #reader: SegmentReader | null = null
  /** Where the next read begins. */
  #readAt: SpillPosition = { segment: 0, at: 0 }
  #bytes = 0
  #unread = 0

  private constructor(options: SpillLogOptions) {
    this.#options = options
    this.#position = new PositionFile(options.dir)
  }

  /** Opens what a former owner left, or nothing. What its death cut off in the midst of a write is taken away, and told. */
  static async open(options: SpillLogOptions): Promise<SpillLog> {
    const log = new SpillLog(options)
    await log.#recover()
    return log
  }

  /** Whether a folder, perhaps not there, holds anything: also a mere position, as a death may leave it, is to be taken away. */
  static async isIn(dir: string): Promise<boolean> {
    return (await namesIn(dir)).length > 0
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#bytes
  }
  /** Bytes that no `read` has answered yet. */
  get unread(): number {
    return this.#unread
  }

  /** Behind the last payload that was read: what `release` is given once all up to it is kept elsewhere. */
  get readPosition(): SpillPosition {
    return this.#readAt
  }

  /** Appends in one write. When it rejects, none of the payloads is in the log. */
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
   * Puts older payloads before all that is there; where a part of that was read, behind it. For the end of a run: no append or
   * read may be under way.
   */
  async prepend(payloads: readonly Uint8Array[]): Promise<void> {
    const first = this.#segments[0]
    const untouched = first && (this.#readAt.segment < first.number || this.#readAt.at === 0)
    if (!untouched || first.number === 0) return this.append(payloads)
    const number = first.number - 1
    // What was released may have been of a segment with this number.
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

  /** Up to `max` payloads in order; [] when all that was appended has been read. */
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

  /** All before `position` may go: it is remembered, then whole segments go. */
  async release(position: SpillPosition): Promise<void> {
    await this.#position.write(position)
    const read = position.segment === this.#readAt.segment && position.at === this.#readAt.at
    if (read && this.unread === 0 && !this.#appending) await this.#removeAll()
    else await this.#remove((segment) => this.#isOver(segment, position))
  }

  /** What was appended survives a power loss, too. */
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
    // After a power loss the position may know of bytes that never came to the disk.
    if (current && current.size < this.#readAt.at) this.#readAt = { segment: current.number, at: current.size }
    await this.#remove(({ number }) => number < this.#readAt.segment)
    this.#count()
    // All that was there was delivered, or was cut.
    if (this.unread === 0) await this.#removeAll()
  }

  /** Only the last segment can have been in the midst of a write. */
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
    // Damage in the midst is told when it is come to, and what is behind it is read.
    if (damage === null || damage.at + damage.bytes < last.size) return
    this.#options.onTorn(damage)
    await truncate(path, damage.at)
    last.size = damage.at
  }

  async #nextSegment(): Promise<SegmentWriter> {
    const number = this.#nextNumber++
    const writer = await SegmentWriter.create(this.#path(number))
    if (this.#segments.length === 0) await this.#turnTo(number, 0)
    this.#segments.push({ number, size: 0 })
    return writer
  }

  /** The next append begins a new segment. */
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
    // Not synced: nobody will read it again.
    await Promise.all([this.#turnTo(0, 0), writer?.close(), this.#remove(() => true)])
    // Last: a position without segments is nothing, segments without one would be delivered again.
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

/** Numbers of the segments in a folder, in order; none when it is not there. */
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
