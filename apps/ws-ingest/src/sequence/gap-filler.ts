import type { Clock, SourceRecord } from '@tributary/connect-api'
import { plus, type SequenceNumber, type SequenceRange, spanOf } from '@tributary/push-source'
import { type ConnectionInfo, Frame } from '../frame.ts'
import type { Built } from '../record/record-builder.ts'
import type { Backfill, Budget } from './backfill.ts'
import type { Gap } from './gap.ts'
import { AnswerError } from './http-get.ts'
import type { SequenceLog } from './sequence-log.ts'
import type { Sequences } from './sequences.ts'

/** Doubles with each try, in ms: what the server has not yet it may have soon. */
const FIRST_WAIT_MS = 200
const NOT_THERE = 'the server has not got them'

export interface GapFillerOptions {
  readonly backfill: Backfill
  readonly build: (frames: readonly Frame[]) => Built
  readonly sequences: Sequences
  readonly maxAttempts: number
  readonly clock: Clock
  readonly log: SequenceLog
}

/** The records that a message of a backfill made. */
interface Fetched {
  readonly number: SequenceNumber
  readonly records: readonly SourceRecord[]
}

/** Fetches what a gap lacks, as far as it can be had. */
export class GapFiller {
  readonly #options: GapFillerOptions

  constructor(options: GapFillerOptions) {
    this.#options = options
  }

  /**
   * The records of missing messages, in the order of their numbers; what came before is not among them. Never rejects: what
   * cannot be had stays missing, and the log says why.
   */
  async fill(gap: Gap, connection: ConnectionInfo, budget: Budget): Promise<SourceRecord[]> {
    const fetched: Fetched[] = []
    const error = await this.#fetchAll(gap, connection, budget, fetched)
    if (error !== null && this.#missing(gap).length > 0) this.#options.log.backfillFailed(gap, error)
    fetched.sort((a, b) => (a.number < b.number ? -1 : 1))
    return fetched.flatMap(({ records }) => records)
  }

  /** Until nothing is missing, the budget is used up, or tries bring nothing new. Why it ended, null when all is there. */
  async #fetchAll(gap: Gap, connection: ConnectionInfo, budget: Budget, into: Fetched[]): Promise<string | null> {
    const { sequences, maxAttempts, clock } = this.#options
    let last = NOT_THERE
    for (let attempt = 1; ; attempt++) {
      const missing = spanOf(this.#missing(gap))
      if (missing === 0) return null
      try {
        if (attempt > 1) await clock.sleep(FIRST_WAIT_MS * 2 ** Math.min(attempt - 2, 10), budget.signal)
        await this.#fetchPages(gap, connection, budget, into)
        last = NOT_THERE
      } catch (error) {
        if (budget.signal.aborted) return `stopped: ${(budget.signal.reason as Error).message}`
        if (!(error instanceof AnswerError)) throw error
        last = error.message
        if (!error.again) return last
      }
      if (spanOf(sequences.missingOf(gap)) < missing) attempt = 0
      if (attempt >= maxAttempts) return last
    }
  }

  /** From the first to the last missing number; after an answer that ends before that, from where it ended. */
  async #fetchPages(gap: Gap, connection: ConnectionInfo, budget: Budget, into: Fetched[]): Promise<void> {
    const missing = this.#missing(gap)
    const to = missing.at(-1)!.to
    for (let from = missing[0]!.from; from <= to;) {
      const texts = await this.#options.backfill.fetch({ from, to }, gap.stream, budget)
      const highest = this.#take(texts, { from, to }, gap, connection, into)
      if (highest === null) return
      from = plus(highest, 1)
    }
  }

  /** Makes records of those that are missing; the highest number that the answer had within the range. */
  #take(
    texts: readonly string[],
    range: SequenceRange,
    gap: Gap,
    connection: ConnectionInfo,
    into: Fetched[],
  ): SequenceNumber | null {
    const { sequences, build, clock } = this.#options
    let highest: SequenceNumber | null = null
    for (const text of texts) {
      const frame = new Frame(Buffer.from(text), false, clock.now(), connection)
      const number = sequences.numberIn(gap.stream, frame)
      if (number === null || number < range.from || number > range.to) continue
      if (highest === null || number > highest) highest = number
      if (sequences.missingOf({ ...gap, from: number, to: number }).length === 0) continue
      const { records } = sequences.within(gap.stream, () => build([frame]))
      into.push({ number, records: records.map((record) => at(record, number)) })
    }
    return highest
  }

  #missing(gap: Gap): SequenceRange[] {
    return this.#options.sequences.missingOf(gap)
  }
}

/** A record whose stream stands, at its place, at its own number: later ones of its stream come behind it. */
function at(record: SourceRecord, number: SequenceNumber): SourceRecord {
  return { ...record, sourceOffset: { ...record.sourceOffset, stream_sequence: number } }
}
