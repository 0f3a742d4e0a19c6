import { RateWindow } from './rate-window.ts'

/** What a run has done, in plain numbers; exported as metrics and shown by `/connectors/{c}/health`. */
export class TaskProgress {
  recordsPolled = 0
  /** Acknowledged by the broker, set aside or filtered out. */
  recordsProduced = 0
  recordsCommitted = 0
  /** Given up at a stop after the graceful timeout, or dropped because another worker has the task. */
  abandoned = 0
  inFlightRecords = 0
  /** ms since the epoch of the last acknowledgement; 0 before the first. */
  lastRecordAt = 0
  /** From poll to acknowledgement, of the last batch, in ms. */
  latencyMs = 0
  /** Records that the broker acknowledged. */
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
