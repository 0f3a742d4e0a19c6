import { mkdir, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FolderLock } from './folder-lock.ts'
import { SpillLog, type SpillLogOptions } from './spill-log.ts'

/** Others than the user that runs the service have no business with messages. */
const PRIVATE = 0o700

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
    const { dir } = options
    await mkdir(dirname(dir), { recursive: true, mode: PRIVATE })
    const lock = await FolderLock.acquire(dir)
    if (lock === null) return null
    try {
      await mkdir(dir, { recursive: true, mode: PRIVATE })
      return new SpillFolder(dir, lock, await SpillLog.open(options))
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Leaves it to the next owner; one that is empty is removed. */
  async close(): Promise<void> {
    try {
      await this.log.close()
      await rmdir(this.#dir).catch((error: unknown) => {
        const code = (error as { code?: unknown }).code
        if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
      })
    } finally {
      this.#lock.release()
    }
  }
}
