import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ErrorType } from '@tributary/connect-api'
import type { LetterStatus } from '@tributary/connect-storage'

/** What many letters have in common. */
export interface Group {
  readonly id: number
  /** Of the table of topics. */
  readonly topic: number
  readonly connector: string | null
  readonly originalTopic: string | null
  readonly errorType: ErrorType
  readonly status: LetterStatus
  letters: number
}

export type GroupFields = Omit<Group, 'id' | 'letters'>

/** Connectors and topics come from headers that anybody may have written. */
const MAX_GROUPS = 20_000

/** The groups of letters with their counts, in memory and in the database. */
export class Groups {
  readonly #byId = new Map<number, Group>()
  readonly #byFields = new Map<string, Group>()
  readonly #dirty = new Set<Group>()
  readonly #save: StatementSync
  readonly #remove: StatementSync
  readonly #all: StatementSync
  readonly #max: number
  #last = 0
  total = 0
  /** Whether letters were indexed without their connector or topic, as there were too many of these. */
  isFull = false

  constructor(database: DatabaseSync, max = MAX_GROUPS) {
    this.#max = max
    this.#save =
      database.prepare(`INSERT INTO groups (id, topic, connector, original_topic, error_type, status, letters)
      VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET letters = excluded.letters`)
    this.#remove = database.prepare('DELETE FROM groups WHERE id = ?')
    this.#all = database.prepare(`SELECT id, topic, connector, original_topic AS originalTopic, error_type AS errorType,
      status, letters FROM groups`)
    this.load()
  }

  /** Reads them from the database: at the start, and after a transaction that failed. */
  load(): void {
    this.#byId.clear()
    this.#byFields.clear()
    this.#dirty.clear()
    this.total = 0
    for (const row of this.#all.iterate() as Iterable<object>) this.#add({ ...row } as Group)
  }

  get(id: number): Group | undefined {
    return this.#byId.get(id)
  }

  all(): Iterable<Group> {
    return this.#byId.values()
  }

  /** The group of these fields, which is made if need be. */
  of({ isKnown = false, ...fields }: GroupFields & { readonly isKnown?: boolean }): Group {
    const found = this.#byFields.get(keyOf(fields))
    if (found !== undefined) return found
    // Letters of a group that exists can still change their status.
    if (this.#byId.size >= this.#max && !isKnown) {
      this.isFull = true
      return this.of({ ...fields, connector: null, originalTopic: null, isKnown: true })
    }
    const group = { ...fields, id: this.#last + 1, letters: 0 }
    this.#add(group)
    return group
  }

  /** Within the transaction that changes the letters; `save` before its end. */
  count(group: Group, letters: number): void {
    group.letters += letters
    this.total += letters
    this.#dirty.add(group)
  }

  save(): void {
    for (const group of this.#dirty) {
      const { id, topic, connector, originalTopic, errorType, status, letters } = group
      if (letters > 0) this.#save.run(id, topic, connector, originalTopic, errorType, status, letters)
      else {
        this.#remove.run(id)
        this.#byId.delete(id)
        this.#byFields.delete(keyOf(group))
      }
    }
    this.#dirty.clear()
  }

  #add(group: Group): void {
    this.#byId.set(group.id, group)
    this.#byFields.set(keyOf(group), group)
    this.#last = Math.max(this.#last, group.id)
    this.total += group.letters
  }
}

function keyOf({ topic, connector, originalTopic, errorType, status }: GroupFields): string {
  return JSON.stringify([topic, connector, originalTopic, errorType, status])
}
