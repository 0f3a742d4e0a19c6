import type { SourceRecord } from '@tributary/connect-api'
import { plus, type SequenceNumber, spanOf } from '@tributary/push-source'
import type { ConnectionInfo } from '../message/message.ts'
import type { Budget, GapFiller } from './backfill.ts'
import type { BuiltBatch, Gap, GapRecords, GapState, SequenceLog } from './gap.ts'
import type { GapFill, Sequences } from './sequences.ts'

export interface GapTrackerOptions {
  readonly sequences: Sequences
  readonly log: SequenceLog
  /** null: gaps are counted and logged only. */
  readonly gapRecords: GapRecords | null
  /** null: there is no backfill. */
  readonly filler: GapFiller | null
  /** Limits for the backfill of one batch. */
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** A batch with gaps, or with messages that fill earlier gaps. */
export interface BatchWithGaps extends BuiltBatch {
  readonly fills: readonly GapFill[]
  /** Number of the last record before the batch. */
  readonly before: number
  /** Connection of the last message; null for an empty batch. */
  readonly connection: ConnectionInfo | null
}

/**
 * Fills the gaps of a batch by backfill, tracks which gaps are still open, and reports both in the log and in
 * `gap.topic`.
 */
export class GapTracker {
  readonly #options: GapTrackerOptions
  readonly #open = new OpenGaps()
  readonly #draining = new AbortController()

  constructor(options: GapTrackerOptions) {
    this.#options = options
  }

  /** Stops the current backfill and starts no other. */
  drain(): void {
    this.#draining.abort(new Error('the task stops'))
  }

  /**
   * The records of the batch with backfilled and gap records inserted. A failed backfill never makes it reject; an abort
   * leaves gaps unfilled.
   */
  async complete(
    { records, gaps, fills, before, connection }: BatchWithGaps,
    signal: AbortSignal,
  ): Promise<SourceRecord[]> {
    const merged = new MergedRecords(before)
    const budget = this.#budget(gaps.length > 0, signal)
    let done = 0
    for (const { at, gap } of gaps) {
      merged.add(records, done, at)
      done = at
      this.#open.add(gap)
      this.#report(gap, 'opened', merged, this.#lastBefore(gap))
      if (budget !== null && connection !== null && gap.reason === 'missing') {
        await this.#fill(gap, connection, budget, merged)
      }
    }
    merged.add(records, done, records.length)
    this.#closeGaps(fills, merged, (gap) => this.#options.sequences.lastOf(gap.stream))
    return merged.records
  }

  async #fill(gap: Gap, connection: ConnectionInfo, budget: Budget, merged: MergedRecords): Promise<void> {
    const { filler, sequences, log } = this.#options
    if (filler === null || budget.signal.aborted) return
    const fetched = await filler.fill(gap, connection, budget)
    merged.add(fetched, 0, fetched.length)
    const fills = sequences.takeGapFills()
    this.#closeGaps(fills, merged, () => gap.to)
    const missing = spanOf(sequences.missingOf(gap))
    if (fills.length === 0 || missing === 0) return
    log.partlyFilled(gap, missing)
    this.#report(gap, 'partly_filled', merged, gap.to)
  }

  /** Reports the gaps that these messages complete. `lastOf`: highest number of a gap's stream at this place. */
  #closeGaps(fills: readonly GapFill[], merged: MergedRecords, lastOf: (gap: Gap) => SequenceNumber | null): void {
    for (const fill of fills) {
      const gap = this.#open.arrived(fill)
      if (gap === null) continue
      this.#options.log.filled(gap)
      this.#report(gap, 'filled', merged, lastOf(gap))
    }
  }

  #report(gap: Gap, state: GapState, merged: MergedRecords, last: SequenceNumber | null): void {
    const { gapRecords, sequences } = this.#options
    if (gapRecords === null) return
    const missing = state === 'filled' ? [] : sequences.missingOf(gap)
    const digests = last === sequences.lastOf(gap.stream) ? sequences.digestsOf(gap.stream) : ''
    merged.addReport(gapRecords.record(gap, state, missing, last, digests))
  }

  /** Highest number of the stream before the gap. */
  #lastBefore({ stream, from }: Gap): SequenceNumber | null {
    return from === null ? this.#options.sequences.lastOf(stream) : plus(from, -1)
  }

  #budget(needed: boolean, signal: AbortSignal): Budget | null {
    const { filler, timeoutMs, maxBytes } = this.#options
    if (filler === null || !needed) return null
    const deadline = AbortSignal.timeout(timeoutMs)
    return { signal: AbortSignal.any([signal, this.#draining.signal, deadline]), bytes: maxBytes }
  }
}

/** Most gaps to track; beyond this the oldest gap is dropped. */
const MAX_OPEN = 1024

/** A gap with messages that have not arrived yet. */
interface OpenGap {
  readonly gap: Gap
  left: number
}

/** The latest gaps of sequence numbers, each until all its messages have arrived. */
export class OpenGaps {
  /** In order of detection. */
  readonly #open: OpenGap[] = []

  add(gap: Gap): void {
    if (gap.to === null || gap.count === null) return
    if (this.#open.length === MAX_OPEN) this.#open.shift()
    this.#open.push({ gap, left: Number(gap.count) })
  }

  /** Counts a missing message; returns its gap if the message was the last missing one. */
  arrived({ stream, number }: GapFill): Gap | null {
    const at = this.#open.findLastIndex(({ gap }) => gap.stream === stream && gap.from! <= number && number <= gap.to!)
    const open = this.#open[at]
    if (open === undefined || --open.left > 0) return null
    this.#open.splice(at, 1)
    return open.gap
  }
}

/** The output of a batch in order. It sets `sequence` of each source offset, as records have been inserted. */
export class MergedRecords {
  readonly records: SourceRecord[] = []
  #sequence: number

  /** `before`: `sequence` of the last record before the batch. */
  constructor(before: number) {
    this.#sequence = before
  }

  /** Adds records of messages, from index `from` up to but not including `to`; each gets the next number. */
  add(records: readonly SourceRecord[], from: number, to: number): void {
    for (let i = from; i < to; i++) {
      this.#sequence++
      this.records.push(this.#numbered(records[i]!))
    }
  }

  /** Adds a record about a gap; it has the number of the record before it. */
  addReport(record: SourceRecord): void {
    this.records.push(this.#numbered(record))
  }

  #numbered(record: SourceRecord): SourceRecord {
    if (record.sourceOffset['sequence'] === this.#sequence) return record
    return { ...record, sourceOffset: { ...record.sourceOffset, sequence: this.#sequence } }
  }
}
