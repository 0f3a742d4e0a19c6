import { temporaryFolder } from '@tributary/harness'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tickerProps } from '../../support/grpc-task.ts'
import { fail, fixture, sendTicks, startTicker, type WatchCall } from '../../support/grpc-ticker.ts'
import { type DocumentedEvent, error, info, SHARED_EVENTS, SHARED_EVENTS_LEFT_OUT, warn } from './events.ts'
import { documentedEvents, type EventFeed } from './story.ts'

const CONTEXT = ['connector_name', 'grpc_server', 'grpc_method', 'kafka_topic']

/** Log events of the JVM connector's documents that apply to Tributary, with the promised level and fields. */
const DOCUMENTED_EVENTS: Readonly<Record<string, DocumentedEvent>> = {
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
  // Only the documents promise these events; the JVM connector never writes them.
  connection_closed: info(),
  queue_full: warn(),
  message_received: info(),
  sequence_gap: warn(),
}

/** Events of the documents that do not apply to Tributary, and why. */
const EVENTS_LEFT_OUT: Readonly<Record<string, string>> = {
  ...SHARED_EVENTS_LEFT_OUT,
  mbean_registered: 'there is no JMX',
  mbean_unregistered: 'there is no JMX',
  mbean_already_registered: 'there is no JMX',
  mbean_registration_failed: 'there is no JMX',
  mbean_unregistration_failed: 'there is no JMX',
  metrics_counters_reset: 'counters are never reset',
  sequence_gap_detected: 'sequence_gap, which the same grep finds',
  record_committed: 'it would be a line a record; the offsets topic and the metrics show commits',
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

async function startFeed(): Promise<EventFeed> {
  const streams: WatchCall[] = []
  const watch = async (call: WatchCall): Promise<void> => {
    streams.push(call)
    await sendTicks(call, 1, 1)
  }
  const server = await startTicker({ watch })
  return {
    config: {
      'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
      'tasks.max': '1',
      ...tickerProps(server.port),
    },
    partition: { grpc_server: `127.0.0.1:${server.port}`, grpc_method: 'ticker.v1.Ticker/Watch' },
    connections: () => streams.length,
    send: (count) => sendTicks(streams[0]!, 2, count),
    fail: () => fail(streams.at(-1)!, 14, 'the server goes away'),
    end: () => streams.at(-1)!.end(),
    stop: () => server.stop(),
  }
}

const events = {
  start: [
    'grpc_client_starting',
    'proto_descriptor_loaded',
    'grpc_client_started',
    'streaming_started',
    'message_received',
  ],
  failure: ['stream_error', 'connection_closed'],
  end: ['stream_completed'],
  stop: ['grpc_client_stopping', 'grpc_client_stopped'],
  unreachable: ['connection_failed'],
}

documentedEvents(
  { app: 'grpc-ingest', startFeed, prefix: 'grpc', events, documented: DOCUMENTED_EVENTS, leftOut: EVENTS_LEFT_OUT },
  ({ services, start, logged }) => {
    test('for a descriptor that is missing at a restart', async () => {
      const descriptor = join(temporaryFolder('events'), 'ticker.desc')
      copyFileSync(fixture('ticker.desc'), descriptor)
      const { name } = await start({ 'grpc.proto.descriptor': descriptor })
      rmSync(descriptor)
      await services().rest('POST', `/connectors/${name}/tasks/0/restart`)
      await logged(name, 'proto_descriptor_load_failed')
    })
  },
)
