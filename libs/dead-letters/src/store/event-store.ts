import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { LetterEvent, LetterStatus } from '@tributary/connect-storage'
import type { Groups } from './groups.ts'
import type { StoredPart } from './parts.ts'
import { searchable } from './words.ts'

/** Letters that one transaction changes. */
const CHANGED_AT_ONCE = 1000
const MAX_MESSAGE = 2000

/** What a letter is after an event; a note changes nothing. */
const STATUS: Partial<Record<LetterEvent['kind'], LetterStatus>> = {
  taken: 'IN_PROGRESS',
  written: 'RESOLVED',
  filtered: 'RESOLVED',
  failed: 'UNRESOLVED',
  superseded: 'SUPERSEDED',
  quarantined: 'QUARANTINED',
  discarded: 'DISCARDED',
  reopened: 'UNRESOLVED',
  released: 'UNRESOLVED',
}
const OPEN: readonly LetterStatus[] = ['UNRESOLVED', 'IN_PROGRESS']

type Body = Omit<LetterEvent, 'letters' | 'id'>
interface Run {
  readonly seq: number
  readonly first: number
  readonly last: number
}

/**
 * The events, and for which letters they stand. They may come before their letters: whoever adds letters applies the events that
 * wait for them. A letter has the number of the last event that changed it, so no event changes a letter twice.
 */
export class EventStore {
  readonly #database: DatabaseSync
  readonly #groups: Groups
  readonly #transaction: <T>(work: () => T) => T
  readonly #add: StatementSync
  readonly #addRun: StatementSync
  readonly #runs: StatementSync
  readonly #body: StatementSync
  readonly #counts: StatementSync
  readonly #change: StatementSync
  readonly #numbers: StatementSync

  constructor(database: DatabaseSync, groups: Groups, transaction: <T>(work: () => T) => T) {
    this.#database = database
    this.#groups = groups
    this.#transaction = transaction
    this.#add = database.prepare('INSERT INTO events (id, body) VALUES (?, ?) ON CONFLICT DO NOTHING')
    this.#addRun = database.prepare(
      'INSERT OR IGNORE INTO runs (topic, partition, first, last, seq) VALUES (?, ?, ?, ?, ?)',
    )
    this.#runs = database.prepare(
      'SELECT seq, first, last FROM runs WHERE topic = ? AND partition = ? AND last >= ? AND first < ? ORDER BY seq',
    )
    this.#body = database.prepare('SELECT body FROM events WHERE seq = ?')
    const where = 'part = ? AND off >= ? AND off < ? AND seq < ?'
    this.#counts = database.prepare(`SELECT grp, count(*) AS letters FROM letters WHERE ${where} GROUP BY grp`)
    this.#numbers = database.prepare(`SELECT n FROM letters WHERE ${where}`)
    this.#numbers.setReadBigInts(true)
    this.#change = database.prepare(`UPDATE letters SET grp = :grp, seq = :seq,
      failed_replays = CASE :failed WHEN 1 THEN failed_replays + 1 WHEN -1 THEN 0 ELSE failed_replays END,
      last_replay = coalesce(:replay, last_replay), last_replay_at = coalesce(:replayAt, last_replay_at),
      notes = coalesce(:notes, notes), message = coalesce(:message, message),
      resolved_at = CASE :keeps WHEN 1 THEN resolved_at ELSE :resolvedAt END,
      resolved_by = CASE :keeps WHEN 1 THEN resolved_by ELSE :resolvedBy END
      WHERE part = :part AND off >= :from AND off < :until AND seq < :seq AND grp = :before`)
  }

  /** Applies events in their order, in transactions of some letters, between which `pause` is awaited. What was applied is left out. */
  async apply(
    events: readonly LetterEvent[],
    partOf: (topic: string, partition: number) => StoredPart | undefined,
    pause: () => Promise<unknown>,
  ): Promise<void> {
    for (const event of events) {
      const seq = this.#transaction(() => this.#store(event))
      if (seq === null) continue
      for (const [topic, partitions] of Object.entries(event.letters)) {
        for (const [partition, runs] of Object.entries(partitions)) {
          for (const [first, count] of runs) {
            for (let from = first; from < first + count; from += CHANGED_AT_ONCE) {
              const until = Math.min(from + CHANGED_AT_ONCE, first + count)
              const part = partOf(topic, Number(partition))
              // Letters that are not there yet get their events when they come.
              if (part === undefined || from >= part.next) break
              this.#transaction(() => this.#changeRun(part, from, until, seq, event))
              await pause()
            }
          }
        }
      }
      this.#transaction(() => this.#database.prepare('UPDATE events SET done = 1 WHERE seq = ?').run(seq))
    }
  }

  /** Applies what waits for letters at these offsets of a partition, within the transaction that adds them. */
  applyTo(part: StoredPart, from: number, until: number): void {
    const runs = this.#runs.all(part.topic.topic, part.partition, from, until) as unknown as Run[]
    for (const { seq, first, last } of runs) {
      const { body } = this.#body.get(seq) as { body: string }
      this.#changeRun(part, Math.max(from, first), Math.min(until, last + 1), seq, JSON.parse(body) as Body)
    }
  }

  /** Forgets for which letters events stand, once these are no longer in Kafka: all of a topic, or those before an offset. */
  forget(topic: string, partition?: number, first?: number): void {
    if (partition === undefined) this.#database.prepare('DELETE FROM runs WHERE topic = ?').run(topic)
    else {
      this.#database
        .prepare('DELETE FROM runs WHERE topic = ? AND partition = ? AND last < ?')
        .run(topic, partition, first!)
    }
  }

  /** Its number; null: it was applied already. */
  #store({ id, letters, ...body }: LetterEvent): number | null {
    const { changes, lastInsertRowid } = this.#add.run(id, JSON.stringify(body))
    if (changes === 0) {
      const known = this.#database.prepare('SELECT seq, done FROM events WHERE id = ?').get(id)
      const { seq, done } = known as { seq: number; done: number }
      return done ? null : seq
    }
    const seq = Number(lastInsertRowid)
    for (const [topic, partitions] of Object.entries(letters)) {
      for (const [partition, runs] of Object.entries(partitions)) {
        for (const [first, count] of runs) this.#addRun.run(topic, Number(partition), first, first + count - 1, seq)
      }
    }
    return seq
  }

  #changeRun(part: StoredPart, from: number, until: number, seq: number, event: Body): void {
    const { kind, at, by, replay, notes, error } = event
    const message = error?.message.slice(0, MAX_MESSAGE)
    if (message !== undefined) this.#changeWords(part, from, until, seq, message)
    const found = this.#counts.all(part.id, from, until, seq) as unknown as { grp: number; letters: number }[]
    for (const { grp, letters } of found) {
      const before = this.#groups.get(grp)!
      const status = STATUS[kind] ?? before.status
      const errorType = error?.type ?? before.errorType
      const { topic, connector, originalTopic } = before
      const after = this.#groups.of({ topic, connector, originalTopic, errorType, status, isKnown: true })
      const ended = !OPEN.includes(status)
      this.#change.run({
        ...{ grp: after.id, seq, before: grp, part: part.id, from, until },
        failed: kind === 'failed' ? 1 : kind === 'reopened' ? -1 : 0,
        ...{ replay: replay ?? null, replayAt: replay === undefined ? null : at, notes: notes ?? null },
        message: message ?? null,
        ...{ keeps: kind === 'annotated' ? 1 : 0, resolvedAt: ended ? at : null, resolvedBy: ended ? by : null },
      })
      this.#groups.count(before, -letters)
      this.#groups.count(after, letters)
    }
  }

  #changeWords(part: StoredPart, from: number, until: number, seq: number, message: string): void {
    const remove = this.#database.prepare('DELETE FROM message_words WHERE rowid = ?')
    const add = this.#database.prepare('INSERT INTO message_words (rowid, text) VALUES (?, ?)')
    const text = searchable(message)
    const rows = this.#numbers.all(part.id, from, until, seq) as unknown as { n: bigint }[]
    const numbers = rows.map(({ n }) => n).sort((a, b) => (a < b ? -1 : 1))
    for (const n of numbers) remove.run(n)
    for (const n of numbers) add.run(n, text)
  }
}
