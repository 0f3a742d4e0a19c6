import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { LetterFilter } from '../types.ts'
import type { Group } from './groups.ts'
import { idStart, letterId } from './letter-id.ts'
import { type LetterStore, TIME_BITS } from './letter-store.ts'
import { matchExpression } from './words.ts'

/** A filter as it is passed to the thread. */
export interface StoredFilter extends Omit<LetterFilter, 'visible'> {
  /** The connectors that the caller may see; null: letters without one. Absent: all. */
  readonly visible?: readonly (string | null)[]
}

/** null: a letter that was looked at, and is not one of them. */
export type Walk = Generator<Found | null, void>

export interface Found {
  readonly n: bigint
  readonly group: Group
}

const MAX_TIME = 2n ** 42n - 1n
/** Where one plan is better than another. */
export interface PlanBounds {
  /** Groups that are merged letter by letter. */
  readonly mergedGroups: number
  /** So many letters are asked one by one whether they have the words. */
  readonly askedLetters: number
}

export const PLAN_BOUNDS: PlanBounds = { mergedGroups: 100, askedLetters: 2000 }

/** What the filter finds, by the plan that reads least. It reads a connection of its own, which shows one moment. */
export class LetterSearch {
  readonly #database: DatabaseSync
  readonly #store: LetterStore
  readonly groups: readonly Group[]
  readonly #byId: ReadonlyMap<number, Group>
  readonly #filter: StoredFilter
  readonly #bounds: PlanBounds
  #counts: StatementSync | null = null
  readonly #low: bigint
  readonly #high: bigint
  /** The expression of the words; null: there are none to look for. */
  readonly #match: string | null
  /** Letters of the groups. */
  readonly letters: number

  constructor(database: DatabaseSync, store: LetterStore, filter: StoredFilter, bounds: PlanBounds) {
    this.#bounds = bounds
    this.#database = database
    this.#store = store
    this.#filter = filter
    const { text } = filter
    this.#match = text === undefined ? null : matchExpression(text)
    // A text without any word is in no letter.
    const nothing = text !== undefined && this.#match === null
    this.groups = nothing ? [] : [...store.groups.all()].filter(matcher(filter, store))
    this.#byId = new Map(this.groups.map((group) => [group.id, group]))
    this.letters = this.groups.reduce((sum, { letters }) => sum + letters, 0)
    this.#low = bound(filter.from, 0n, Math.ceil) << TIME_BITS
    this.#high = ((bound(filter.to, MAX_TIME, Math.floor) + 1n) << TIME_BITS) - 1n
    if ((filter.to ?? 0) < 0) this.#high = -1n
  }

  get hasText(): boolean {
    return this.#match !== null
  }
  get isTimed(): boolean {
    return this.#filter.from !== undefined || this.#filter.to !== undefined
  }
  get hasIds(): boolean {
    return this.#filter.ids !== undefined
  }
  /** Whether the counts of the groups say all. */
  get isCounted(): boolean {
    return !this.hasText && !this.isTimed && this.#filter.ids === undefined
  }
  /** To ask a letter for the beginning of a word means to look at all words that begin so. */
  get #asksLetters(): boolean {
    return this.letters <= this.#bounds.askedLetters && !this.#match!.includes('*')
  }
  get #isEverything(): boolean {
    return this.letters === this.#store.groups.total
  }

  /** How many letters of a group are in the time of the filter. */
  countOf(group: Group): number {
    if (!this.isTimed) return group.letters
    this.#counts ??= this.#database.prepare('SELECT count(*) AS n FROM letters WHERE grp = ? AND n BETWEEN ? AND ?')
    return (this.#counts.get(group.id, this.#low, this.#high) as { n: number }).n
  }

  /** Letters with the words in the time of the filter, whatever their groups, as far as `max`; null: only a walk can tell. */
  countWords(max: number): number | null {
    if (!this.hasText || !this.#isEverything || this.#filter.ids !== undefined) return null
    const [from, values] = this.#words()
    const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM ${from} AND rowid BETWEEN ? AND ? LIMIT ?)`
    return (this.#database.prepare(sql).get(...values, this.#low, this.#high, max) as { n: number }).n
  }

  /** How many of the newest `max` letters with the words are in each group, in one step; null: that is no shorter way. */
  countWordsByGroup(max: number): Map<Group, number> | null {
    if (!this.hasText || this.#asksLetters || this.#filter.ids !== undefined) return null
    const [from, values] = this.#words()
    const newest = `SELECT rowid AS n FROM ${from} AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?`
    const sql = `SELECT grp, count(*) AS letters FROM (${newest}) CROSS JOIN letters USING (n) GROUP BY grp`
    const rows = this.#database.prepare(sql).all(...values, this.#low, this.#high, max)
    const counts = (rows as unknown as { grp: number; letters: number }[]).flatMap(({ grp, letters }) => {
      const group = this.#byId.get(grp)
      return group ? [[group, letters] as const] : []
    })
    return new Map(counts)
  }

  /**
   * All letters by time, from the one before or after `after` on; null: from the end. Between some of them it yields null, so
   * that whoever walks can stop and give others a turn.
   */
  *walk(newestFirst: boolean, after: bigint | null): Walk {
    let [low, high] = [this.#low, this.#high]
    if (after !== null && newestFirst && after <= high) high = after - 1n
    if (after !== null && !newestFirst && after >= low) low = after + 1n
    if (this.groups.length === 0 || low > high) return
    const order = newestFirst ? 'DESC' : 'ASC'
    if (this.#filter.ids !== undefined) return void (yield* this.#ofIds(this.#filter.ids, newestFirst, low, high))
    if (this.hasText && !this.#asksLetters) return void (yield* this.#ofWords(order, low, high))
    const found = this.#ofGroups(order, low, high)
    if (!this.hasText) return void (yield* found)
    const hasWords = this.#wordsCheck()
    for (const one of found) yield one !== null && hasWords(one.n) ? one : null
  }

  *#ofGroups(order: 'ASC' | 'DESC', low: bigint, high: bigint): Walk {
    const wide = this.letters * 10 >= this.#store.groups.total
    if (this.groups.length > this.#bounds.mergedGroups && !wide) {
      const sql = `SELECT n, grp FROM letters WHERE grp IN (SELECT value FROM json_each(?)) AND n BETWEEN ? AND ? ORDER BY n ${order}`
      yield* this.#rows(sql, JSON.stringify([...this.#byId.keys()]), low, high)
    } else if (this.#isEverything || this.groups.length > this.#bounds.mergedGroups) {
      yield* this.#rows(`SELECT n, grp FROM letters WHERE n BETWEEN ? AND ? ORDER BY n ${order}`, low, high)
    } else {
      const sql = `SELECT n, grp FROM letters INDEXED BY letters_group WHERE grp = ? AND n BETWEEN ? AND ? ORDER BY n ${order}`
      const walks = this.groups.map(({ id }) => this.#rows(sql, id, low, high))
      yield* merged(walks, order === 'DESC')
    }
  }

  *#ofWords(order: 'ASC' | 'DESC', low: bigint, high: bigint): Walk {
    const [from, values] = this.#words()
    // SQLite leaves out the order of an inner query that has no limit.
    const found = `SELECT rowid AS n FROM ${from} AND rowid BETWEEN ? AND ? ORDER BY rowid ${order} LIMIT -1`
    yield* this.#rows(`SELECT n, grp FROM (${found}) CROSS JOIN letters USING (n)`, ...values, low, high)
  }

  *#ofIds(ids: readonly string[], newestFirst: boolean, low: bigint, high: bigint): Walk {
    const statement = this.#prepare('SELECT n, grp, part, off FROM letters WHERE id_start = ?')
    const hasWords = this.#wordsCheck()
    const found = new Map<bigint, Group>()
    for (const id of ids) {
      const start = idStart(id)
      if (start === null) continue
      for (const row of statement.all(start) as unknown as { n: bigint; grp: bigint; part: bigint; off: bigint }[]) {
        const part = this.#store.partById.get(Number(row.part))
        const group = this.#byId.get(Number(row.grp))
        if (!part || !group || row.n < low || row.n > high) continue
        if (letterId(part.topic.kafkaId, part.partition, String(row.off)) !== id.toLowerCase()) continue
        if (hasWords(row.n)) found.set(row.n, group)
      }
      yield null
    }
    const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [n, group] of newestFirst ? sorted.reverse() : sorted) yield { n, group }
  }

  *#rows(sql: string, ...values: SQLInputValue[]): Walk {
    for (const { n, grp } of this.#prepare(sql).iterate(...values) as Iterable<{ n: bigint; grp: bigint }>) {
      const group = this.#byId.get(Number(grp))
      yield group ? { n, group } : null
    }
  }

  /** A FROM clause of the letters with the words, to which conditions of `rowid` can be added. */
  #words(): [string, string[]] {
    if (this.#filter.inPayload !== true) return ['message_words WHERE message_words MATCH ?', [this.#match!]]
    const either = `SELECT rowid FROM message_words WHERE message_words MATCH ? UNION SELECT rowid FROM payload_words WHERE payload_words MATCH ?`
    return [`(${either}) WHERE true`, [this.#match!, this.#match!]]
  }

  #wordsCheck(): (n: bigint) => boolean {
    if (!this.hasText) return () => true
    const tables = this.#filter.inPayload === true ? ['message_words', 'payload_words'] : ['message_words']
    const statements = tables.map((table) =>
      this.#prepare(`SELECT rowid FROM ${table} WHERE ${table} MATCH ? AND rowid = ?`),
    )
    return (n) => statements.some((statement) => statement.get(this.#match, n) !== undefined)
  }

  #prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    const statement = this.#database.prepare(sql)
    statement.setReadBigInts(true)
    return statement
  }
}

function bound(time: number | undefined, otherwise: bigint, round: (time: number) => number): bigint {
  if (time === undefined || Number.isNaN(time)) return otherwise
  return BigInt(Math.min(Math.max(round(time), 0), Number(MAX_TIME)))
}

function matcher(filter: StoredFilter, store: LetterStore): (group: Group) => boolean {
  const set = <T>(values: readonly T[] | undefined): ReadonlySet<T> | undefined => values && new Set(values)
  const [connectors, topics, originals] = [set(filter.connectors), set(filter.topics), set(filter.originalTopics)]
  const [types, statuses, visible] = [set(filter.errorTypes), set(filter.statuses), set(filter.visible)]
  return ({ topic, connector, originalTopic, errorType, status }) =>
    !store.isGone(topic) &&
    (connectors === undefined || (connector !== null && connectors.has(connector))) &&
    (topics?.has(store.topicById.get(topic)!.topic) ?? true) &&
    (originals === undefined || (originalTopic !== null && originals.has(originalTopic))) &&
    (types?.has(errorType) ?? true) &&
    (statuses?.has(status) ?? true) &&
    (visible?.has(connector) ?? true)
}

function* merged(walks: Walk[], newestFirst: boolean): Walk {
  const head = (walk: Walk): Found | null => {
    for (;;) {
      const next = walk.next()
      if (next.done === true) return null
      if (next.value !== null) return next.value
    }
  }
  try {
    const heads = walks.map((walk) => ({ walk, head: head(walk) })).filter(({ head }) => head !== null)
    while (heads.length > 0) {
      let best = 0
      for (let i = 1; i < heads.length; i++) {
        const [a, b] = [heads[i]!.head!.n, heads[best]!.head!.n]
        if (newestFirst ? a > b : a < b) best = i
      }
      const one = heads[best]!
      yield one.head
      one.head = head(one.walk)
      if (one.head === null) heads.splice(best, 1)
    }
  } finally {
    // An open statement would keep the moment that it shows.
    for (const walk of walks) walk.return()
  }
}
