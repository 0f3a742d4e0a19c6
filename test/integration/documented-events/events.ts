type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'

export interface DocumentedEvent {
  readonly level: readonly Level[]
  readonly fields: readonly string[]
}

export function info(...fields: string[]): DocumentedEvent {
  return { level: ['INFO'], fields }
}
export function warn(...fields: string[]): DocumentedEvent {
  return { level: ['WARN'], fields }
}
export function error(...fields: string[]): DocumentedEvent {
  return { level: ['ERROR'], fields }
}

/** Events that the documents of both JVM connectors, gRPC and WebSocket, promise. */
export const SHARED_EVENTS: Readonly<Record<string, DocumentedEvent>> = {
  session_initialized: info('session_id'),
  no_previous_offset: info('starting_fresh', 'sequence'),
  offset_restored: info('session_id', 'sequence'),
  session_id_changed: warn('previous_session', 'current_session', 'reason'),
  no_sequence_in_offset: info('starting_from_zero'),
  task_started: info('session_id', 'starting_sequence', 'queue_capacity'),
  task_metrics: {
    level: ['INFO', 'WARN'],
    fields: [
      ...['connected', 'messages_received', 'messages_dropped', 'records_produced', 'queue_size', 'queue_capacity'],
      ...['queue_utilization_percent', 'lag_count', 'millis_since_last_message', 'reconnect_attempts', 'session_id'],
      'status',
    ],
  },
  task_stopping: info('session_id'),
  task_stopped: info('session_id', 'final_sequence'),
  message_draining_started: info(),
  message_draining_completed: info('drained_count', 'duration_ms'),
  message_dropped: warn('reason', 'queue_size', 'queue_capacity', 'utilization_percent', 'messages_dropped_total'),
  queue_high_utilization: warn('queue_size', 'queue_capacity', 'utilization_percent', 'threshold_percent'),
  reconnect_scheduled: info('attempt', 'backoff_ms'),
  reconnect_executing: info('attempt'),
  reconnect_skipped: info('reason'),
  reconnect_failed: error('reason', 'max_attempts', 'current_attempt'),
}

/** Events of both that do not apply to Tributary, and why. */
export const SHARED_EVENTS_LEFT_OUT: Readonly<Record<string, string>> = {
  jmx_metrics_initialized: 'there is no JMX: metrics are scraped',
  jmx_metrics_init_failed: 'there is no JMX',
  jmx_metrics_closed: 'there is no JMX',
  jmx_metrics_close_failed: 'there is no JMX',
  offset_restore_error: 'an offset that cannot be read fails the task',
  messages_drained: 'message_draining_completed counts them',
  drain_interrupted: 'task_abandoned says what was given up',
  messages_received_milestone: 'a line a hundred messages; the metrics count them',
  reconnect_task_cancelled: 'there is no reconnect task',
  executor_shutdown_timeout: 'there are no threads',
  executor_shutdown_interrupted: 'there are no threads',
}
