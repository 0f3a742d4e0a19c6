import { backoffMs, type Clock } from '@tributary/async'
import {
  type DeadLetterStore,
  type LetterEvent,
  type LetterPlace,
  letterSets,
  type LetterSet,
  type Replay,
  type ReplayChunk,
  type ReplayFailure,
} from '@tributary/connect-storage'
import type { DeadLetterIndex } from '@tributary/dead-letters'
import type { Logger } from '@tributary/telemetry'
import { type Batch, BATCH_LETTERS, batchesOf, DoneLetters, eventsOf, type Outcome } from './replay-batches.ts'
import type { ReplayWorkers, Batch as TaskBatch } from './replay-workers.ts'

export interface RunParts {
  readonly store: DeadLetterStore
  readonly index: Pick<DeadLetterIndex, 'find'>
  readonly workers: ReplayWorkers
  /** A new id for an event, above all before. */
  readonly eventId: () => string
  /** Chooses the letters of the replay and writes its chunks; resolves with how many there are. */
  readonly choose: (replay: Replay, signal: AbortSignal) => Promise<number>
  /** What became of the letters of a batch. */
  readonly onOutcomes: (letters: readonly LetterPlace[], outcomes: readonly Outcome[]) => void
  readonly clock: Clock
  readonly log: Logger
}

const MAX_FAILURES = 100
const RETRY = { baseMs: 200, maxMs: 5000 } as const
/** Connectors and tasks to which one replay sends batches at the same time. */
const MAX_LANES = 16
const NAMELESS =
  'The letter does not say which connector failed on it, as the headers of its context are off. Name the connector that replays it: "connector" beside "dlq_ids", or beside "topic".'

/** The write of the last batch's events. */
interface Written {
  last: Promise<void>
}

/** One replay, from where its events say that it is to its end. Only the leader runs it. */
export class ReplayRun {
  readonly #parts: RunParts
  readonly #signal: AbortSignal
  #replay: Replay
  #failures: readonly ReplayFailure[]
  /** When the next batch of a limited replay may be sent, in monotonic ms. */
  #free: number

  /** `signal` ends the work, and leaves the replay as it is. */
  constructor(replay: Replay, parts: RunParts, signal: AbortSignal) {
    this.#replay = replay
    this.#parts = parts
    this.#signal = signal
    this.#failures = replay.failures
    // A leader does not know when its predecessor sent the last letters, so it begins without any credit.
    this.#free = parts.clock.monotonic()
  }

  /** Rejects when the signal aborts, or when the store cannot be written. */
  async run(): Promise<void> {
    const { store, clock } = this.#parts
    const { id, scheduledAt } = this.#replay
    for (;;) {
      const early = (scheduledAt ?? 0) - clock.now()
      if (early <= 0) break
      await clock.sleep(Math.min(early, MAX_SLEEP_MS), this.#signal)
    }
    if (!this.#replay.chosen) await this.#choose()
    const done = new DoneLetters(store.snapshot.events(), id)
    const lanes = Map.groupBy(store.snapshot.chunks(id), ({ connector, task }) => JSON.stringify([connector, task]))
    const waiting = [...lanes.values()]
    const work = async (): Promise<void> => {
      for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift()) {
        for (const chunk of lane) await this.#chunk(chunk, done)
      }
    }
    await Promise.all(Array.from({ length: Math.min(MAX_LANES, waiting.length) }, work))
    await this.#end()
  }

  async #choose(): Promise<void> {
    const { store, choose, clock } = this.#parts
    const count = await choose(this.#replay, this.#signal)
    await store.write({ replays: [this.#with({ chosen: true, count, state: 'in_progress', startedAt: clock.now() })] })
  }

  async #chunk(chunk: ReplayChunk, done: DoneLetters): Promise<void> {
    const { rate } = this.#replay
    const size = rate === null ? BATCH_LETTERS : Math.min(BATCH_LETTERS, Math.max(1, Math.floor(rate / 4)))
    const written: Written = { last: Promise.resolve() }
    try {
      for (const batch of batchesOf(chunk, done, size)) {
        let left = batch
        for (let attempt = 1; left.letters.length > 0; attempt++) {
          await this.#paced(left.letters.length)
          left = await this.#send(chunk, left, written)
          if (left.letters.length > 0) await this.#parts.clock.sleep(backoffMs(attempt, RETRY), this.#signal)
        }
      }
    } finally {
      // Whoever ends the run looks for what is left.
      await written.last
    }
  }

  /**
   * Sends a batch, and writes what became of its letters while the next one is sent: a worker remembers the outcomes of two batches.
   * Returns the letters that are to be tried again.
   */
  async #send(chunk: ReplayChunk, batch: Batch, written: Written): Promise<Batch> {
    const { workers } = this.#parts
    const { connector } = chunk
    const { letters } = batch
    const sent =
      connector === null
        ? { never: NAMELESS }
        : await workers.send(connector, this.#request(chunk, batch), this.#signal)
    if ('waitingFor' in sent) {
      await this.#wait(sent.waitingFor)
      return batch
    }
    const outcomes =
      'answer' in sent
        ? (sent.answer.outcomes as readonly Outcome[])
        : letters.map((): Outcome => ({ outcome: 'failed', type: 'UNKNOWN', message: sent.never }))
    await written.last
    written.last = this.#record(letters, outcomes)
    written.last.catch(() => undefined)
    const later = letters.filter((_, i) => outcomes[i]!.outcome === 'later')
    if (later.length > 0) {
      await written.last
      const why = outcomes.find(({ outcome }) => outcome === 'later') as Outcome & { outcome: 'later' }
      await this.#wait(why.message)
    } else if (this.#replay.waitingFor !== null) await this.#wait(null)
    return { number: batch.number, letters: later }
  }

  #request(chunk: ReplayChunk, { number: batch, letters }: Batch): TaskBatch {
    const { id: replay, edits, force, targetTopic } = this.#replay
    return { replay, batch, task: chunk.task, letters, edits, dryRun: false, force, targetTopic }
  }

  async #record(letters: readonly LetterPlace[], outcomes: readonly Outcome[]): Promise<void> {
    const { store, eventId, clock, onOutcomes } = this.#parts
    const { id: replay, by, notes } = this.#replay
    const at = clock.now()
    const make = (kind: LetterEvent['kind'], set: LetterSet, error?: LetterEvent['error']): LetterEvent => ({
      ...{ id: eventId(), at, by, kind, letters: set, replay },
      ...(notes !== null && { notes }),
      ...(error && { error }),
    })
    const events = eventsOf(letters, outcomes, make)
    const failures = await this.#failuresOf(letters, outcomes)
    if (failures.length > 0) this.#failures = [...this.#failures, ...failures]
    await store.write({ events, ...(failures.length > 0 && { replays: [this.#with({})] }) })
    onOutcomes(letters, outcomes)
  }

  /** As many as the list of the replay still takes. */
  async #failuresOf(letters: readonly LetterPlace[], outcomes: readonly Outcome[]): Promise<ReplayFailure[]> {
    const room = MAX_FAILURES - this.#failures.length
    if (room <= 0) return []
    const failed = letters.flatMap((letter, i) => {
      const outcome = outcomes[i]!
      return outcome.outcome === 'failed' || outcome.outcome === 'gone' ? [{ letter, outcome }] : []
    })
    if (failed.length === 0) return []
    const some = failed.slice(0, room)
    const rows = await this.#parts.index.find(some.map(({ letter }) => letter))
    return some.map(({ letter: { topic, partition, offset }, outcome: { type, message } }, i) => {
      return { id: rows[i]?.id ?? 'unknown', topic, partition, offset, type, message: message.slice(0, 2000) }
    })
  }

  /** Says why nothing goes on; null: it does. */
  async #wait(waitingFor: string | null): Promise<void> {
    if (this.#replay.waitingFor !== waitingFor) {
      await this.#parts.store.write({ replays: [this.#with({ waitingFor: waitingFor?.slice(0, 2000) ?? null })] })
    }
  }

  /** Lets so many letters go at the rate of the replay, over all its connectors. */
  async #paced(letters: number): Promise<void> {
    const { clock } = this.#parts
    const { rate } = this.#replay
    this.#signal.throwIfAborted()
    if (rate === null) return
    // Time without letters, such as that of an outage, is no credit.
    const after = Math.max(this.#free, clock.monotonic()) + (letters / rate) * 1000
    this.#free = after
    for (let left = after - clock.monotonic(); left > 0; left = after - clock.monotonic()) {
      await clock.sleep(Math.min(left, MAX_SLEEP_MS), this.#signal)
    }
  }

  async #end(): Promise<void> {
    const { store, clock } = this.#parts
    const results = store.snapshot.results(this.#replay.id)
    const state =
      results.failed === 0 ? 'completed' : results.success + results.skipped === 0 ? 'failed' : 'partially_completed'
    const ended = this.#with({ state, results, completedAt: clock.now(), waitingFor: null })
    await store.write({ replays: [ended], gone: { chunks: store.snapshot.chunks(ended.id) } })
  }

  #with(changes: Partial<Replay>): Replay {
    return (this.#replay = { ...this.#replay, ...changes, failures: this.#failures })
  }
}

const MAX_SLEEP_MS = 60_000

/** Ends a cancelled replay: its letters that are left are nobody's again. */
export async function endCancelled(
  replay: Replay,
  parts: Pick<RunParts, 'store' | 'eventId' | 'clock'>,
): Promise<void> {
  const { store, eventId, clock } = parts
  const chunks = store.snapshot.chunks(replay.id)
  const done = new DoneLetters(store.snapshot.events(), replay.id)
  const at = clock.now()
  const by = replay.cancelledBy ?? replay.by
  for (const chunk of chunks) {
    const left = done.leftOf(chunk).map(({ letter }) => letter)
    const events = letterSets(left).map((letters): LetterEvent => {
      return { id: eventId(), at, by, kind: 'released', letters, replay: replay.id }
    })
    await store.write({ events, gone: { chunks: [chunk] } })
  }
  const results = store.snapshot.results(replay.id)
  await store.write({ replays: [{ ...replay, state: 'cancelled', results, completedAt: at, waitingFor: null }] })
}
