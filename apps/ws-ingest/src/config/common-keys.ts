import type { Keys, Rule } from '@tributary/config'

const TLS = 'TLS'

/** What wss:// trusts, and shows of itself. */
export const tlsKeys = {
  'websocket.tls.ca.cert': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: TLS,
    displayName: 'CA certificates',
    doc: 'PEM file, or PEM text, with the certificates to trust. Unset: those that come with Node.js. Files are read again on each connect.',
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
    doc: "Name that the server is asked for (SNI) and that its certificate must bear. Unset: the URL's host.",
  },
} as const satisfies Keys

export const tlsRules = [
  { rule: 'requires', key: 'websocket.tls.client.cert', needs: ['websocket.tls.client.key'] },
  { rule: 'requires', key: 'websocket.tls.client.key', needs: ['websocket.tls.client.cert'] },
] as const satisfies readonly Rule[]

const RECONNECT = 'Reconnect'

/** When a connection that ended is made again. */
export const reconnectKeys = {
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
} as const satisfies Keys

const FLOW = 'Flow control'
const MIB = 1024 * 1024
const GIB = 1024 * MIB

/** What is held while Kafka is slow. */
export const flowKeys = {
  'websocket.message.queue.size': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Queue size',
    stripComment: true,
    doc: 'Messages held in memory while Kafka is slow; overflow.policy says what comes then.',
  },
  'queue.max.bytes': {
    type: 'long',
    default: 64 * MIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Queue bytes',
    stripComment: true,
    doc: 'Bytes of messages held in memory while Kafka is slow.',
  },
  'overflow.policy': {
    type: 'string',
    default: 'pause',
    validator: { kind: 'oneOf', values: ['pause', 'drop', 'spill'] },
    recommended: ['pause', 'drop', 'spill'],
    importance: 'medium',
    group: FLOW,
    displayName: 'When the queue is full',
    doc: 'pause: the connection is not read, so the server waits, nothing is lost. drop: new messages are thrown away and counted, for feeds where only the latest matter. spill: messages go to disk, for servers that cut off who reads slowly; a crash and a restart on this host lose none of them.',
  },
  'spill.max.bytes': {
    type: 'long',
    default: GIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Spilled bytes',
    stripComment: true,
    doc: 'With overflow.policy=spill: bytes on disk at most. When they are reached the connection is paused. Larger than queue.max.bytes makes sense only.',
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
} as const satisfies Keys
