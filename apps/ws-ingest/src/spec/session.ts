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
