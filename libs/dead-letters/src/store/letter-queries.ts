import type { DatabaseSync } from 'node:sqlite'
import type { LetterAddress, LetterPage, LetterRow, LetterStats } from '../types.ts'
import type { Group } from './groups.ts'
import { letterId } from './letter-id.ts'
import { type Found, LetterSearch, PLAN_BOUNDS, type PlanBounds, type StoredFilter } from './letter-search.ts'
import { type LetterStore, numberFor, TIME_BITS } from './letter-store.ts'

/** Longest time in ms of one turn: then others get theirs. */
const TURN_MS = 20
/** Letters that are counted one by one; a total above may be larger than it says. */
const MAX_COUNTED = 50_000
/** Words of a text that are counted without looking at their letters. */
const MAX_WORDS = 1_000_000

export interface PageOfLetters {
  readonly limit: number
  readonly cursor?: string
  readonly offset?: number
}

const ROW = `SELECT n, part, off, timestamp, task, original_partition AS originalPartition, original_offset AS originalOffset, message,
  stage, class_name AS className, trace_id AS traceId, key_size AS keySize, value_size AS valueSize, is_cut AS isCut,
  failed_replays AS failedReplays, last_replay AS lastReplay, last_replay_at AS lastReplayAt, notes,
  resolved_at AS resolvedAt, resolved_by AS resolvedBy, grp FROM letters`

type StoredRow = Record<string, string | bigint | null>

/** The questions of DeadLetterIndex. A long one is answered in turns, between which `pause` is awaited. */
export class LetterQueries {
  readonly #reader: DatabaseSync
  readonly #store: LetterStore
  readonly #pause: () => Promise<unknown>
  readonly #bounds: PlanBounds

  /** `reader`: a connection for questions alone. */
  constructor(
    reader: DatabaseSync,
    store: LetterStore,
    pause: () => Promise<unknown>,
    bounds: PlanBounds = PLAN_BOUNDS,
  ) {
    this.#bounds = bounds
    this.#reader = reader
    this.#store = store
    this.#pause = pause
  }

  async query(filter: StoredFilter, { limit, cursor, offset = 0 }: PageOfLetters): Promise<LetterPage> {
    const search = this.#search(filter)
    const after = cursor !== undefined && /^\d{1,19}$/.test(cursor) ? BigInt(cursor) : null
    if (cursor !== undefined && after === null) return { records: [], total: await this.count(filter), next: null }
    const found = await this.#take(search, true, after, limit + 1, cursor === undefined ? offset : 0)
    const records = await this.#rows(found.slice(0, limit))
    const more = found.length > limit
    const all = after === null && offset === 0 && !more
    const total = all ? found.length : await this.#count(search)
    return { records, total, next: more ? String(found[limit - 1]!.n) : null }
  }

  async select(filter: StoredFilter, limit: number, after?: LetterRow): Promise<readonly LetterRow[]> {
    const from = after === undefined ? null : this.#numberOf(after)
    return this.#rows(await this.#take(this.#search(filter), false, from, limit, 0))
  }

  count(filter: StoredFilter): Promise<number> {
    return this.#count(this.#search(filter))
  }

  async stats(filter: StoredFilter): Promise<LetterStats> {
    const counts = await this.#counts(this.#search(filter))
    const by = (of: (group: Group) => string | null): Record<string, number> => {
      const sums = new Map<string, number>()
      for (const [group, letters] of counts) {
        const name = of(group)
        if (name !== null && letters > 0) sums.set(name, (sums.get(name) ?? 0) + letters)
      }
      return Object.fromEntries(sums)
    }
    return {
      total: sum(counts.values()),
      byErrorType: by(({ errorType }) => errorType),
      byStatus: by(({ status }) => status),
      byConnector: by(({ connector }) => connector),
      byTopic: by(({ topic }) => this.#store.topicById.get(topic)?.topic ?? null),
      byOriginalTopic: by(({ originalTopic }) => originalTopic),
    }
  }

  async find(places: readonly LetterAddress[]): Promise<readonly (LetterRow | null)[]> {
    const statement = this.#reader.prepare(`${ROW} WHERE part = ? AND off = ?`)
    statement.setReadBigInts(true)
    const turns = new Turns(this.#pause)
    const rows: (LetterRow | null)[] = []
    for (const { topic, partition, offset } of places) {
      const part = this.#store.part(topic, partition)
      const row = part && /^\d{1,18}$/.test(offset) ? statement.get(part.id, BigInt(offset)) : undefined
      rows.push(row === undefined ? null : this.#row(row as StoredRow))
      await turns.next()
    }
    return rows
  }

  #search(filter: StoredFilter): LetterSearch {
    return new LetterSearch(this.#reader, this.#store, filter, this.#bounds)
  }

  async #take(
    search: LetterSearch,
    newestFirst: boolean,
    after: bigint | null,
    limit: number,
    skipped: number,
  ): Promise<Found[]> {
    const turns = new Turns(this.#pause)
    const found: Found[] = []
    let skip = skipped
    if (limit <= 0) return found
    for (const one of search.walk(newestFirst, after)) {
      if (one !== null && skip-- <= 0) found.push(one)
      if (found.length >= limit) break
      if (turns.isOver) await turns.next()
    }
    return found
  }

  async #count(search: LetterSearch): Promise<number> {
    const words = search.countWords(MAX_WORDS)
    if (words !== null) return words
    return sum((await this.#counts(search)).values())
  }

  async #counts(search: LetterSearch): Promise<Map<Group, number>> {
    const turns = new Turns(this.#pause)
    const counts = new Map<Group, number>()
    if (search.isCounted || (search.isTimed && !search.hasText && !search.hasIds)) {
      for (const group of search.groups) {
        counts.set(group, search.countOf(group))
        if (turns.isOver) await turns.next()
      }
      return counts
    }
    const words = search.countWordsByGroup(MAX_COUNTED)
    if (words !== null) return words
    let looked = 0
    for (const one of search.walk(true, null)) {
      if (one !== null) counts.set(one.group, (counts.get(one.group) ?? 0) + 1)
      if (++looked >= MAX_COUNTED) break
      if (turns.isOver) await turns.next()
    }
    return counts
  }

  async #rows(found: readonly Found[]): Promise<LetterRow[]> {
    const statement = this.#reader.prepare(`${ROW} WHERE n = ?`)
    statement.setReadBigInts(true)
    const turns = new Turns(this.#pause)
    const rows: LetterRow[] = []
    for (const { n } of found) {
      // It may have left the index since.
      const row = statement.get(n) as StoredRow | undefined
      const shown = row && this.#row(row)
      if (shown) rows.push(shown)
      if (turns.isOver) await turns.next()
    }
    return rows
  }

  #row({ n, part: partId, off, grp, isCut, ...fields }: StoredRow): LetterRow | null {
    const part = this.#store.partById.get(Number(partId))
    const group = this.#store.groups.get(Number(grp))
    if (part === undefined || group === undefined) return null
    const { topic, partition } = part
    const { connector, originalTopic, errorType, status } = group
    const offset = String(off)
    const values = Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? Number(value) : value,
    ])
    return {
      ...{ id: letterId(topic.kafkaId, partition, offset), topic: topic.topic, partition, offset },
      ...{
        connector,
        originalTopic,
        errorType,
        status,
        isCut: isCut === 1n,
        failedAt: Number((n as bigint) >> TIME_BITS),
      },
      ...(Object.fromEntries(values) as Omit<LetterRow, 'id' | 'failedAt' | 'isCut' | 'status'>),
    }
  }

  /** Where the letter stands in time; about there, if it has left the index. */
  #numberOf({ topic, partition, offset, failedAt }: LetterRow): bigint {
    const part = this.#store.part(topic, partition)
    const statement = this.#reader.prepare('SELECT n FROM letters WHERE part = ? AND off = ?')
    statement.setReadBigInts(true)
    const row = part && (statement.get(part.id, BigInt(offset)) as { n: bigint } | undefined)
    return row?.n ?? numberFor(failedAt, part?.salt ?? 0, BigInt(offset))
  }
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}

/** Work in turns of some ms. */
class Turns {
  readonly #pause: () => Promise<unknown>
  #until = performance.now() + TURN_MS

  constructor(pause: () => Promise<unknown>) {
    this.#pause = pause
  }

  get isOver(): boolean {
    return performance.now() >= this.#until
  }

  async next(): Promise<void> {
    if (!this.isOver) return
    await this.#pause()
    this.#until = performance.now() + TURN_MS
  }
}
