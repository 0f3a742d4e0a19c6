import { RateWindow } from './rate-window.ts'

/** What a polled batch waits for before the producer gets it. */
export type BatchStep = 'conversion' | 'converter' | 'topic' | 'lease' | 'room'

export interface HeldBatch {
  readonly step: BatchStep
  readonly records: number
  /** When the step began: ms since the epoch. */
  readonly since: number
  /** In the step `converter`: what the converter waits for. */
  readonly what?: string
  /** In the step `converter`: why that is not there yet; null: it is asked for. */
  readonly error?: unknown
}

/** What Kafka has of an acknowledged batch. */
interface Acknowledged {
  readonly recordCount: number
  /** Of these, the records that were produced, and not filtered out, skipped or sent to the dead-letter queue. */
  readonly written: number
  /** Of these, those that a transform filtered out. */
  readonly filtered: number
}

/** Counts what a run has done. The metrics and `/connectors/{c}/health` show the counts. */
export class TaskProgress {
  recordsPolled = 0
  /** Records that the broker acknowledged, or that were skipped, sent to the dead-letter queue or filtered out. */
  recordsProduced = 0
  /** Of these, the records that a topic of the connector's own has. */
  recordsWritten = 0
  /** Of these, the records that a transform filtered out. */
  recordsFiltered = 0
  recordsCommitted = 0
  /** Records given up after the graceful timeout of a stop or after a failure, or dropped because another worker has the task. */
  abandoned = 0
  inFlightRecords = 0
  /** ms since the epoch of the last acknowledgement; 0 before the first. */
  lastRecordAt = 0
  /** Time in ms from poll to acknowledgement of the last batch. */
  latencyMs = 0
  /** Rate of the records that `recordsWritten` counts. */
  readonly rate: RateWindow
  /** The batch between poll and producer; null: none. */
  held: HeldBatch | null = null
  /** ms since the epoch of the poll that ended a time without unacknowledged records. */
  #busySince = 0

  /** `startedAt`: ms since the epoch. */
  constructor(startedAt: number) {
    this.rate = new RateWindow(startedAt)
  }

  /** Records polled and not acknowledged: held, in flight, or in an open transaction. */
  get unacknowledged(): number {
    return this.recordsPolled - this.recordsProduced
  }

  /** Time in ms for which records have waited without any acknowledgement; 0 while none waits. */
  silentMs(nowMs: number): number {
    return this.unacknowledged === 0 ? 0 : Math.max(0, nowMs - Math.max(this.#busySince, this.lastRecordAt))
  }

  polled(count: number, nowMs: number): void {
    if (this.unacknowledged === 0) this.#busySince = nowMs
    this.recordsPolled += count
  }

  /** The batch begins a step on its way to the producer. */
  holds(step: BatchStep, records: number, nowMs: number): void {
    this.held = { step, records, since: nowMs }
  }

  /** The converter waits for `what`. `error`: why that is not there yet; null: it is asked for. */
  waits(what: string, error: unknown, records: number, nowMs: number): void {
    const before = this.held
    const goesOn = before?.step === 'converter' && before.what === what
    const since = goesOn ? before.since : nowMs
    this.held = { step: 'converter', records, since, what, error: error ?? (goesOn ? before.error : null) }
  }

  acknowledged({ recordCount, written, filtered }: Acknowledged, nowMs: number, latencyMs: number): void {
    this.recordsProduced += recordCount
    this.recordsWritten += written
    this.recordsFiltered += filtered
    this.rate.add(written, nowMs)
    this.lastRecordAt = nowMs
    this.latencyMs = latencyMs
  }

  committed(count: number): void {
    this.recordsCommitted += count
  }
}
