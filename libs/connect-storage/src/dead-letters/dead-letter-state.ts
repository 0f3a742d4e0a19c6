import type { DeadLetterRecord } from './dead-letter-records.ts'
import { sizeOf } from './letter-set.ts'
import type { LetterEvent, Replay, ReplayChunk, ReplayResults } from './types.ts'

/** What an event of a replay counts as; absent: nothing. */
const COUNTS_AS: Partial<Record<LetterEvent['kind'], keyof ReplayResults>> = {
  written: 'success',
  filtered: 'success',
  failed: 'failed',
  superseded: 'skipped',
  quarantined: 'skipped',
}

/** What the records of the topic of dead letters add up to. */
export class DeadLetterState {
  readonly #topics = new Set<string>()
  readonly #replays = new Map<string, Replay>()
  readonly #chunks = new Map<string, Map<number, ReplayChunk>>()
  /** By record key, in the order of writing. A chunk is an event, too: its letters are taken. */
  readonly #events = new Map<string, LetterEvent>()
  readonly #results = new Map<string, ReplayResults>()

  /** The event that the record adds; null for none. */
  apply(record: DeadLetterRecord | null): LetterEvent | null {
    switch (record?.kind) {
      case 'topic':
        this.#topics[record.value === null ? 'delete' : 'add'](record.name)
        return null
      case 'replay':
        if (record.value !== null) this.#replays.set(record.id, record.value)
        else {
          this.#replays.delete(record.id)
          this.#results.delete(record.id)
        }
        return null
      case 'letters':
        return this.#applyChunk(record)
      case 'event':
        return this.#applyEvent(record.id, record.value)
      default:
        return null
    }
  }

  /** Dead-letter topics to follow. */
  topics(): ReadonlySet<string> {
    return this.#topics
  }

  /** The newest first. */
  replays(): readonly Replay[] {
    return [...this.#replays.values()].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
  }

  replay(id: string): Replay | null {
    return this.#replays.get(id) ?? null
  }

  /** By number. */
  chunks(replay: string): readonly ReplayChunk[] {
    return [...(this.#chunks.get(replay)?.values() ?? [])].sort((a, b) => a.number - b.number)
  }

  /** All events, in their order. */
  events(): Iterable<LetterEvent> {
    return this.#events.values()
  }

  /** How many letters of a replay have ended how, as far as the events of the replay say it. */
  results(replay: string): ReplayResults {
    return this.#replays.get(replay)?.results ?? this.#results.get(replay) ?? { success: 0, failed: 0, skipped: 0 }
  }

  #applyChunk({ replay, number, value }: DeadLetterRecord & { kind: 'letters' }): LetterEvent | null {
    const chunks = this.#chunks.get(replay) ?? new Map<number, ReplayChunk>()
    const key = `${replay}:${number}`
    if (value === null) {
      chunks.delete(number)
      if (chunks.size === 0) this.#chunks.delete(replay)
      this.#events.delete(key)
      return null
    }
    this.#chunks.set(replay, chunks.set(number, value))
    const { at, by, letters } = value
    const event: LetterEvent = { id: key, at, by, kind: 'taken', letters, replay }
    this.#events.set(key, event)
    return event
  }

  #applyEvent(id: string, event: LetterEvent | null): LetterEvent | null {
    const before = this.#events.get(id)
    if (event !== null && before === undefined) this.#count(event)
    this.#events.delete(id)
    if (event !== null) this.#events.set(id, event)
    return event
  }

  #count({ replay, kind, letters }: LetterEvent): void {
    const as = COUNTS_AS[kind]
    if (replay === undefined || as === undefined) return
    const counted = this.#results.get(replay) ?? { success: 0, failed: 0, skipped: 0 }
    this.#results.set(replay, { ...counted, [as]: counted[as] + sizeOf(letters) })
  }
}
