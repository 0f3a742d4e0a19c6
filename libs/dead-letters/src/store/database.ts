import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { FolderLock } from '@tributary/async'

/** Another version is built anew. */
const VERSION = 1
const CACHE_KIB = 48 * 1024
const MAX_FOLDERS = 100

/**
 * `letters.n` is the time of the letter, then 21 bits that tell letters of one ms apart: the order of the table is the order of
 * time, also for FTS5, whose rows have the same numbers. `grp`: all that a letter has in common with many others.
 */
const SCHEMA = `
CREATE TABLE topics (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, kafka_id TEXT NOT NULL, gone INTEGER NOT NULL DEFAULT 0);
CREATE TABLE parts (
  id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, partition INTEGER NOT NULL,
  next INTEGER NOT NULL DEFAULT 0, first INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, partition));
CREATE TABLE groups (
  id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, connector TEXT, original_topic TEXT, error_type TEXT NOT NULL,
  status TEXT NOT NULL, letters INTEGER NOT NULL);
CREATE TABLE letters (
  n INTEGER PRIMARY KEY, part INTEGER NOT NULL, off INTEGER NOT NULL, id_start INTEGER NOT NULL, grp INTEGER NOT NULL,
  seq INTEGER NOT NULL DEFAULT 0, timestamp INTEGER NOT NULL, task INTEGER, original_partition INTEGER, original_offset TEXT,
  message TEXT NOT NULL, stage TEXT, class_name TEXT, trace_id TEXT, key_size INTEGER, value_size INTEGER, is_cut INTEGER NOT NULL,
  failed_replays INTEGER NOT NULL DEFAULT 0, last_replay TEXT, last_replay_at INTEGER, notes TEXT, resolved_at INTEGER,
  resolved_by TEXT);
CREATE UNIQUE INDEX letters_place ON letters (part, off);
CREATE INDEX letters_group ON letters (grp);
CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE runs (topic TEXT NOT NULL, partition INTEGER NOT NULL, last INTEGER NOT NULL, seq INTEGER NOT NULL, first INTEGER NOT NULL,
  PRIMARY KEY (topic, partition, last, seq, first)) WITHOUT ROWID;
CREATE INDEX runs_seq ON runs (seq);
CREATE VIRTUAL TABLE message_words USING fts5(text, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE payload_words USING fts5(text, content='', contentless_delete=1, detail=none, tokenize='ascii');
PRAGMA user_version = ${VERSION};
`

export interface OpenDatabase {
  readonly database: DatabaseSync
  readonly file: string
  /** Why what was there was thrown away, in a sentence; null: it was not. */
  readonly thrownAway: string | null
  close(): void
}

/**
 * Opens the file of an index in the folder, which is created. Every process has a sub-folder of its own, and takes the one that a
 * former process has left. A file of another version, or one that cannot be read, is built anew.
 */
export async function openDatabase(folder: string): Promise<OpenDatabase> {
  mkdirSync(folder, { recursive: true })
  const [own, lock] = await ownFolder(folder)
  mkdirSync(own, { recursive: true })
  const file = join(own, 'letters.sqlite')
  const sqlite = await import('node:sqlite')
  let thrownAway: string | null = null
  let database = new sqlite.DatabaseSync(file)
  try {
    thrownAway = prepare(database)
  } catch (error) {
    thrownAway = (error as Error).message
  }
  if (thrownAway !== null) {
    database.close()
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(file + end, { force: true })
    database = new sqlite.DatabaseSync(file)
    prepare(database)
  }
  const close = (): void => {
    database.close()
    lock.release()
  }
  return { database, file, thrownAway, close }
}

/** Why the file has to be thrown away. */
function prepare(database: DatabaseSync): string | null {
  database.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -${CACHE_KIB}; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 2000`)
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version === VERSION) return null
  const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number }
  if (tables.n > 0) return `the file has version ${version} of its schema, and this is version ${VERSION}`
  database.exec(`BEGIN; ${SCHEMA} COMMIT`)
  return null
}

async function ownFolder(folder: string): Promise<[string, FolderLock]> {
  for (let number = 0; number < MAX_FOLDERS; number++) {
    const own = join(folder, `dead-letters-${number}`)
    const lock = await FolderLock.acquire(own)
    if (lock !== null) return [own, lock]
  }
  throw new Error(`${MAX_FOLDERS} processes have an index in ${folder}`)
}
