import { LogReader, type LogRecord, type RecordAddress } from '@tributary/kafka'
import type { KafkaConnection } from '@tributary/config'
import type { ReplayOutcome, ReplayRequest } from '@tributary/connect-api'
import { Serial } from '@tributary/async'
import { runOutsideScopes } from '../isolation/plugin-scope.ts'
import { type Candidate, type KeyBudget, LaterRecords } from './later-records.ts'

export type LetterAddress = ReplayRequest['letters'][number]

/** ms after which a session without a batch rests. */
const IDLE_MS = 30_000
/** Outcomes that a replay's session remembers: those of more than two batches. */
const REMEMBERED = 2500

/**
 * What a worker keeps of a replay between its batches: a connection, what it knows of later records, and the outcomes of the last
 * letters, since a batch may be sent again whose answer was lost.
 */
export class ReplaySession {
  readonly #connection: KafkaConnection
  readonly #budget: KeyBudget
  readonly #outcomes = new Map<string, ReplayOutcome>()
  readonly #later = new Map<string, LaterRecords>()
  readonly #turns = new Map<number, Serial>()
  #reader: LogReader | null = null
  /** Batches under way. */
  #busy = 0
  #idle: NodeJS.Timeout | null = null

  constructor(connection: KafkaConnection, budget: KeyBudget) {
    this.#connection = connection
    this.#budget = budget
  }

  get busy(): boolean {
    return this.#busy > 0
  }

  /** Runs the batches of a task one after the other. After the last one the session rests soon. */
  async inTurn<T>(task: number, run: () => Promise<T>): Promise<T> {
    let turns = this.#turns.get(task)
    if (turns === undefined) this.#turns.set(task, (turns = new Serial()))
    if (this.#idle !== null) clearTimeout(this.#idle)
    this.#busy++
    try {
      return await turns.run(run)
    } finally {
      if (--this.#busy === 0) this.#idle = setTimeout(() => void this.rest(), IDLE_MS).unref()
    }
  }

  /** What became of a letter, if that is known and final. */
  outcomeOf(letter: LetterAddress): ReplayOutcome | undefined {
    return this.#outcomes.get(nameOf(letter))
  }

  remember(letter: LetterAddress, outcome: ReplayOutcome): void {
    if (outcome.outcome === 'later' || outcome.outcome === 'would-write') return
    this.#outcomes.set(nameOf(letter), outcome)
    if (this.#outcomes.size <= REMEMBERED) return
    this.#outcomes.delete(this.#outcomes.keys().next().value!)
  }

  /** See LogReader. */
  read(addresses: readonly RecordAddress[], maxBytes: number): Promise<(LogRecord | null)[]> {
    return this.#reading((reader) => reader.read(addresses, maxBytes))
  }

  /** See LaterRecords. */
  supersede(topic: string, partition: number, candidates: readonly Candidate[]): Promise<boolean[]> {
    return this.#reading((reader) => {
      const name = `${topic}-${partition}`
      let later = this.#later.get(name)
      if (later === undefined) {
        later = new LaterRecords(reader, this.#budget, topic, partition)
        this.#later.set(name, later)
      }
      return later.supersede(candidates)
    })
  }

  /** The tasks of a connector share the connections, so that the scope of one must not own them. */
  #reading<T>(read: (reader: LogReader) => Promise<T>): Promise<T> {
    return runOutsideScopes(() => read((this.#reader ??= new LogReader(this.#connection))))
  }

  /** Closes the connection and forgets the later records. The outcomes stay; a batch that comes after all opens them again. */
  async rest(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle)
    for (const later of this.#later.values()) later.close()
    this.#later.clear()
    const reader = this.#reader
    this.#reader = null
    await reader?.close()
  }
}

function nameOf({ topic, partition, offset }: LetterAddress): string {
  return `${topic}-${partition}@${offset}`
}
