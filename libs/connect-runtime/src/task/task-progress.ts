/** What a task has done, in plain numbers; exported as metrics and shown by `/connectors/{c}/health`. */
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
  #rateAt = 0
  #rateRecords = 0
  #rate = 0

  polled(count: number): void {
    this.recordsPolled += count
  }

  acknowledged(count: number, nowMs: number, latencyMs: number): void {
    this.recordsProduced += count
    this.lastRecordAt = nowMs
    this.latencyMs = latencyMs
  }

  committed(count: number): void {
    this.recordsCommitted += count
  }

  /** Records a second since about a second ago or longer. */
  rate(nowMs: number): number {
    const elapsed = nowMs - this.#rateAt
    if (elapsed >= 1000) {
      this.#rate = this.#rateAt === 0 ? 0 : ((this.recordsProduced - this.#rateRecords) * 1000) / elapsed
      this.#rateAt = nowMs
      this.#rateRecords = this.recordsProduced
    }
    return this.#rate
  }
}
