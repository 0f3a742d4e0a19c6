import type { Keys } from '@tributary/config'

const group = 'Connection'

/** How the connection is made. */
export const connectionKeys = {
  'websocket.url': {
    type: 'string',
    validator: { kind: 'url', schemes: ['ws', 'wss'], label: 'WebSocket URL', rejectNull: true },
    importance: 'high',
    group,
    displayName: 'URL',
    width: 'long',
    doc: 'Address of the feed, ws:// or wss://. The name is looked up again on each reconnect.',
    example: 'wss://stream.example.com/ws',
  },
  'websocket.additional.urls': {
    type: 'list',
    default: [],
    importance: 'medium',
    group,
    displayName: 'Further URLs',
    width: 'long',
    doc: 'Further feeds of the same kind, parted by commas; each is a task of its own. A comma in a URL is written %2C.',
  },
  'websocket.headers': {
    type: 'string',
    default: null,
    validator: { kind: 'keyValueList' },
    importance: 'low',
    group,
    displayName: 'Headers',
    sensitive: true,
    doc: 'Headers of the handshake as name:value,name:value. A value with commas stands in double quotes.',
    example: 'User-Agent:Tributary/1.0,X-Feed:"a,b"',
  },
  'websocket.auth.token': {
    type: 'password',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Bearer token',
    doc: 'Sent as the header Authorization: Bearer <token>; it wins over an Authorization in websocket.headers.',
  },
  'websocket.connection.timeout.ms': {
    type: 'long',
    default: 30_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group,
    displayName: 'Connection timeout',
    stripComment: true,
    doc: 'ms for name lookup, TCP, proxy, TLS and handshake together; 0: no limit.',
  },
  'websocket.max.connection.age.ms': {
    type: 'long',
    default: 0,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group,
    displayName: 'Longest connection',
    stripComment: true,
    doc: 'A connection as old as this, in ms, is replaced by a new one before the server ends it: the new one is there, and its session, before the old one goes. 0: never.',
  },
} as const satisfies Keys
