import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeAt } from './write-at.ts'

/** Appends to one segment. A write that fails is truncated away, or at least not counted in `size`. */
export class SegmentWriter {
  readonly #file: FileHandle
  #size = 0
  #unsynced = false
  #broken = false

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** Creates the file and syncs the folder, so that the file itself survives a power loss. */
  static async create(path: string): Promise<SegmentWriter> {
    const file = await open(path, 'wx', 0o600)
    const folder = await open(dirname(path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
    return new SegmentWriter(file)
  }

  /** Bytes of complete writes. */
  get size(): number {
    return this.#size
  }
  /** The file may end with a part of a failed write, so nothing more may be appended. */
  get broken(): boolean {
    return this.#broken
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#unsynced = true
    try {
      await writeAt(this.#file, bytes, this.#size)
    } catch (error) {
      await this.#file.truncate(this.#size).catch(() => {
        this.#broken = true
      })
      throw error
    }
    this.#size += bytes.length
  }

  /** fdatasync, if anything was written since the last one. */
  async sync(): Promise<void> {
    if (!this.#unsynced) return
    this.#unsynced = false
    await this.#file.datasync()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
