import { constants, type FileHandle, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { writeAt } from './write-at.ts'

/** A position in the log, ordered by segment, then by `at`. */
export interface SpillPosition {
  readonly segment: number
  /** Byte offset in the segment's file. */
  readonly at: number
}

const NAME = 'position'
const DIGITS = 16

/** The file keeps its block when it is opened: on a full disk another file could take it. */
const OPEN_FLAGS = constants.O_WRONLY | constants.O_CREAT

/**
 * The end of the delivered part of the log, in a file. One line of a fixed length is overwritten with one call, so a process that
 * dies leaves the old line or the new one, and a full disk takes each line but the first. A line that a power loss damaged is
 * ignored. That costs duplicates and loses no message, so the file is never synced.
 */
export class PositionFile {
  readonly #path: string
  #file: FileHandle | null = null

  constructor(dir: string) {
    this.#path = join(dir, NAME)
  }

  /** null: there is no file, or its checksum is wrong. */
  async read(): Promise<SpillPosition | null> {
    const text = await readFile(this.#path, 'utf8').catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 'ENOENT') return ''
      throw error
    })
    const [segment, at, crc] = text.trimEnd().split(' ')
    if (segment === undefined || at === undefined || crc !== checksum(`${segment} ${at}`)) return null
    return { segment: Number(segment), at: Number(at) }
  }

  async write({ segment, at }: SpillPosition): Promise<void> {
    this.#file ??= await open(this.#path, OPEN_FLAGS, 0o600)
    const numbers = `${digits(segment)} ${digits(at)}`
    await writeAt(this.#file, Buffer.from(`${numbers} ${checksum(numbers)}\n`), 0)
  }

  async remove(): Promise<void> {
    await this.close()
    await unlink(this.#path).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    })
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close()
  }
}

function digits(number: number): string {
  return String(number).padStart(DIGITS, '0')
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
