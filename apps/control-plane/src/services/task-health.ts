/** A task's health as its worker tells it. Times in ms since the epoch, null for never; rate in records a second. */
export interface TaskHealth {
  readonly task: number
  readonly connected: boolean
  readonly connected_since: number | null
  readonly last_record_at: number | null
  readonly records_total: number
  readonly rate: number
  /** Messages received and not acknowledged by Kafka yet. */
  readonly lag: number
  readonly reconnects: number
  readonly gaps: number
  readonly latency_ms: number
  readonly queue_size: number
  /** One plain sentence. */
  readonly reason: string
}
