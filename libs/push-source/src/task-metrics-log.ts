import type { Clock, TaskStats } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'

const PERIOD_MS = 30_000
const HIGH_UTILIZATION_PERCENT = 80
const HIGH_LAG = 1000
const SILENCE_MS = 60_000

/** Logs the line `task_metrics`, which runbooks search for, each 30 s while the task polls. */
export class TaskMetricsLog {
  readonly #log: Logger
  readonly #clock: Clock
  readonly #stats: TaskStats
  readonly #sessionId: string
  #nextAt: number
  /** Messages taken from the queue. A message may become one record, several or none. */
  #messagesTaken = 0
  #recordsProduced = 0
  connects = 0

  constructor(log: Logger, clock: Clock, stats: TaskStats, sessionId: string) {
    this.#log = log
    this.#clock = clock
    this.#stats = stats
    this.#sessionId = sessionId
    this.#nextAt = clock.monotonic() + PERIOD_MS
  }

  /** A poll took `messages` messages from the queue and returned `records` records. */
  handedOut(messages: number, records: number): void {
    this.#messagesTaken += messages
    this.#recordsProduced += records
  }

  maybeWrite(connected: boolean): void {
    if (this.#clock.monotonic() < this.#nextAt) return
    this.#nextAt = this.#clock.monotonic() + PERIOD_MS
    this.write(connected)
  }

  write(connected: boolean): void {
    const s = this.#stats
    const utilization = Math.round((s.queueSize * 1000) / s.queueCapacity) / 10
    // Messages that an earlier run left on disk are taken, but were not received by this run.
    const lag = Math.max(0, s.messagesReceived - s.messagesDropped - this.#messagesTaken)
    const silence = s.lastMessageAt === 0 ? -1 : this.#clock.now() - s.lastMessageAt
    const fields = {
      connected,
      messages_received: s.messagesReceived,
      messages_dropped: s.messagesDropped,
      records_produced: this.#recordsProduced,
      queue_size: s.queueSize,
      queue_capacity: s.queueCapacity,
      queue_utilization_percent: utilization,
      lag_count: lag,
      millis_since_last_message: silence,
      reconnect_attempts: Math.max(0, this.connects - 1),
      session_id: this.#sessionId,
    }
    const status = statusOf(connected, s.messagesDropped, utilization, lag, silence)
    if (status === 'HEALTHY') this.#log.info('task_metrics', { ...fields, status })
    else this.#log.warn('task_metrics', { ...fields, status })
  }
}

/** The worst status that applies. */
function statusOf(connected: boolean, dropped: number, utilization: number, lag: number, silenceMs: number): string {
  if (!connected) return 'DISCONNECTED'
  if (dropped > 0) return 'DROPPING_MESSAGES'
  if (utilization > HIGH_UTILIZATION_PERCENT) return 'HIGH_QUEUE_UTILIZATION'
  if (lag > HIGH_LAG) return 'HIGH_LAG'
  return silenceMs > SILENCE_MS ? 'NO_RECENT_MESSAGES' : 'HEALTHY'
}
