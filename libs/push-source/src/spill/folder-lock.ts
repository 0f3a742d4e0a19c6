import { stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'

const NAME = 'lock'
/** SQLITE_BUSY, https://www.sqlite.org/rescode.html */
const BUSY = 5

/**
 * A folder that one owner at a time writes to: within a process, among the processes of a host, and among containers that
 * share a volume. Node offers no lock of the operating system; the lock of an SQLite database is one (fcntl, LockFileEx),
 * so the kernel frees it in the moment its owner dies, however it dies.
 */
export class FolderLock {
  readonly #path: string
  readonly #database: DatabaseSync

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path
    this.#database = database
  }

  /** null: someone else has it. The folder must be there. Rejects with the error of the file system. */
  static async acquire(dir: string): Promise<FolderLock | null> {
    const { DatabaseSync } = await import('node:sqlite')
    const path = join(dir, NAME)
    await writeFile(path, '', { flag: 'a', mode: 0o600 })
    const inode = await inodeOf(path)
    const database = new DatabaseSync(path, { timeout: 0 })
    try {
      // By default SQLite makes a file for its journal, though nothing is ever written.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      // Whoever had it before may have removed the file between our open and our lock: that would be a lock of nothing.
      if (inode !== null && (await inodeOf(path)) === inode) return new FolderLock(path, database)
    } catch (error) {
      if ((error as { errcode?: unknown }).errcode !== BUSY) {
        database.close()
        throw error
      }
    }
    database.close()
    return null
  }

  /** Frees it; the file goes first, so that an empty folder can be removed. */
  async release(): Promise<void> {
    try {
      await unlink(this.#path)
    } finally {
      this.#database.close()
    }
  }
}

async function inodeOf(path: string): Promise<bigint | null> {
  try {
    return (await stat(path, { bigint: true })).ino
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return null
    throw error
  }
}
