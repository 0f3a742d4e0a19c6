/**
 * One task's health, as its worker reports it and `/connectors/{c}/health` shows it. Times are in ms since the epoch;
 * null means never.
 */
export interface TaskHealth {
  readonly task: number
  readonly state: string
  readonly connected: boolean
  readonly connected_since: number | null
  readonly last_record_at: number | null
  readonly records_total: number
  /**
   * Records acknowledged by Kafka, per second, over the last ten seconds, or since the start of the task if that is
   * later.
   */
  readonly rate: number
  /** Messages received and not acknowledged by Kafka yet: those in the queue, and the records polled of the others. */
  readonly lag: number
  readonly reconnects: number
  readonly restarts: number
  readonly gaps: number
  readonly dropped: number
  /** Time from poll to acknowledgement of the last batch, in ms. */
  readonly latency_ms: number
  readonly queue_size: number
  /** One plain sentence. */
  readonly reason: string
}
