import { mkdir, rmdir } from 'node:fs/promises'
import { FolderLock } from './folder-lock.ts'
import { SpillLog, type SpillLogOptions } from './spill-log.ts'

/** A folder that is ours, and its log. */
export class SpillFolder {
  readonly log: SpillLog
  readonly #dir: string
  readonly #lock: FolderLock

  private constructor(dir: string, lock: FolderLock, log: SpillLog) {
    this.#dir = dir
    this.#lock = lock
    this.log = log
  }

  /** Makes the folder when it is not there. null: someone else has it. Rejects with the error of the file system. */
  static async open(options: SpillLogOptions): Promise<SpillFolder | null> {
    await mkdir(options.dir, { recursive: true, mode: 0o700 })
    const lock = await FolderLock.acquire(options.dir)
    if (lock === null) return null
    try {
      return new SpillFolder(options.dir, lock, await SpillLog.open(options))
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Leaves it to the next owner; one that is empty is removed. */
  async close(): Promise<void> {
    try {
      await this.log.close()
    } finally {
      await this.#lock.release()
    }
    await rmdir(this.#dir).catch((error: unknown) => {
      const code = (error as { code?: unknown }).code
      // Something is left, or the next owner is here already.
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error
    })
  }
}
