import type { SourceRecord } from '@tributary/connect-api'
import { plus, type SequenceNumber, spanOf } from '@tributary/push-source'
import type { ConnectionInfo } from '../message/message.ts'
import type { Budget, GapFiller } from './backfill.ts'
import type { Built, Gap, GapRecords, GapState, SequenceLog } from './gap.ts'
import type { Late, Sequences } from './sequences.ts'

export interface GapKeeperOptions {
  readonly sequences: Sequences
  readonly log: SequenceLog
  /** null: gaps are counted and logged only. */
  readonly gapRecords: GapRecords | null
  /** null: there is no backfill. */
  readonly filler: GapFiller | null
  /** For the backfill of one batch. */
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** A batch in which something is missing, or came late. */
export interface GappyBatch extends Built {
  readonly late: readonly Late[]
  /** Number of the last record before the batch. */
  readonly before: number
  /** Of its last frame; null when it has none. */
  readonly connection: ConnectionInfo | null
}

/** Has the gaps of a batch filled, and puts what is fetched and what is to be told among its records. */
export class GapKeeper {
  readonly #options: GapKeeperOptions
  readonly #open = new OpenGaps()
  readonly #draining = new AbortController()

  constructor(options: GapKeeperOptions) {
    this.#options = options
  }

  /** Ends a backfill that is under way, and begins no other. */
  drain(): void {
    this.#draining.abort(new Error('the task stops'))
  }

  /** The batch with all that belongs into its gaps. Rejects never for a gap's sake; at an abort what is missing stays so. */
  async complete(
    { records, gaps, late, before, connection }: GappyBatch,
    signal: AbortSignal,
  ): Promise<SourceRecord[]> {
    const woven = new WovenRecords(before)
    const budget = this.#budget(gaps.length > 0, signal)
    let done = 0
    for (const { at, gap } of gaps) {
      woven.add(records, done, at)
      done = at
      this.#open.add(gap)
      this.#tell(gap, 'opened', woven, this.#before(gap))
      if (budget !== null && connection !== null && gap.reason === 'missing') {
        await this.#fill(gap, connection, budget, woven)
      }
    }
    woven.add(records, done, records.length)
    this.#settle(late, woven, (gap) => this.#options.sequences.lastOf(gap.stream))
    return woven.records
  }

  async #fill(gap: Gap, connection: ConnectionInfo, budget: Budget, woven: WovenRecords): Promise<void> {
    const { filler, sequences, log } = this.#options
    if (filler === null || budget.signal.aborted) return
    const fetched = await filler.fill(gap, connection, budget)
    woven.add(fetched, 0, fetched.length)
    const late = sequences.takeLate()
    this.#settle(late, woven, () => gap.to)
    const missing = spanOf(sequences.missingOf(gap))
    if (late.length === 0 || missing === 0) return
    log.partlyFilled(gap, missing)
    this.#tell(gap, 'partly_filled', woven, gap.to)
  }

  /** Counts and tells the gaps that these messages close; `standing`: where a gap's stream stands at this place. */
  #settle(late: readonly Late[], woven: WovenRecords, standing: (gap: Gap) => SequenceNumber | null): void {
    for (const message of late) {
      const gap = this.#open.arrived(message)
      if (gap === null) continue
      this.#options.log.filled(gap)
      this.#tell(gap, 'filled', woven, standing(gap))
    }
  }

  #tell(gap: Gap, state: GapState, woven: WovenRecords, standing: SequenceNumber | null): void {
    const { gapRecords, sequences } = this.#options
    if (gapRecords === null) return
    const missing = state === 'filled' ? [] : sequences.missingOf(gap)
    woven.tell(gapRecords.record(gap, state, missing, standing))
  }

  /** Where the stream stands before the gap. */
  #before({ stream, from }: Gap): SequenceNumber | null {
    return from === null ? this.#options.sequences.lastOf(stream) : plus(from, -1)
  }

  #budget(needed: boolean, signal: AbortSignal): Budget | null {
    const { filler, timeoutMs, maxBytes } = this.#options
    if (filler === null || !needed) return null
    const deadline = AbortSignal.timeout(timeoutMs)
    return { signal: AbortSignal.any([signal, this.#draining.signal, deadline]), bytes: maxBytes }
  }
}

/** Gaps that are watched for their messages; the oldest is watched no more for the next. */
const MAX_OPEN = 1024

/** A gap some of whose messages have not come yet. */
interface OpenGap {
  readonly gap: Gap
  left: number
}

/** The latest gaps of numbers, until all that was missing has come. */
export class OpenGaps {
  /** In the order in which they were found. */
  readonly #open: OpenGap[] = []

  add(gap: Gap): void {
    if (gap.to === null || gap.count === null) return
    if (this.#open.length === MAX_OPEN) this.#open.shift()
    this.#open.push({ gap, left: Number(gap.count) })
  }

  /** Takes a message that was missing; the gap when it was the last one of it. */
  arrived({ stream, number }: Late): Gap | null {
    const at = this.#open.findLastIndex(({ gap }) => gap.stream === stream && gap.from! <= number && number <= gap.to!)
    const open = this.#open[at]
    if (open === undefined || --open.left > 0) return null
    this.#open.splice(at, 1)
    return open.gap
  }
}

/** Records of a batch and what was put between them, in order, each with the number of its place in the source offset. */
export class WovenRecords {
  readonly records: SourceRecord[] = []
  #sequence: number

  /** `before`: number of the last record before the first. */
  constructor(before: number) {
    this.#sequence = before
  }

  /** Records of messages, from index `from` to before `to`; each has the next number. */
  add(records: readonly SourceRecord[], from: number, to: number): void {
    for (let i = from; i < to; i++) {
      this.#sequence++
      this.records.push(this.#numbered(records[i]!))
    }
  }

  /** A record that tells of messages and is none: it stands where the one before it does. */
  tell(record: SourceRecord): void {
    this.records.push(this.#numbered(record))
  }

  #numbered(record: SourceRecord): SourceRecord {
    if (record.sourceOffset['sequence'] === this.#sequence) return record
    return { ...record, sourceOffset: { ...record.sourceOffset, sequence: this.#sequence } }
  }
}
