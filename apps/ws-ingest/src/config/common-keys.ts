import type { Keys, Rule } from '@tributary/config'

const TLS = 'TLS'

/** Keys for TLS: what wss:// trusts, and the certificate of the client. */
export const tlsKeys = {
  'websocket.tls.ca.cert': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: TLS,
    displayName: 'CA certificates',
    doc: 'PEM file, or PEM text, with the certificates to trust. Unset: the certificates that come with Node.js. Files are read again on each connect.',
  },
  'websocket.tls.client.cert': {
    type: 'string',
    default: null,
    importance: 'low',
    group: TLS,
    displayName: 'Client certificate',
    doc: "PEM file, or PEM text, with the client's certificate chain, for mutual TLS.",
  },
  'websocket.tls.client.key': {
    type: 'string',
    default: null,
    importance: 'low',
    group: TLS,
    displayName: 'Client key',
    sensitive: true,
    doc: "PEM file, or PEM text, with the private key of the client's certificate; PKCS#8, PKCS#1 or SEC1, also encrypted.",
  },
  'websocket.tls.client.key.password': {
    type: 'password',
    default: null,
    importance: 'low',
    group: TLS,
    displayName: 'Password of the client key',
    doc: 'Password of an encrypted client key.',
  },
  'websocket.tls.server.name': {
    type: 'string',
    default: null,
    importance: 'low',
    group: TLS,
    displayName: 'Server name',
    doc: "Server name for SNI, which the server's certificate must contain. Unset: the URL's host.",
  },
} as const satisfies Keys

export const tlsRules = [
  { rule: 'requires', key: 'websocket.tls.client.cert', needs: ['websocket.tls.client.key'] },
  { rule: 'requires', key: 'websocket.tls.client.key', needs: ['websocket.tls.client.cert'] },
] as const satisfies readonly Rule[]

const RECONNECT = 'Reconnect'

/** Keys for reconnecting. */
export const reconnectKeys = {
  'websocket.reconnect.enabled': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    group: RECONNECT,
    displayName: 'Reconnect',
    doc: 'Whether the task reconnects when a connection has ended. False: the task is FAILED after its first connection.',
  },
  'websocket.reconnect.interval.ms': {
    type: 'long',
    default: 5000,
    importance: 'medium',
    group: RECONNECT,
    displayName: 'Interval',
    stripComment: true,
    doc: 'Base of the exponential backoff between attempts, in ms; a negative value counts as 0. The first attempt after a healthy connection follows within 100 ms.',
  },
  'websocket.reconnect.max.attempts': {
    type: 'int',
    default: -1,
    importance: 'medium',
    group: RECONNECT,
    displayName: 'Tries',
    stripComment: true,
    doc: 'Consecutive attempts without a healthy connection before the task is FAILED; 0 or less: no limit.',
  },
  'websocket.reconnect.backoff.max.ms': {
    type: 'long',
    default: 60_000,
    importance: 'medium',
    group: RECONNECT,
    displayName: 'Longest wait',
    stripComment: true,
    doc: 'Longest wait between two attempts, in ms; a negative value counts as 0.',
  },
} as const satisfies Keys

const FLOW = 'Flow control'
const MIB = 1024 * 1024
const GIB = 1024 * MIB

/** Keys for flow control: what is held while Kafka is slow. */
export const flowKeys = {
  'websocket.message.queue.size': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Queue size',
    stripComment: true,
    doc: 'Most messages to hold in memory while Kafka is slow. overflow.policy says what happens when the queue is full.',
  },
  'queue.max.bytes': {
    type: 'long',
    default: 64 * MIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Queue bytes',
    stripComment: true,
    doc: 'Most bytes of messages to hold in memory while Kafka is slow.',
  },
  'overflow.policy': {
    type: 'string',
    default: 'pause',
    validator: { kind: 'oneOf', values: ['pause', 'drop', 'spill'] },
    recommended: ['pause', 'drop', 'spill'],
    importance: 'medium',
    group: FLOW,
    displayName: 'When the queue is full',
    doc: 'pause: the task stops reading the connection, so the server waits and nothing is lost. drop: new messages are discarded and counted, for feeds where only the latest messages matter. spill: messages go to disk, for servers that disconnect slow readers; a crash and a restart on this host lose none of the messages on disk.',
  },
  'spill.max.bytes': {
    type: 'long',
    default: GIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Spilled bytes',
    stripComment: true,
    doc: 'With overflow.policy=spill: most bytes on disk. At this limit the connection is paused. Set it larger than queue.max.bytes.',
  },
  'max.poll.records': {
    type: 'int',
    default: 2000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Batch size',
    stripComment: true,
    doc: 'Most messages that one poll takes from the queue. They are produced as one batch.',
  },
} as const satisfies Keys
