import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Appends to one segment; what failed half-way is taken back, or never counted. */
export class SegmentWriter {
  readonly #file: FileHandle
  #size = 0
  #unsynced = false
  #broken = false

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** Makes the file, and its entry in the folder durable. */
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

  /** Bytes of whole writes. */
  get size(): number {
    return this.#size
  }
  /** The end of the file may be something else than its last whole write: nothing can be appended any more. */
  get broken(): boolean {
    return this.#broken
  }

  async append(bytes: Uint8Array): Promise<void> {
    let written = 0
    this.#unsynced = true
    try {
      // A file system that is nearly full takes a part.
      while (written < bytes.length) {
        written += (await this.#file.write(bytes, written, bytes.length - written, this.#size + written)).bytesWritten
      }
    } catch (error) {
      await this.#file.truncate(this.#size).catch(() => {
        this.#broken = true
      })
      throw error
    }
    this.#size += bytes.length
  }

  /** fdatasync, when there is something that it could do. */
  async sync(): Promise<void> {
    if (!this.#unsynced) return
    this.#unsynced = false
    await this.#file.datasync()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
