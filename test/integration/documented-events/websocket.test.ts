import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WsTicker } from '../../support/ws-ticker.ts'
import { type DocumentedEvent, error, info, SHARED_EVENTS, SHARED_EVENTS_LEFT_OUT, warn } from './events.ts'
import { documentedEvents, type EventFeed } from './story.ts'

/** Log events of the JVM connector's documents that apply to Tributary, with the promised level and fields. */
const DOCUMENTED_EVENTS: Readonly<Record<string, DocumentedEvent>> = {
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

/** Phrases for which operators search according to the documents, with the events whose lines contain them. */
const DOCUMENTED_PHRASES: Readonly<Record<string, string>> = {
  'Connection opened': 'websocket_opened',
  'Connection closed: code=1000': 'websocket_closed',
  'Connection failed': 'websocket_failure',
  'Queue full, dropping message': 'message_dropped',
  'Reconnecting in \\d+ ms': 'reconnect_scheduled',
}

/** Events of the documents that do not apply to Tributary, and why. */
const EVENTS_LEFT_OUT: Readonly<Record<string, string>> = {
  ...SHARED_EVENTS_LEFT_OUT,
  reconnect_error: 'websocket_failure',
}

const SECRET = 'feed-s3cret'

/** The URL and the subscription hold a secret. */
async function startFeed(): Promise<EventFeed> {
  const feed = await WsTicker.start({ onConnection: (ticker) => ticker.send(1) })
  const url = `ws://127.0.0.1:${feed.port}/ws?token=${SECRET}`
  return {
    config: {
      'connector.class': 'io.conduktor.connect.websocket.WebSocketSourceConnector',
      'websocket.url': url,
      'websocket.subscription.message': `{"op":"subscribe","token":"${SECRET}"}`,
    },
    partition: { websocket_url: url },
    connections: () => feed.connections,
    send: (count) => feed.send(count),
    fail: () => feed.cut(),
    end: () => feed.close(1000, 'maintenance'),
    stop: () => feed.stop(),
  }
}

const events = {
  start: ['websocket_client_starting', 'websocket_opened', 'subscription_sent', 'websocket_client_started'],
  failure: ['websocket_failure'],
  end: ['websocket_closing', 'websocket_closed'],
  stop: ['websocket_client_stopping', 'websocket_client_stopped'],
  unreachable: ['websocket_failure'],
}

documentedEvents(
  { app: 'ws-ingest', startFeed, prefix: 'websocket', events, documented: DOCUMENTED_EVENTS, leftOut: EVENTS_LEFT_OUT },
  ({ services }) => {
    for (const [phrase, event] of Object.entries(DOCUMENTED_PHRASES)) {
      test(`"${phrase}" is in the line of its event`, async () => {
        assert.match(await services().workerLog(), new RegExp(` event=${event} .*${phrase}`))
      })
    }

    test('each line of the source is found by WebSocket', async () => {
      const lines = (await services().workerLog())
        .split('\n')
        .filter((line) => / event=(websocket_|subscription_)/.test(line))
      assert.ok(lines.length > 5 && lines.every((line) => line.includes('WebSocket')))
    })

    test('no secret is in any line, nor in a metric', async () => {
      assert.equal((await services().workerLog()).includes(SECRET), false)
      assert.equal((await services().scrape()).includes(SECRET), false)
    })
  },
)
