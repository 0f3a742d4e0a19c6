import type { Keys, PrefixSpec, Rule } from '@tributary/config'

const SESSION = 'Session'
const SIGNATURE = 'Signature'

/** Keys for the initialization of a connection: authentication, subscriptions and signatures. */
export const initializationKeys = {
  'websocket.auth.wait.match': {
    type: 'string',
    default: null,
    importance: 'low',
    group: SESSION,
    displayName: 'Greeting',
    doc: 'Rule for a message of the server, such as a greeting or a challenge, that must arrive before anything is sent. Its fields are {{received.<path>}} in websocket.auth.message.',
    example: 'event == challenge',
  },
  'websocket.auth.message': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: SESSION,
    displayName: 'Authentication message',
    width: 'long',
    sensitive: true,
    doc: 'Template of the text message that authenticates. It is sent before any subscription, and again on each reconnect. Values: {{timestamp.ms}}, {{timestamp.s}}, {{timestamp.iso}}, {{timestamp.utc}} (to the second, without zone), {{uuid}}, {{session.id}}, {{signature}}, {{received.<path>}}.',
    example: '{"op":"login","apiKey":"${env:API_KEY}","timestamp":"{{timestamp.s}}","sign":"{{signature}}"}',
  },
  'websocket.auth.ack.match': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: SESSION,
    displayName: 'Authentication accepted',
    doc: "Rule for the server's reply that accepts the authentication; the next message is sent after this reply. Unset: no reply is awaited.",
    example: 'event == login && code == 0',
  },
  'websocket.auth.refuse.match': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: SESSION,
    displayName: 'Authentication refused',
    doc: "Rule for the server's reply that refuses the authentication. The task is then FAILED with the server's text.",
    example: 'event == error',
  },
  'websocket.subscription.message': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: SESSION,
    displayName: 'Subscription message',
    width: 'long',
    doc: 'Text that is sent unchanged as one message when a connection is open and authenticated, and again on each reconnect. For several messages, templates, or replies that are checked, see websocket.subscription.<n>.message.',
    example: '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}',
  },
  'websocket.session.timeout.ms': {
    type: 'long',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: SESSION,
    displayName: 'Reply timeout',
    stripComment: true,
    doc: 'Longest wait, in ms, for each awaited reply to an authentication or subscription message. After this time the task reconnects.',
  },
  'websocket.session.messages.in.topic': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: SESSION,
    displayName: 'Session messages in the topic',
    doc: 'Whether messages that match a rule for authentication, subscriptions or heartbeats become records too. False: they are left out.',
  },
  'websocket.signature.key': {
    type: 'password',
    default: null,
    importance: 'medium',
    group: SIGNATURE,
    displayName: 'Key',
    doc: 'Secret key of the HMAC that {{signature}} inserts.',
  },
  'websocket.signature.key.encoding': {
    type: 'string',
    default: 'utf8',
    validator: { kind: 'oneOf', values: ['utf8', 'hex', 'base64'] },
    importance: 'low',
    group: SIGNATURE,
    displayName: 'Encoding of the key',
    doc: 'Encoding of the secret key: utf8 (the text itself is the key), hex or base64.',
  },
  'websocket.signature.algorithm': {
    type: 'string',
    default: 'hmac-sha256',
    validator: { kind: 'oneOf', values: ['hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha1'] },
    importance: 'low',
    group: SIGNATURE,
    displayName: 'Algorithm',
    doc: 'Algorithm of the signature.',
  },
  'websocket.signature.digest': {
    type: 'string',
    default: 'none',
    validator: { kind: 'oneOf', values: ['none', 'sha256', 'sha512'] },
    importance: 'low',
    group: SIGNATURE,
    displayName: 'Digest',
    doc: 'What is signed: the text itself (none), or the bytes of its digest.',
  },
  'websocket.signature.template': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: SIGNATURE,
    displayName: 'Signed text',
    width: 'long',
    doc: 'Template of the text to sign. Its placeholders have the same values as those of the message that contains the signature.',
    example: '{{timestamp.s}}GET/users/self/verify',
  },
  'websocket.signature.encoding': {
    type: 'string',
    default: 'hex',
    validator: { kind: 'oneOf', values: ['hex', 'base64', 'base64url'] },
    importance: 'low',
    group: SIGNATURE,
    displayName: 'Encoding',
    doc: 'Encoding of the signature.',
  },
} as const satisfies Keys

export const SUBSCRIPTION_PREFIX = 'websocket.subscription.'

export const initializationPrefixes: Readonly<Record<string, PrefixSpec>> = {
  [SUBSCRIPTION_PREFIX]: {
    importance: 'medium',
    group: SESSION,
    suffix: '[1-9][0-9]{0,5}\\.(?:message|ack\\.match|refuse\\.match)',
    doc: "Subscriptions, sent in the order of their numbers. <n>.message is a template like websocket.auth.message; {{received.<path>}} reads the reply that accepted the authentication. <n>.ack.match is a rule for the server's reply that accepts the subscription; the next message is sent after this reply. <n>.refuse.match is a rule for the reply that refuses the subscription; the task is then FAILED with the server's text.",
  },
}

export const initializationRules: readonly Rule[] = [
  { rule: 'requires', key: 'websocket.auth.ack.match', needs: ['websocket.auth.message'] },
  { rule: 'requires', key: 'websocket.auth.refuse.match', needs: ['websocket.auth.message'] },
  { rule: 'requires', key: 'websocket.signature.key', needs: ['websocket.signature.template'] },
]

const HEARTBEAT = 'Heartbeat'

/** Keys for pings, heartbeats and the idle timeout: how each side knows that the other is alive. */
export const heartbeatKeys = {
  'websocket.ping.interval.ms': {
    type: 'long',
    default: 30_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: HEARTBEAT,
    displayName: 'Ping interval',
    stripComment: true,
    doc: "Interval between WebSocket pings to the server, in ms; 0: no pings. The server's own pings are always answered.",
  },
  'websocket.pong.timeout.ms': {
    type: 'long',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: HEARTBEAT,
    displayName: 'Pong timeout',
    stripComment: true,
    doc: 'Longest time, in ms, without any data from the server after a ping. After this time the task reconnects.',
  },
  'websocket.heartbeat.message': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: HEARTBEAT,
    displayName: 'Heartbeat message',
    doc: 'Template of a text message that is sent every websocket.heartbeat.interval.ms, for servers that require heartbeats of their own format.',
    example: '{"op":"ping"}',
  },
  'websocket.heartbeat.interval.ms': {
    type: 'long',
    default: 20_000,
    validator: { kind: 'range', min: 1 },
    importance: 'medium',
    group: HEARTBEAT,
    displayName: 'Heartbeat interval',
    stripComment: true,
    doc: 'Interval between heartbeat messages, in ms.',
  },
  'websocket.heartbeat.reply.match': {
    type: 'string',
    default: null,
    importance: 'low',
    group: HEARTBEAT,
    displayName: 'Heartbeat reply',
    doc: "Rule for the server's reply to a heartbeat message. Unset: no reply is expected.",
    example: 'op == pong',
  },
  'websocket.heartbeat.timeout.ms': {
    type: 'long',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: HEARTBEAT,
    displayName: 'Heartbeat timeout',
    stripComment: true,
    doc: 'Longest wait for the reply to a heartbeat message, in ms. After this time the task reconnects.',
  },
  'websocket.heartbeat.request.match': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: HEARTBEAT,
    displayName: 'Heartbeat of the server',
    doc: "Rule for the server's heartbeat messages. Each one is answered with websocket.heartbeat.response.",
    example: 'ping',
  },
  'websocket.heartbeat.response': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: HEARTBEAT,
    displayName: 'Heartbeat response',
    doc: "Template of the answer to the server's heartbeat message, whose fields are {{received.<path>}}.",
    example: '{"pong":{{received.ping}}}',
  },
  'websocket.idle.timeout.ms': {
    type: 'long',
    default: 0,
    validator: { kind: 'range', min: 0 },
    importance: 'medium',
    group: HEARTBEAT,
    displayName: 'Idle timeout',
    stripComment: true,
    doc: 'Longest time, in ms, without a message of the feed; 0: no limit. After this time the task reconnects, because an open connection may have stopped delivering. Pings and messages that match a rule for authentication, subscriptions or heartbeats do not count. The time does not run while the connection is paused.',
  },
} as const satisfies Keys

export const heartbeatRules: readonly Rule[] = [
  { rule: 'requires', key: 'websocket.heartbeat.reply.match', needs: ['websocket.heartbeat.message'] },
  { rule: 'requires', key: 'websocket.heartbeat.request.match', needs: ['websocket.heartbeat.response'] },
  { rule: 'requires', key: 'websocket.heartbeat.response', needs: ['websocket.heartbeat.request.match'] },
]
