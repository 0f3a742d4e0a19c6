export interface DocumentedEvent {
  readonly level: readonly ('DEBUG' | 'INFO' | 'WARN' | 'ERROR')[]
  readonly fields: readonly string[]
}

const CONTEXT = ['connector_name', 'grpc_server', 'grpc_method', 'kafka_topic']

/** The log events of the JVM connector's documents that apply here, with the level and the fields that they promise. */
export const DOCUMENTED_EVENTS: Readonly<Record<string, DocumentedEvent>> = {
  task_starting: info(...CONTEXT),
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
  grpc_client_starting: info('host', 'port', 'service', 'method', 'queue_capacity', 'tls_enabled'),
  grpc_client_started: info('server'),
  grpc_client_stopping: info('server'),
  grpc_client_stopped: info('server', 'messages_received', 'messages_dropped', 'reconnect_attempts'),
  proto_descriptor_loaded: info(),
  proto_descriptor_load_failed: error('error'),
  connection_failed: error('host', 'port', 'error'),
  streaming_started: info('service', 'method'),
  stream_error: error('status_code', 'status_description', 'error_message'),
  stream_completed: info('messages_received'),
  message_dropped: warn('reason', 'queue_size', 'queue_capacity', 'utilization_percent', 'messages_dropped_total'),
  queue_high_utilization: warn('queue_size', 'queue_capacity', 'utilization_percent', 'threshold_percent'),
  reconnect_scheduled: info('attempt', 'backoff_ms'),
  reconnect_executing: info('attempt'),
  reconnect_skipped: info('reason'),
  reconnect_failed: error('reason', 'max_attempts', 'current_attempt'),
  // Promised by the documents alone: the JVM connector never writes these.
  connection_closed: info(),
  queue_full: warn(),
  message_received: info(),
  sequence_gap: warn(),
}

/** The documents' events that have no place here, and why. */
export const EVENTS_LEFT_OUT: Readonly<Record<string, string>> = {
  jmx_metrics_initialized: 'there is no JMX: metrics are scraped',
  jmx_metrics_init_failed: 'there is no JMX',
  jmx_metrics_closed: 'there is no JMX',
  jmx_metrics_close_failed: 'there is no JMX',
  mbean_registered: 'there is no JMX',
  mbean_unregistered: 'there is no JMX',
  mbean_already_registered: 'there is no JMX',
  mbean_registration_failed: 'there is no JMX',
  mbean_unregistration_failed: 'there is no JMX',
  metrics_counters_reset: 'counters are never reset',
  offset_restore_error: 'an offset that cannot be read fails the task',
  messages_drained: 'message_draining_completed counts them',
  drain_interrupted: 'task_abandoned says what was given up',
  sequence_gap_detected: 'sequence_gap, which the same grep finds',
  record_committed: 'a line a record; the offsets topic and the metrics tell it',
  commit_record_error: 'nothing in it can fail',
  source_record_creation_error: 'record_failed, or the dead-letter queue',
  message_conversion_failed: 'record_failed, or the dead-letter queue',
  no_proto_descriptor_provided: 'the server is asked for its schema',
  no_method_descriptor: 'a missing method fails the task',
  method_not_server_streaming: 'an error of the configuration',
  streaming_start_failed: 'connection_failed or stream_error',
  messages_received_milestone: 'a line a hundred messages; the metrics count them',
  reconnect_error: 'connection_failed or stream_error',
  reconnect_task_cancelled: 'there is no reconnect task',
  executor_shutdown_timeout: 'there are no threads',
  executor_shutdown_interrupted: 'there are no threads',
  channel_shutdown_timeout: 'a connection is closed at once',
  channel_shutdown_interrupted: 'a connection is closed at once',
}

function info(...fields: string[]): DocumentedEvent {
  return { level: ['INFO'], fields }
}
function warn(...fields: string[]): DocumentedEvent {
  return { level: ['WARN'], fields }
}
function error(...fields: string[]): DocumentedEvent {
  return { level: ['ERROR'], fields }
}
