import { type DocumentedEvent, error, info, SHARED_EVENTS, SHARED_EVENTS_LEFT_OUT, warn } from './checks.ts'

const CONTEXT = ['connector_name', 'grpc_server', 'grpc_method', 'kafka_topic']

/** The log events of the JVM connector's documents that apply here, with the level and the fields that they promise. */
export const DOCUMENTED_EVENTS: Readonly<Record<string, DocumentedEvent>> = {
  ...SHARED_EVENTS,
  task_starting: info(...CONTEXT),
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
  // Promised by the documents alone: the JVM connector never writes these.
  connection_closed: info(),
  queue_full: warn(),
  message_received: info(),
  sequence_gap: warn(),
}

/** The documents' events that have no place here, and why. */
export const EVENTS_LEFT_OUT: Readonly<Record<string, string>> = {
  ...SHARED_EVENTS_LEFT_OUT,
  mbean_registered: 'there is no JMX',
  mbean_unregistered: 'there is no JMX',
  mbean_already_registered: 'there is no JMX',
  mbean_registration_failed: 'there is no JMX',
  mbean_unregistration_failed: 'there is no JMX',
  metrics_counters_reset: 'counters are never reset',
  sequence_gap_detected: 'sequence_gap, which the same grep finds',
  record_committed: 'a line a record; the offsets topic and the metrics tell it',
  commit_record_error: 'nothing in it can fail',
  source_record_creation_error: 'record_failed, or the dead-letter queue',
  message_conversion_failed: 'record_failed, or the dead-letter queue',
  no_proto_descriptor_provided: 'the server is asked for its schema',
  no_method_descriptor: 'a missing method fails the task',
  method_not_server_streaming: 'an error of the configuration',
  streaming_start_failed: 'connection_failed or stream_error',
  reconnect_error: 'connection_failed or stream_error',
  channel_shutdown_timeout: 'a connection is closed at once',
  channel_shutdown_interrupted: 'a connection is closed at once',
}
