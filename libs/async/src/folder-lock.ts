import type { DatabaseSync } from 'node:sqlite'

/** SQLITE_BUSY, https://www.sqlite.org/rescode.html */
const BUSY = 5

/**
 * The exclusive lock of a folder: among the tasks of a process, the processes of a host, and containers that share a volume.
 * Node has no API for locks of the operating system. SQLite locks a database with one (fcntl, LockFileEx), so the kernel
 * releases the lock as soon as its owner dies, however the owner dies.
 *
 * The database is an empty file beside the folder. The file is never removed: a process that opened the removed file could lock
 * it, while another process locks a new file of the same name. Only SQLite may open the file: under POSIX a process loses its
 * locks on a file when it closes any descriptor of that file.
 */
export class FolderLock {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** null: another owner holds the lock. The folder need not exist, its parent must. Rejects with SQLite's error. */
  static async acquire(dir: string): Promise<FolderLock | null> {
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(`${dir}.lock`, { timeout: 0 })
    try {
      // SQLite would create a file for its journal, although nothing is ever written.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      return new FolderLock(database)
    } catch (error) {
      database.close()
      if ((error as { errcode?: unknown }).errcode === BUSY) return null
      throw error
    }
  }

  release(): void {
    this.#database.close()
  }
}
