import type { Keys, PrefixSpec, Rule } from '@tributary/config'

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
    validator: { kind: 'url', schemes: ['ws', 'wss'], label: 'WebSocket URL' },
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
    doc: 'Headers of the handshake as name:value,name:value. A value with commas stands in double quotes. Templates are filled in. The headers of the handshake itself (Upgrade, Connection, Sec-WebSocket-Key, …) are not taken from here.',
    example: 'User-Agent:Tributary/1.0,X-Feed:"a,b"',
  },
  'websocket.subprotocols': {
    type: 'list',
    default: [],
    validator: {
      kind: 'pattern',
      regex: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
      message: 'a subprotocol is a word of letters, digits and hyphens',
      accepts: 'words of letters, digits and hyphens',
    },
    importance: 'low',
    group,
    displayName: 'Subprotocols',
    doc: 'Subprotocols that are offered, the preferred one first. A server may choose none of them.',
    example: 'graphql-transport-ws',
  },
  'websocket.auth.token': {
    type: 'password',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Bearer token',
    doc: 'Sent as the header Authorization: Bearer <token>; it wins over an Authorization in websocket.headers.',
  },
  'websocket.auth.basic.user': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'User',
    dependents: ['websocket.auth.basic.password'],
    doc: 'Sent with the password as the header Authorization: Basic …; it wins over a user in the URL and an Authorization in websocket.headers.',
  },
  'websocket.auth.basic.password': {
    type: 'password',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Password',
    doc: 'Password of websocket.auth.basic.user.',
  },
  'websocket.connection.timeout.ms': {
    type: 'long',
    default: 30_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group,
    displayName: 'Connection timeout',
    stripComment: true,
    doc: 'ms for name lookup, TCP, proxy, TLS, handshake and redirects together; 0: no limit.',
  },
  'websocket.compression.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    displayName: 'Compression',
    doc: 'Whether permessage-deflate (RFC 7692) is offered; the server decides. Inflating costs some 6 µs of CPU a message.',
  },
  'websocket.max.message.bytes': {
    type: 'int',
    default: 16_777_216,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Largest message',
    stripComment: true,
    doc: 'Bytes of a message, inflated and put together, that are accepted. A larger one closes the connection with code 1009 and the task is FAILED, as reading on would lose it.',
  },
  'websocket.utf8.validation': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    displayName: 'UTF-8 validation',
    doc: 'Whether a text message that is not UTF-8 ends the connection with code 1007, as RFC 6455 demands; it is made again. False: that message is a bad record, which errors.tolerance decides on, with its bytes as they came.',
  },
  'websocket.handshake.follow.redirects': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    displayName: 'Follow redirects',
    doc: 'Whether a 3xx answer to the handshake is followed, up to 5 times, never from wss to ws. The headers and credentials of this configuration go to the same host only.',
  },
  'websocket.proxy.url': {
    type: 'string',
    default: null,
    validator: { kind: 'url', schemes: ['http', 'https'], label: 'Proxy URL' },
    importance: 'low',
    group,
    displayName: 'Proxy',
    width: 'long',
    sensitive: true,
    doc: 'HTTP proxy that is asked to CONNECT to the feed, http:// or https://, with user and password if it wants them.',
    example: 'http://proxy.example.com:3128',
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

export const HEADER_PREFIX = 'websocket.header.'
export const QUERY_PREFIX = 'websocket.query.'

/** Each name is a key of its own, so that its value can be kept in a secret store. */
export const connectionPrefixes = {
  [HEADER_PREFIX]: {
    importance: 'low',
    group,
    sensitive: true,
    suffix: "[!#$%&'*+.^_`|~0-9A-Za-z-]+",
    doc: 'A header of the handshake, websocket.header.<name>; it wins over the same name in websocket.headers. Templates are filled in.',
  },
  [QUERY_PREFIX]: {
    importance: 'low',
    group,
    sensitive: true,
    doc: 'A parameter that is added to the query of the URL, websocket.query.<name>, as a token is often sent. Templates are filled in; the value is percent-encoded.',
  },
} as const satisfies Readonly<Record<string, PrefixSpec>>

export const connectionRules = [
  {
    rule: 'atMostOneOf',
    keys: ['websocket.auth.token', 'websocket.auth.basic.user'],
  },
  { rule: 'requires', key: 'websocket.auth.basic.password', needs: ['websocket.auth.basic.user'] },
] as const satisfies readonly Rule[]
