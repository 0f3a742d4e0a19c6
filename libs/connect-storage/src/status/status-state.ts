import type { StatusRecord } from './status-records.ts'
import type { StatusEntry } from '../types.ts'

/** A status in the topic. `live` is true if the record arrived after this store's start. */
export interface StoredStatus {
  readonly status: StatusEntry
  readonly live: boolean
}
interface Entry {
  connector: StoredStatus | null
  readonly tasks: Map<number, StoredStatus>
  readonly topics: Set<string>
}

/** The statuses to which the records of the status topic add up. */
export class StatusState {
  readonly #entries = new Map<string, Entry>()

  connectors(): readonly string[] {
    return [...this.#entries].filter(([, entry]) => entry.connector !== null).map(([name]) => name)
  }
  connector(connector: string): StoredStatus | null {
    return this.#entries.get(connector)?.connector ?? null
  }
  task(connector: string, task: number): StoredStatus | null {
    return this.#entries.get(connector)?.tasks.get(task) ?? null
  }
  tasks(connector: string): ReadonlyMap<number, StatusEntry> {
    const tasks = [...(this.#entries.get(connector)?.tasks ?? [])].sort(([a], [b]) => a - b)
    return new Map(tasks.map(([task, stored]) => [task, stored.status]))
  }
  topics(connector: string): ReadonlySet<string> {
    return this.#entries.get(connector)?.topics ?? new Set()
  }

  apply(record: StatusRecord, live: boolean): void {
    let entry = this.#entries.get(record.connector)
    if (!entry) this.#entries.set(record.connector, (entry = { connector: null, tasks: new Map(), topics: new Set() }))
    applyTo(entry, record, live)
    if (!entry.connector && entry.tasks.size === 0 && entry.topics.size === 0) this.#entries.delete(record.connector)
  }
}

function applyTo(entry: Entry, record: StatusRecord, live: boolean): void {
  if (record.kind === 'topic') {
    if (record.present) entry.topics.add(record.topic)
    else entry.topics.delete(record.topic)
    return
  }
  // Connect writes DESTROYED before a tombstone. It means deleted.
  const status = record.status?.state === 'DESTROYED' ? null : record.status
  const stored = status && { status, live }
  if (record.kind === 'connector') entry.connector = stored
  else if (stored) entry.tasks.set(record.task, stored)
  else entry.tasks.delete(record.task)
}
