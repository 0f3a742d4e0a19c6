/** One task's health: what its worker tells, and `/connectors/{c}/health` shows. Times in ms since the epoch, null when never. */
export interface TaskHealth {
  readonly task: number
  readonly state: string
  readonly connected: boolean
  readonly connected_since: number | null
  readonly last_record_at: number | null
  readonly records_total: number
  /** Records that Kafka acknowledged, a second, over the last ten seconds, or since the start of the task where that is sooner. */
  readonly rate: number
  /** Messages received and not acknowledged by Kafka yet. */
  readonly lag: number
  readonly reconnects: number
  readonly restarts: number
  readonly gaps: number
  readonly dropped: number
  /** From poll to acknowledgement, of the last batch. */
  readonly latency_ms: number
  readonly queue_size: number
  /** One plain sentence. */
  readonly reason: string
}
