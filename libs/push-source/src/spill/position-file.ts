import { type FileHandle, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/** A place in the log. Compared by segment, then by `at`. */
export interface SpillPosition {
  readonly segment: number
  /** Byte offset in the segment's file. */
  readonly at: number
}

const NAME = 'position'
const DIGITS = 16

/**
 * Up to where Kafka has the log. One line of a fixed length, written over itself with one call: a process that dies leaves
 * the former line or this one. One that a power loss has garbled is passed over, which costs duplicates and loses nothing;
 * so it is never synced.
 */
export class PositionFile {
  readonly #path: string
  #file: FileHandle | null = null

  constructor(dir: string) {
    this.#path = join(dir, NAME)
  }

  /** null: there is none, or none that can be believed. */
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
    this.#file ??= await open(this.#path, 'w', 0o600)
    const numbers = `${digits(segment)} ${digits(at)}`
    await this.#file.write(`${numbers} ${checksum(numbers)}\n`, 0)
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
