import { type DocumentedEvent, error, info, SHARED_EVENTS, SHARED_EVENTS_LEFT_OUT, warn } from './checks.ts'

/** The log events of the JVM connector's documents that apply here, with the level and the fields that they promise. */
export const DOCUMENTED_EVENTS: Readonly<Record<string, DocumentedEvent>> = {
  ...SHARED_EVENTS,
  task_starting: info('connector_name', 'websocket_url', 'kafka_topic'),
  websocket_client_starting: info('url', 'queue_capacity', 'connection_timeout_ms', 'reconnect_enabled'),
  websocket_client_started: info('url'),
  websocket_client_stopping: info('url'),
  websocket_client_stopped: info('url', 'messages_received', 'messages_dropped', 'reconnect_attempts'),
  websocket_opened: info('url', 'response_code'),
  subscription_sent: info('message_preview'),
  websocket_closing: info('code', 'reason'),
  websocket_closed: info('code', 'reason'),
  websocket_failure: error('error_message', 'response_code'),
  queue_full: warn(),
  sequence_gap: warn(),
}

/** Phrases that the documents tell operators to look for, with the events whose lines hold them. */
export const DOCUMENTED_PHRASES: Readonly<Record<string, string>> = {
  'Connection opened': 'websocket_opened',
  'Connection closed: code=1000': 'websocket_closed',
  'Connection failed': 'websocket_failure',
  'Queue full, dropping message': 'message_dropped',
  'Reconnecting in \\d+ ms': 'reconnect_scheduled',
}

/** The documents' events that have no place here, and why. */
export const EVENTS_LEFT_OUT: Readonly<Record<string, string>> = {
  ...SHARED_EVENTS_LEFT_OUT,
  reconnect_error: 'websocket_failure',
}
