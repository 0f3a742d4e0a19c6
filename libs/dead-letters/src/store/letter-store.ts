import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { DeadLetter } from '@tributary/connect-api'
import type { LogRecord } from '@tributary/kafka'
import { EventStore } from './event-store.ts'
import { Groups } from './groups.ts'
import { letterHash } from './letter-id.ts'
import type { StoredPart, StoredTopic } from './parts.ts'
import { searchable, searchableBytes } from './words.ts'

export const TIME_BITS = 21n
const LOW = (1 << 21) - 1
const MAX_TIME = 2 ** 42 - 1
const MAX_MESSAGE = 2000
const MAX_TEXT = 1000
/** Rows that one transaction removes. */
const REMOVED_AT_ONCE = 500

export interface NewLetter {
  readonly record: Pick<LogRecord, 'offset' | 'timestamp' | 'key' | 'value'>
  readonly letter: DeadLetter
}

/** What was read of a partition: its letters in the order of their offsets, and the offset after them. */
export interface ReadPart {
  readonly partition: number
  readonly letters: readonly NewLetter[]
  readonly next: bigint
}

/** The letters in SQLite. Every method is one transaction: after the end of the process at any moment all of it is there, or nothing. */
export class LetterStore {
  readonly database: DatabaseSync
  readonly groups: Groups
  readonly events: EventStore
  /** Topics that are read, by name. */
  readonly topics = new Map<string, StoredTopic>()
  readonly topicById = new Map<number, StoredTopic>()
  readonly partById = new Map<number, StoredPart>()
  readonly #gone = new Set<number>()
  readonly #parts = new Map<string, StoredPart>()
  readonly #insert: StatementSync
  readonly #addMessage: StatementSync
  readonly #addPayload: StatementSync
  readonly #progress: StatementSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync

  constructor(database: DatabaseSync, options: { readonly maxGroups?: number } = {}) {
    this.database = database
    this.groups = new Groups(database, options.maxGroups)
    this.events = new EventStore(database, this.groups, (work) => this.transaction(work))
    const names = 'n, part, off, id_start, grp, timestamp, task, original_partition, original_offset, message, stage, class_name, trace_id, key_size, value_size, is_cut' // prettier-ignore
    this.#insert = database.prepare(
      `INSERT OR IGNORE INTO letters (${names}) VALUES (${names.split(', ').map(() => '?').join(', ')})`, // prettier-ignore
    )
    this.#addMessage = database.prepare('INSERT INTO message_words (rowid, text) VALUES (?, ?)')
    this.#addPayload = database.prepare('INSERT INTO payload_words (rowid, text) VALUES (?, ?)')
    this.#progress = database.prepare('UPDATE parts SET next = ? WHERE id = ?')
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    for (const row of database.prepare('SELECT id, topic, kafka_id AS kafkaId, gone FROM topics').all()) {
      const { gone, ...topic } = row as unknown as StoredTopic & { gone: number }
      this.topicById.set(topic.id, topic)
      if (gone) this.#gone.add(topic.id)
      else this.topics.set(topic.topic, topic)
    }
    for (const row of database.prepare('SELECT id, topic, partition, next, first FROM parts').all()) {
      const { topic, ...part } = row as unknown as Omit<StoredPart, 'topic'> & { topic: number }
      this.#addPart({ ...part, topic: this.topicById.get(topic)! })
    }
  }

  transaction<T>(work: () => T): T {
    this.#begin.run()
    try {
      const result = work()
      this.groups.save()
      this.#commit.run()
      return result
    } catch (error) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK')
      this.groups.load()
      throw error
    }
  }

  isGone(topic: number): boolean {
    return this.#gone.has(topic)
  }

  /** The next offset of each partition of a topic with this id of Kafka's. Letters of a topic that had the name before are gone. */
  open(topic: string, kafkaId: string, partitions: readonly number[]): Map<number, bigint> {
    const before = this.topics.get(topic)
    if (before && before.kafkaId !== kafkaId) this.drop(topic)
    return this.transaction(() => {
      let stored = this.topics.get(topic)
      if (stored === undefined) {
        const { lastInsertRowid } = this.database
          .prepare('INSERT INTO topics (topic, kafka_id) VALUES (?, ?)')
          .run(topic, kafkaId)
        stored = { id: Number(lastInsertRowid), topic, kafkaId }
        this.topics.set(topic, stored)
        this.topicById.set(stored.id, stored)
      }
      return new Map(partitions.map((partition) => [partition, BigInt(this.#part(stored, partition).next)]))
    })
  }

  part(topic: string, partition: number): StoredPart | undefined {
    const stored = this.topics.get(topic)
    return stored && this.#parts.get(`${stored.id}/${partition}`)
  }

  /** Adds letters of some partitions, and whatever events say about them, in one transaction: what it costs is its end. */
  add(topic: string, read: readonly ReadPart[]): void {
    const parts = read.flatMap((one) => {
      const part = this.part(topic, one.partition)
      return part === undefined ? [] : [{ ...one, part, before: part.next }]
    })
    try {
      this.transaction(() => {
        const words: [bigint, string, string][] = []
        for (const { part, before, letters } of parts) {
          for (const letter of letters) if (Number(letter.record.offset) >= before) words.push(this.#add(part, letter))
        }
        // FTS5 writes what it holds in memory whenever numbers do not grow.
        words.sort(([a], [b]) => (a < b ? -1 : 1))
        for (const [n, message] of words) this.#addMessage.run(n, message)
        for (const [n, , payload] of words) if (payload !== ' ') this.#addPayload.run(n, payload)
        for (const { part, before, next } of parts) {
          part.next = Math.max(before, Number(next))
          this.#progress.run(part.next, part.id)
          this.events.applyTo(part, before, part.next)
        }
      })
    } catch (error) {
      for (const { part, before } of parts) part.next = before
      throw error
    }
  }

  #add(part: StoredPart, { record, letter }: NewLetter): [bigint, string, string] {
    const { context } = letter
    const offset = String(record.offset)
    const bytes = letterHash(part.topic.kafkaId, part.partition, offset)
    const group = this.groups.of({
      topic: part.topic.id,
      connector: cut(context.connector, MAX_TEXT),
      originalTopic: cut(context.topic, MAX_TEXT),
      errorType: context.errorType,
      status: 'UNRESOLVED',
    })
    const message = (context.message ?? '').slice(0, MAX_MESSAGE)
    const rest = [
      ...[part.id, record.offset, bytes.readUIntBE(0, 6), group.id, letter.timestamp, context.task],
      ...[context.partition, context.offset === null ? null : String(context.offset), message, cut(context.stage, MAX_TEXT)],
      ...[cut(context.className, MAX_TEXT), context.traceId, record.key?.length ?? null],
      ...[context.cut?.size ?? record.value?.length ?? null, context.cut === null ? 0 : 1],
    ] // prettier-ignore
    for (let attempt = 0; attempt < 1000; attempt++) {
      // Letters of one partition stand in their order; those of two that meet step aside.
      const n = numberFor(context.failedAt ?? record.timestamp, part.salt, record.offset, attempt)
      if (this.#insert.run(n, ...rest).changes === 0) continue
      this.groups.count(group, 1)
      return [n, searchable(message), `${searchableBytes(record.key)} ${searchableBytes(record.value)}`]
    }
    throw new Error(`there is no place for ${part.topic.topic}-${part.partition} at ${offset}`)
  }

  /** The topic is not there any more, or another one has its name. `removeSome` removes its letters; no query finds them from now on. */
  drop(topic: string): void {
    const stored = this.topics.get(topic)
    if (stored === undefined) return
    this.transaction(() => {
      this.database.prepare('UPDATE topics SET gone = 1 WHERE id = ?').run(stored.id)
      this.events.forget(topic)
    })
    this.topics.delete(topic)
    this.#gone.add(stored.id)
  }

  /** Letters before this offset are not in Kafka any more. `removeSome` removes them. */
  retain(topic: string, partition: number, first: bigint): void {
    const part = this.part(topic, partition)
    if (part === undefined || first <= BigInt(part.first)) return
    part.first = Number(first)
    this.transaction(() => {
      this.database.prepare('UPDATE parts SET first = ? WHERE id = ?').run(part.first, part.id)
      this.events.forget(topic, partition, part.first)
    })
  }

  /** Removes some of the letters that are not in Kafka any more. Returns whether there may be more. */
  removeSome(): boolean {
    for (const part of this.partById.values()) {
      const end = this.#gone.has(part.topic.id) ? Number.MAX_SAFE_INTEGER : part.first
      if (this.#remove('part = ? AND off < ?', part.id, end)) return true
    }
    for (const topic of this.#gone) {
      this.transaction(() => {
        this.database.prepare('DELETE FROM parts WHERE topic = ?').run(topic)
        this.database.prepare('DELETE FROM topics WHERE id = ?').run(topic)
      })
      for (const part of [...this.partById.values()].filter((one) => one.topic.id === topic)) {
        this.partById.delete(part.id)
        this.#parts.delete(`${topic}/${part.partition}`)
      }
      this.topicById.delete(topic)
      this.#gone.delete(topic)
    }
    return false
  }

  /**
   * Makes the index by ids, if it is not there. Ids are random, so that each transaction would write most pages of that index: a
   * build is a quarter shorter without it. Until then a letter is found by its id by looking at all. A million letters take a second.
   */
  indexIds(): void {
    this.database.exec('CREATE INDEX IF NOT EXISTS letters_id ON letters (id_start)')
  }

  /** Removes some of the oldest letters of all. */
  removeOldest(): void {
    this.#remove('n > ?', 0, null)
  }

  /** Bytes of the database that hold something. */
  get bytes(): number {
    const value = (name: string): number => Object.values(this.database.prepare(`PRAGMA ${name}`).get()!)[0] as number
    return (value('page_count') - value('freelist_count')) * value('page_size')
  }

  #remove(where: string, a: number, b: number | null): boolean {
    const order = b === null ? 'n' : 'off'
    const found = this.database.prepare(
      `SELECT n, grp FROM letters WHERE ${where} ORDER BY ${order} LIMIT ${REMOVED_AT_ONCE}`,
    )
    found.setReadBigInts(true)
    const rows = (b === null ? found.all(a) : found.all(a, b)) as unknown as { n: bigint; grp: bigint }[]
    if (rows.length === 0) return false
    this.transaction(() => {
      const from = ['letters WHERE n', 'message_words WHERE rowid', 'payload_words WHERE rowid']
      const removals = from.map((table) => this.database.prepare(`DELETE FROM ${table} = ?`))
      for (const { n, grp } of rows) {
        for (const removal of removals) removal.run(n)
        this.groups.count(this.groups.get(Number(grp))!, -1)
      }
    })
    return true
  }

  #part(topic: StoredTopic, partition: number): StoredPart {
    const found = this.#parts.get(`${topic.id}/${partition}`)
    if (found) return found
    const { lastInsertRowid } = this.database
      .prepare('INSERT INTO parts (topic, partition) VALUES (?, ?)')
      .run(topic.id, partition)
    return this.#addPart({ id: Number(lastInsertRowid), topic, partition, next: 0, first: 0 })
  }

  #addPart(fields: Omit<StoredPart, 'salt'>): StoredPart {
    const salt = letterHash(fields.topic.kafkaId, fields.partition, '').readUInt32BE(0) & LOW
    const part = { ...fields, salt }
    this.#parts.set(`${part.topic.id}/${part.partition}`, part)
    this.partById.set(part.id, part)
    return part
  }
}

/** The number of a letter. `attempt`: how many others of its ms have taken the numbers that it would have. */
export function numberFor(time: number, salt: number, offset: bigint, attempt = 0): bigint {
  const low = (salt + Number(offset & BigInt(LOW)) + Math.imul(attempt, 0x9e3779b1)) & LOW
  return (BigInt(Math.min(Math.max(Math.trunc(time), 0), MAX_TIME)) << TIME_BITS) | BigInt(low)
}

function cut(text: string | null, length: number): string | null {
  return text === null ? null : text.slice(0, length)
}
