import type { ReplayOutcome } from '@tributary/connect-api'
import {
  isIn,
  type LetterEvent,
  letterSet,
  type LetterPlace,
  lettersOf,
  type LetterSet,
  type ReplayChunk,
} from '@tributary/connect-storage'

/** Letters of one request to a worker. */
export const BATCH_LETTERS = 1000
/** Different errors of one batch that get events of their own; the others share the last one. */
const MAX_ERRORS = 50
const MAX_MESSAGE = 2000

/** What ends the work of a replay on a letter. */
const ENDS: readonly LetterEvent['kind'][] = ['written', 'filtered', 'failed', 'superseded', 'quarantined']

export type Outcome = Exclude<ReplayOutcome, { outcome: 'would-write' }>

export interface Batch {
  /** The same for the same letters after a change of the leader, so that a worker knows what it has answered before. */
  readonly number: number
  readonly letters: readonly LetterPlace[]
}

/** The letters of a replay that are dealt with, as its events say. */
export class DoneLetters {
  readonly #sets: LetterSet[]

  constructor(events: Iterable<LetterEvent>, replay: string) {
    this.#sets = []
    for (const event of events) if (event.replay === replay && ENDS.includes(event.kind)) this.#sets.push(event.letters)
  }

  /** The letters of the chunk that are left, with their positions in it. */
  leftOf({ letters }: ReplayChunk): { readonly letter: LetterPlace; readonly position: number }[] {
    const sets = this.#sets.filter((set) => overlaps(set, letters))
    const all = Array.from(lettersOf(letters), (letter, position) => ({ letter, position }))
    return sets.length === 0 ? all : all.filter(({ letter }) => !sets.some((set) => isIn(set, letter)))
  }
}

/** Whether two sets may have a letter in common: by the spans of their partitions. */
function overlaps(a: LetterSet, b: LetterSet): boolean {
  return Object.entries(a).some(([topic, partitions]) =>
    Object.entries(partitions).some(([partition, runs]) => {
      const others = Object.hasOwn(b, topic) ? (b[topic]![partition] ?? []) : []
      return others.length > 0 && start(runs) < end(others) && start(others) < end(runs)
    }),
  )
}

type Runs = readonly (readonly [number, number])[]
const start = (runs: Runs): number => runs[0]?.[0] ?? 0
const end = (runs: Runs): number => {
  const [first, count] = runs.at(-1) ?? [0, 0]
  return first + count
}

/** The batches that are left of a chunk. A batch begins where one would begin if nothing were done yet. */
export function* batchesOf(chunk: ReplayChunk, done: DoneLetters, size: number): Generator<Batch> {
  const left = done.leftOf(chunk)
  for (let at = 0; at < left.length;) {
    const { position } = left[at]!
    const until = (Math.floor(position / size) + 1) * size
    const letters: LetterPlace[] = []
    while (at < left.length && left[at]!.position < until) letters.push(left[at++]!.letter)
    yield { number: chunk.number * CHUNK_POSITIONS + position, letters }
  }
}

const CHUNK_POSITIONS = 10_000

/** One event for each kind of outcome, and for each error. Outcomes `later` have none. */
export function eventsOf(
  letters: readonly LetterPlace[],
  outcomes: readonly Outcome[],
  make: (kind: LetterEvent['kind'], letters: LetterSet, error?: NonNullable<LetterEvent['error']>) => LetterEvent,
): LetterEvent[] {
  const byKind = new Map<string, { kind: LetterEvent['kind']; error?: LetterEvent['error']; letters: LetterPlace[] }>()
  let errors = 0
  letters.forEach((letter, i) => {
    const outcome = outcomes[i]!
    if (outcome.outcome === 'later') return
    const failed = outcome.outcome === 'failed' || outcome.outcome === 'gone'
    const kind = failed ? 'failed' : (outcome.outcome as LetterEvent['kind'])
    const error = failed ? { type: outcome.type, message: outcome.message.slice(0, MAX_MESSAGE) } : undefined
    const key = error === undefined ? kind : errors < MAX_ERRORS ? `failed ${error.type} ${error.message}` : 'failed'
    const group = byKind.get(key)
    if (group) group.letters.push(letter)
    else {
      if (error) errors++
      byKind.set(key, { kind, letters: [letter], ...(error && { error }) })
    }
  })
  return [...byKind.values()].map(({ kind, error, letters }) => make(kind, letterSet(letters), error))
}
