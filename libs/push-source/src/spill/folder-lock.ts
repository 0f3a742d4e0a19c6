import type { DatabaseSync } from 'node:sqlite'

/** SQLITE_BUSY, https://www.sqlite.org/rescode.html */
const BUSY = 5

/**
 * A folder that one owner at a time writes to: within a process, among the processes of a host, and among containers that
 * share a volume. Node offers no lock of the operating system; the lock of an SQLite database is one (fcntl, LockFileEx),
 * so the kernel frees it in the moment its owner dies, however it dies.
 *
 * The database is an empty file beside the folder. It is never removed: whoever opened it before and locked it after would
 * own nothing. Nobody but SQLite may open it: in POSIX a process that closes any descriptor of a file loses its locks on it.
 */
export class FolderLock {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** null: someone else has it. The folder need not be there, but what it is in. Rejects with SQLite's error. */
  static async acquire(dir: string): Promise<FolderLock | null> {
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(`${dir}.lock`, { timeout: 0 })
    try {
      // By default SQLite makes a file for its journal, though nothing is ever written.
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
