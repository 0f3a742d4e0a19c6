import { randomUUID } from 'node:crypto'
import {
  type DeadLetterChanges,
  DeadLetterState,
  type DeadLetterStore,
  isIn,
  type LetterEvent,
  type LetterPlace,
  type LetterStatus,
  readDeadLetterRecord,
  recordsOf,
} from '@tributary/connect-storage'
import type { DeadLetterIndex, LetterFilter, LetterPage, LetterRow, LetterStats } from '@tributary/dead-letters'

/** The store without Kafka: what is written passes through the same records. */
export class MemoryDeadLetterStore implements DeadLetterStore {
  readonly snapshot = new DeadLetterState()
  readonly #listeners = new Set<{ event?(event: LetterEvent): void; changed?(): void }>()
  trouble: string | null = null
  /** Makes every write reject. */
  refusal: Error | null = null
  writes = 0

  async start(): Promise<void> {}
  async refresh(): Promise<void> {}
  async claim(): Promise<void> {}
  async stop(): Promise<void> {}

  /** A write takes a moment, so that operations that may overlap do overlap. */
  async write(changes: DeadLetterChanges): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.refusal) throw this.refusal
    this.writes++
    for (const { key, value } of recordsOf(changes)) {
      const event = this.snapshot.apply(readDeadLetterRecord(String(key), value))
      for (const listener of this.#listeners) {
        if (event) listener.event?.(event)
        listener.changed?.()
      }
    }
  }

  listen(listener: { event?(event: LetterEvent): void; changed?(): void }): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

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

/** An index without SQLite and Kafka. */
export class MemoryDeadLetterIndex implements DeadLetterIndex {
  state = { ready: true, indexed: 0, behind: 0, troubles: [] }
  readonly followed = new Set<string>()
  #rows: LetterRow[] = []

  /** Adds a letter at the next offset of `dlq`, partition 0. */
  add(fields: Partial<LetterRow> = {}): LetterRow {
    const offset = String(this.#rows.length)
    const row: LetterRow = {
      ...{ id: randomUUID(), topic: 'dlq', partition: 0, offset, connector: 'a', task: 0 },
      ...{ originalTopic: 'orders', originalPartition: null, originalOffset: null, errorType: 'POISON_PILL' },
      ...{ message: `cannot read letter ${offset}`, stage: 'VALUE_CONVERTER', className: null, traceId: null },
      ...{ timestamp: 1_000, failedAt: 1_000 + this.#rows.length, keySize: null, valueSize: 3, isCut: false },
      ...{ status: 'UNRESOLVED', failedReplays: 0, lastReplay: null, lastReplayAt: null, notes: null },
      ...{ resolvedAt: null, resolvedBy: null },
      ...fields,
    }
    this.#rows.push(row)
    return row
  }

  row(id: string): LetterRow {
    return this.#rows.find((row) => row.id === id)!
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  follow(topics: readonly string[]): void {
    for (const topic of topics) this.followed.add(topic)
  }

  apply(events: readonly LetterEvent[]): Promise<void> {
    for (const event of events) {
      this.#rows = this.#rows.map((row) => (isIn(event.letters, row) ? changed(row, event) : row))
    }
    return Promise.resolve()
  }

  query(filter: LetterFilter, page: { limit: number; cursor?: string; offset?: number }): Promise<LetterPage> {
    const all = this.#found(filter).toReversed()
    const from = page.cursor === undefined ? (page.offset ?? 0) : Number(page.cursor)
    const records = all.slice(from, from + page.limit)
    const end = from + records.length
    return Promise.resolve({ records, total: all.length, next: end < all.length ? String(end) : null })
  }

  stats(filter: LetterFilter): Promise<LetterStats> {
    const rows = this.#found(filter)
    const by = (of: (row: LetterRow) => string | null): Record<string, number> =>
      Object.fromEntries([...Map.groupBy(rows, (row) => of(row) ?? '')].map(([name, { length }]) => [name, length]))
    return Promise.resolve({
      total: rows.length,
      byErrorType: by(({ errorType }) => errorType),
      byStatus: by(({ status }) => status),
      byConnector: by(({ connector }) => connector),
      byTopic: by(({ topic }) => topic),
      byOriginalTopic: by(({ originalTopic }) => originalTopic),
    })
  }

  select(filter: LetterFilter, limit: number, after?: LetterRow): Promise<readonly LetterRow[]> {
    const all = this.#found(filter)
    return Promise.resolve(
      all.filter((row) => after === undefined || Number(row.offset) > Number(after.offset)).slice(0, limit),
    )
  }

  find(places: readonly LetterPlace[]): Promise<readonly (LetterRow | null)[]> {
    return Promise.resolve(places.map(({ offset }) => this.#rows.find((row) => row.offset === offset) ?? null))
  }

  count(filter: LetterFilter): Promise<number> {
    return Promise.resolve(this.#found(filter).length)
  }

  #found(filter: LetterFilter): LetterRow[] {
    const { ids, connectors, topics, errorTypes, statuses, text, visible } = filter
    return this.#rows.filter(
      (row) =>
        (ids?.includes(row.id) ?? true) &&
        (connectors?.includes(row.connector ?? '') ?? true) &&
        (topics?.includes(row.topic) ?? true) &&
        (errorTypes?.includes(row.errorType) ?? true) &&
        (statuses?.includes(row.status) ?? true) &&
        (text === undefined || row.message.includes(text)) &&
        (visible?.(row.connector) ?? true),
    )
  }
}

function changed(row: LetterRow, { kind, replay, notes, at, by, error }: LetterEvent): LetterRow {
  const status = STATUS[kind] ?? row.status
  const failed = kind === 'failed' ? row.failedReplays + 1 : kind === 'reopened' ? 0 : row.failedReplays
  const done = status !== 'UNRESOLVED' && status !== 'IN_PROGRESS'
  return {
    ...row,
    ...{ status, failedReplays: failed, lastReplay: replay ?? row.lastReplay, notes: notes ?? row.notes },
    ...(replay !== undefined && { lastReplayAt: at }),
    ...{ resolvedAt: done ? at : null, resolvedBy: done ? by : null },
    ...(error && { errorType: error.type, message: error.message }),
  }
}

/** A Kafka without topics. */
export const NO_TOPICS = {
  describeTopics: () => Promise.resolve(new Map()),
  listOffsets: () => Promise.resolve(new Map()),
}
