import { RateWindow } from './rate-window.ts'

/** Counts what a run has done. The metrics and `/connectors/{c}/health` show the counts. */
export class TaskProgress {
  recordsPolled = 0
  /** Records that the broker acknowledged, or that were skipped, sent to the dead-letter queue or filtered out. */
  recordsProduced = 0
  recordsCommitted = 0
  /** Records given up after the graceful timeout of a stop or after a failure, or dropped because another worker has the task. */
  abandoned = 0
  inFlightRecords = 0
  /** ms since the epoch of the last acknowledgement; 0 before the first. */
  lastRecordAt = 0
  /** Time in ms from poll to acknowledgement of the last batch. */
  latencyMs = 0
  /** Rate of the records that `recordsProduced` counts. */
  readonly rate: RateWindow

  /** `startedAt`: ms since the epoch. */
  constructor(startedAt: number) {
    this.rate = new RateWindow(startedAt)
  }

  polled(count: number): void {
    this.recordsPolled += count
  }

  acknowledged(count: number, nowMs: number, latencyMs: number): void {
    this.recordsProduced += count
    this.rate.add(count, nowMs)
    this.lastRecordAt = nowMs
    this.latencyMs = latencyMs
  }

  committed(count: number): void {
    this.recordsCommitted += count
  }
}
