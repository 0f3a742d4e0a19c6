import type { Keys, PrefixSpec, Rule } from '@tributary/config'

const SESSION = 'Session'
const SIGNATURE = 'Signature'

/** What is said before the feed streams, and signed. */
export const sessionKeys = {
  'websocket.auth.wait.match': {
    type: 'string',
    default: null,
    importance: 'low',
    group: SESSION,
    displayName: 'Greeting',
    doc: "Rule for a message of the server's that is waited for before anything is said, such as a greeting or a challenge. Its fields are {{received.<path>}} in websocket.auth.message.",
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
    doc: 'Template of the text frame that authenticates, sent before any subscription, on each reconnect again. Values: {{timestamp.ms}}, {{timestamp.s}}, {{timestamp.iso}}, {{timestamp.utc}} (to the second, without zone), {{uuid}}, {{session.id}}, {{signature}}, {{received.<path>}}.',
    example: '{"op":"login","apiKey":"${env:API_KEY}","timestamp":"{{timestamp.s}}","sign":"{{signature}}"}',
  },
  'websocket.auth.ack.match': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: SESSION,
    displayName: 'Authentication accepted',
    doc: "Rule for the server's reply that accepts; it is waited for. Unset: nothing is.",
    example: 'event == login && code == 0',
  },
  'websocket.auth.refuse.match': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: SESSION,
    displayName: 'Authentication refused',
    doc: "Rule for the server's reply that refuses: the task is FAILED with the server's words.",
    example: 'event == error',
  },
  'websocket.subscription.message': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: SESSION,
    displayName: 'Subscription message',
    width: 'long',
    doc: 'Text sent as one frame, as it is, as soon as a connection is open and authenticated, on each reconnect again. For several messages, for templates and for replies that are checked see websocket.subscription.<n>.message.',
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
    doc: 'Longest wait for each of the replies that the session waits for, in ms. After it the connection is made again.',
  },
  'websocket.session.messages.in.topic': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: SESSION,
    displayName: 'Session messages in the topic',
    doc: 'Whether messages that a rule of the session or of the heartbeats matches become records too. Otherwise they are left out.',
  },
  'websocket.signature.key': {
    type: 'password',
    default: null,
    importance: 'medium',
    group: SIGNATURE,
    displayName: 'Key',
    doc: 'Secret of the HMAC that {{signature}} stands for.',
  },
  'websocket.signature.key.encoding': {
    type: 'string',
    default: 'utf8',
    validator: { kind: 'oneOf', values: ['utf8', 'hex', 'base64'] },
    importance: 'low',
    group: SIGNATURE,
    displayName: 'Encoding of the key',
    doc: 'How the bytes of the secret are written: utf8 (the text is the secret), hex or base64.',
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
    doc: 'Template of the text that is signed, with the values of the message that the signature is for.',
    example: '{{timestamp.s}}GET/users/self/verify',
  },
  'websocket.signature.encoding': {
    type: 'string',
    default: 'hex',
    validator: { kind: 'oneOf', values: ['hex', 'base64', 'base64url'] },
    importance: 'low',
    group: SIGNATURE,
    displayName: 'Encoding',
    doc: 'How the signature is written.',
  },
} as const satisfies Keys

export const SUBSCRIPTION_PREFIX = 'websocket.subscription.'

export const sessionPrefixes: Readonly<Record<string, PrefixSpec>> = {
  [SUBSCRIPTION_PREFIX]: {
    importance: 'medium',
    group: SESSION,
    suffix: '[1-9][0-9]{0,5}\\.(?:message|ack\\.match|refuse\\.match)',
    doc: "Subscriptions by number: <n>.message is a template as websocket.auth.message, where {{received.<path>}} is the reply that accepted the authentication; <n>.ack.match is a rule for the server's reply that accepts it, which is waited for before the next one is sent; <n>.refuse.match is a rule for the reply that refuses it, upon which the task is FAILED with the server's words.",
  },
}

export const sessionRules: readonly Rule[] = [
  { rule: 'requires', key: 'websocket.auth.ack.match', needs: ['websocket.auth.message'] },
  { rule: 'requires', key: 'websocket.auth.refuse.match', needs: ['websocket.auth.message'] },
  { rule: 'requires', key: 'websocket.signature.key', needs: ['websocket.signature.template'] },
]

const HEARTBEAT = 'Heartbeat'

/** How it is known that the server is still there, and that we are. */
export const heartbeatKeys = {
  'websocket.ping.interval.ms': {
    type: 'long',
    default: 30_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: HEARTBEAT,
    displayName: 'Ping interval',
    stripComment: true,
    doc: "A ping of the protocol is sent this often, in ms; 0: none. The server's own pings are always answered.",
  },
  'websocket.pong.timeout.ms': {
    type: 'long',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: HEARTBEAT,
    displayName: 'Pong timeout',
    stripComment: true,
    doc: 'A connection that brings nothing at all for this long after a ping, in ms, is made again.',
  },
  'websocket.heartbeat.message': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: HEARTBEAT,
    displayName: 'Heartbeat message',
    doc: 'Template of a text frame that is sent each websocket.heartbeat.interval.ms, for servers that want a message of their own as a sign of life.',
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
    doc: 'Time between two heartbeat messages, in ms.',
  },
  'websocket.heartbeat.reply.match': {
    type: 'string',
    default: null,
    importance: 'low',
    group: HEARTBEAT,
    displayName: 'Heartbeat reply',
    doc: "Rule for the server's reply to a heartbeat message. Unset: none is expected.",
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
    doc: 'Longest wait for the reply to a heartbeat message, in ms. After it the connection is made again.',
  },
  'websocket.heartbeat.request.match': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: HEARTBEAT,
    displayName: 'Heartbeat of the server',
    doc: "Rule for the server's heartbeat messages, each of which is answered with websocket.heartbeat.response.",
    example: 'ping',
  },
  'websocket.heartbeat.response': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: HEARTBEAT,
    displayName: 'Heartbeat response',
    doc: "Template of the answer to a heartbeat of the server's; {{received.<path>}} are the heartbeat's fields.",
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
    doc: 'A connection that brings no message for this long, in ms, is made again, as an open feed may have gone mute; 0: never. Pings do not count, nor do messages that a rule of the session or of the heartbeats matches. While we make the server wait nothing counts.',
  },
} as const satisfies Keys

export const heartbeatRules: readonly Rule[] = [
  { rule: 'requires', key: 'websocket.heartbeat.reply.match', needs: ['websocket.heartbeat.message'] },
  { rule: 'requires', key: 'websocket.heartbeat.request.match', needs: ['websocket.heartbeat.response'] },
  { rule: 'requires', key: 'websocket.heartbeat.response', needs: ['websocket.heartbeat.request.match'] },
]
