import { type Clock, Serial, sleep, systemClock } from '@tributary/async'
import {
  type DeadLetterStore,
  type LetterEvent,
  type LetterPlace,
  letterSets,
  type Replay,
  sizeOf,
} from '@tributary/connect-storage'
import type { DeadLetterIndex, LetterRow } from '@tributary/dead-letters'
import type { Logger } from '@tributary/telemetry'
import type { IndexFeed } from './index-feed.ts'
import { choiceFilter } from './letter-filters.ts'
import type { Outcome } from './replay-batches.ts'
import { endCancelled, ReplayRun, type RunParts } from './replay-run.ts'
import type { ReplayWorkers } from './replay-workers.ts'

export interface ReplaysOptions {
  readonly store: DeadLetterStore
  readonly index: DeadLetterIndex
  readonly feed: Pick<IndexFeed, 'settled'>
  readonly workers: ReplayWorkers
  /** `dlq.max.replays` */
  readonly maxReplays: number
  readonly eventId: () => string
  readonly onOutcomes: (letters: readonly LetterPlace[], outcomes: readonly Outcome[]) => void
  readonly clock?: Clock
  readonly log: Logger
}

/** Letters that are chosen at once: what one chunk can hold. */
const CHOSEN_AT_ONCE = 10_000
const RETRY_MS = 1000
const LOOK_MS = 250
const ENDED: readonly Replay['state'][] = ['completed', 'partially_completed', 'failed', 'cancelled']
export const hasEnded = ({ state }: Replay): boolean => ENDED.includes(state)

/**
 * The replays that the leader drives. All that they are stands in the store, so that the next leader goes on where this one has
 * stopped: at the letters that have no event of their replay.
 */
export class Replays {
  readonly #options: ReplaysOptions
  readonly #clock: Clock
  /** Choosing and taking letters is one step, so that two replays never have the same letter. */
  readonly #choosing = new Serial()
  readonly #runs = new Map<string, { readonly end: AbortController; readonly done: Promise<void> }>()
  #term: AbortSignal = AbortSignal.abort()

  constructor(options: ReplaysOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Goes on with all replays until the signal aborts. The store is claimed. */
  lead(term: AbortSignal): void {
    this.#term = term
    for (const replay of this.#options.store.snapshot.replays().toReversed())
      if (!hasEnded(replay)) this.#start(replay.id)
  }

  /** Writes the replay, and begins with it. */
  async create(replay: Replay): Promise<void> {
    await this.#options.store.write({ replays: [replay] })
    if (!this.#term.aborted) this.#start(replay.id)
  }

  /** Resolves when the replay has ended, or after `waitMs`: a batch under way is waited for. */
  async cancel(replay: Replay, by: string, waitMs: number): Promise<void> {
    const { store } = this.#options
    await store.write({ replays: [{ ...(store.snapshot.replay(replay.id) ?? replay), cancelledBy: by }] })
    const run = this.#runs.get(replay.id)
    run?.end.abort(new Error('the replay was cancelled'))
    const over = new AbortController()
    await Promise.race([run?.done, sleep(waitMs, over.signal).catch(() => undefined)])
    over.abort()
  }

  /** Runs an operation that changes letters while no replay takes any. */
  exclusively<T>(operation: () => Promise<T>): Promise<T> {
    return this.#choosing.run(operation)
  }

  /** Resolves when no replay runs here any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(({ done }) => done))
  }

  #start(id: string): void {
    const end = new AbortController()
    const signal = AbortSignal.any([this.#term, end.signal])
    const before = this.#runs.get(id)?.done ?? Promise.resolve()
    const done = before
      .then(() => this.#drive(id, signal))
      .finally(() => {
        if (this.#runs.get(id)?.end === end) this.#runs.delete(id)
      })
    this.#runs.set(id, { end, done })
  }

  /** Until the replay has ended, or the term. */
  async #drive(id: string, signal: AbortSignal): Promise<void> {
    const { store, log } = this.#options
    const term = this.#term
    const parts = this.#parts()
    while (!term.aborted) {
      const replay = store.snapshot.replay(id)
      if (replay === null || hasEnded(replay)) return
      try {
        if (replay.cancelledBy !== null) await endCancelled(replay, parts)
        else await new ReplayRun(replay, parts, signal).run()
      } catch (error) {
        if (term.aborted || signal.aborted) continue
        log.error('replay_interrupted', { replay: id, error })
        await sleep(RETRY_MS, signal).catch(() => undefined)
      }
    }
  }

  #parts(): RunParts {
    const { store, index, workers, eventId, onOutcomes, log } = this.#options
    const choose: RunParts['choose'] = (replay, signal) => this.#choosing.run(() => this.#choose(replay, signal))
    return { store, index, workers, eventId, choose, onOutcomes, clock: this.#clock, log }
  }

  /** Takes letters, oldest first, beside those that an earlier try has taken. */
  async #choose(replay: Replay, signal: AbortSignal): Promise<number> {
    const { store, index, feed } = this.#options
    while (!index.state.ready) await this.#clock.sleep(LOOK_MS, signal)
    const filter = choiceFilter(replay)
    const chunks = store.snapshot.chunks(replay.id)
    let number = chunks.length
    let taken = chunks.reduce((sum, { letters }) => sum + sizeOf(letters), store.snapshot.results(replay.id).skipped)
    for (let after: LetterRow | undefined; taken < replay.choice.limit;) {
      await feed.settled()
      signal.throwIfAborted()
      const rows = await index.select(filter, Math.min(CHOSEN_AT_ONCE, replay.choice.limit - taken), after)
      if (rows.length === 0) break
      after = rows.at(-1)
      const { looping, free } = this.#split(replay, rows)
      const at = this.#clock.now()
      const { by } = replay
      const events = letterSets(looping).map((letters): LetterEvent => {
        return { id: this.#options.eventId(), at, by, kind: 'quarantined', letters, replay: replay.id }
      })
      const lanes = Map.groupBy(free, ({ connector, task }) => JSON.stringify([connector ?? replay.connector, task]))
      const made = [...lanes.values()].flatMap((lane) => {
        const { connector, task } = lane[0]!
        return letterSets(lane).map((letters) => {
          const owner = connector ?? replay.connector
          return { replay: replay.id, number: number++, at, by, connector: owner, task, letters }
        })
      })
      await store.write({ chunks: made, events })
      taken += rows.length
    }
    await feed.settled()
    return taken
  }

  /** The loop guard: letters that failed in too many replays are not sent again, unless somebody insists. */
  #split({ force }: Replay, rows: readonly LetterRow[]): { looping: LetterRow[]; free: LetterRow[] } {
    const loops = ({ failedReplays, status }: LetterRow): boolean =>
      !force && (status === 'QUARANTINED' || failedReplays >= this.#options.maxReplays)
    return { looping: rows.filter(loops), free: rows.filter((row) => !loops(row)) }
  }
}
