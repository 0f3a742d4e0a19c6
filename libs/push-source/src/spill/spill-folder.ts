import { mkdir, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FolderLock } from '@tributary/async'
import { SpillLog, type SpillLogOptions } from './spill-log.ts'

/** Only the user that runs the service may read the messages. */
const PRIVATE = 0o700

/** A locked folder and the log in it. */
export class SpillFolder {
  readonly log: SpillLog
  readonly #dir: string
  readonly #lock: FolderLock

  private constructor(dir: string, lock: FolderLock, log: SpillLog) {
    this.#dir = dir
    this.#lock = lock
    this.log = log
  }

  /** Creates the folder if needed. null: another owner holds its lock. Rejects with the error of the file system. */
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

  /** Closes the log, removes the folder if it is empty, and releases the lock. */
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
