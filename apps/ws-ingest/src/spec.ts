import { defineConfig, type ValuesOf } from '@tributary/config'

const CONNECTION = 'Connection'
const SESSION = 'Session'
const RECONNECT = 'Reconnect'
const FLOW = 'Flow control'
const RECORD = 'Record'

const MIB = 1024 * 1024

const keys = {
  'websocket.url': {
    type: 'string',
    validator: { kind: 'url', schemes: ['ws', 'wss'], label: 'WebSocket URL', rejectNull: true },
    importance: 'high',
    group: CONNECTION,
    displayName: 'URL',
    width: 'long',
    doc: 'Address of the feed, ws:// or wss://. The name is looked up again on each reconnect.',
    example: 'wss://stream.example.com/ws',
  },
  'kafka.topic': {
    type: 'string',
    validator: { kind: 'topicName' },
    importance: 'high',
    group: RECORD,
    displayName: 'Topic',
    doc: 'Topic that gets the records.',
    example: 'quotes',
  },
  'websocket.additional.urls': {
    type: 'list',
    default: [],
    importance: 'medium',
    group: CONNECTION,
    displayName: 'Further URLs',
    width: 'long',
    doc: 'Further feeds of the same kind, parted by commas; each is a task of its own. A comma in a URL is written %2C.',
  },
  'websocket.subscription.message': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: SESSION,
    displayName: 'Subscription message',
    width: 'long',
    doc: 'Text sent as one frame as soon as a connection is open, on each reconnect again.',
    example: '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}',
  },
  'websocket.reconnect.enabled': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    group: RECONNECT,
    displayName: 'Reconnect',
    doc: 'Whether a connection that ended is opened again. False: the task is FAILED after its first connection.',
  },
  'websocket.reconnect.interval.ms': {
    type: 'long',
    default: 5000,
    importance: 'medium',
    group: RECONNECT,
    displayName: 'Interval',
    stripComment: true,
    doc: 'Base of the exponential backoff between tries, in ms; negative counts as 0. The first try after a healthy connection comes within 100 ms.',
  },
  'websocket.reconnect.max.attempts': {
    type: 'int',
    default: -1,
    importance: 'medium',
    group: RECONNECT,
    displayName: 'Tries',
    stripComment: true,
    doc: 'Tries in a row without a healthy connection before the task is FAILED; 0 or less: no limit.',
  },
  'websocket.reconnect.backoff.max.ms': {
    type: 'long',
    default: 60_000,
    importance: 'medium',
    group: RECONNECT,
    displayName: 'Longest wait',
    stripComment: true,
    doc: 'Longest wait between two tries, in ms; negative counts as 0.',
  },
  'websocket.headers': {
    type: 'string',
    default: null,
    validator: { kind: 'keyValueList' },
    importance: 'low',
    group: CONNECTION,
    displayName: 'Headers',
    sensitive: true,
    doc: 'Headers of the handshake as name:value,name:value. A value with commas stands in double quotes.',
    example: 'User-Agent:Tributary/1.0,X-Feed:"a,b"',
  },
  'websocket.auth.token': {
    type: 'password',
    default: null,
    importance: 'medium',
    group: CONNECTION,
    displayName: 'Bearer token',
    doc: 'Sent as the header Authorization: Bearer <token>; it wins over an Authorization in websocket.headers.',
  },
  'websocket.message.queue.size': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Queue size',
    stripComment: true,
    doc: 'Messages held while Kafka is slow. When they are reached the connection is paused: the server waits.',
  },
  'websocket.connection.timeout.ms': {
    type: 'long',
    default: 30_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: CONNECTION,
    displayName: 'Connection timeout',
    stripComment: true,
    doc: 'ms for name lookup, TCP, proxy, TLS and handshake together; 0: no limit.',
  },
  'websocket.max.connection.age.ms': {
    type: 'long',
    default: 0,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: CONNECTION,
    displayName: 'Longest connection',
    stripComment: true,
    doc: 'A connection as old as this, in ms, is replaced by a new one before the server ends it: the new one is there, and its session, before the old one goes. 0: never.',
  },
  'queue.max.bytes': {
    type: 'long',
    default: 64 * MIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Queue bytes',
    stripComment: true,
    doc: 'Bytes of messages held while Kafka is slow.',
  },
  'max.poll.records': {
    type: 'int',
    default: 2000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Batch size',
    stripComment: true,
    doc: 'Most messages that one poll takes from the queue; they are produced together.',
  },
} as const

/** The settings of a WebSocket source, beside the framework's. */
export const websocketSpec = defineConfig(keys)

/** The parsed settings. */
export type WebSocketConfig = ValuesOf<typeof keys>
