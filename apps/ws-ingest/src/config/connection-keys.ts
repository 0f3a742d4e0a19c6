import type { Keys, PrefixSpec, Rule } from '@tributary/config'

const group = 'Connection'

/** Keys for the opening handshake and the connection below it. */
export const connectionKeys = {
  'websocket.url': {
    type: 'string',
    validator: { kind: 'url', schemes: ['ws', 'wss'], label: 'WebSocket URL', rejectNull: true },
    importance: 'high',
    group,
    displayName: 'URL',
    width: 'long',
    doc: 'Address of the feed, ws:// or wss://. The host name is looked up again on each reconnect. It may be a template, whose values are percent-encoded.',
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
    doc: 'Further feeds of the same kind, separated by commas. Each feed is a task of its own. Write a comma in a URL as %2C.',
  },
  'websocket.headers': {
    type: 'string',
    default: null,
    validator: { kind: 'keyValueList' },
    importance: 'low',
    group,
    displayName: 'Headers',
    sensitive: true,
    doc: 'Headers of the opening handshake as name:value,name:value. Put a value with commas in double quotes. Values may be templates. Headers that the handshake sets itself (Upgrade, Connection, Sec-WebSocket-Key, …) are ignored.',
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
    doc: 'Subprotocols to offer to the server, in order of preference. The server may choose none of them.',
    example: 'graphql-transport-ws',
  },
  'websocket.auth.token': {
    type: 'password',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Bearer token',
    doc: 'Sent as the header Authorization: Bearer <token>. It takes precedence over an Authorization in websocket.headers.',
  },
  'websocket.auth.basic.user': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'User',
    dependents: ['websocket.auth.basic.password'],
    doc: 'Sent with the password as the header Authorization: Basic …. It takes precedence over a user in the URL and over an Authorization in websocket.headers.',
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
    doc: 'Longest time, in ms, for name lookup, TCP, proxy, TLS, handshake and redirects together; 0: no limit.',
  },
  'websocket.compression.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    displayName: 'Compression',
    doc: 'Whether to offer permessage-deflate (RFC 7692); the server decides. Decompression costs about 6 µs of CPU per message.',
  },
  'websocket.max.message.bytes': {
    type: 'int',
    default: 16_777_216,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Largest message',
    stripComment: true,
    doc: 'Largest message to accept, in bytes, after decompression and reassembly of its fragments. A larger message closes the connection with code 1009 and the task is FAILED, because reading on would lose the message.',
  },
  'websocket.utf8.validation': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    displayName: 'UTF-8 validation',
    doc: 'Whether a text message that is not UTF-8 ends the connection with code 1007, as RFC 6455 demands; the task then reconnects. False: the message becomes a bad record with its original bytes, and errors.tolerance decides what happens to the record.',
  },
  'websocket.handshake.follow.redirects': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    displayName: 'Follow redirects',
    doc: 'Whether to follow a 3xx answer to the handshake, at most 5 times and never from wss to ws. The headers and credentials of this configuration are sent only to the same host.',
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
    doc: 'HTTP proxy that connects to the feed by CONNECT: http:// or https://, with user and password if the proxy requires them.',
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
    doc: 'Age, in ms, at which a connection is replaced, so that the server does not end it. The new connection is initialized before the old one is closed. 0: never.',
  },
} as const satisfies Keys

/** Beside the TLS keys that all sources share. */
export const serverNameKey = {
  'websocket.tls.server.name': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'TLS',
    displayName: 'Server name',
    doc: "Server name for SNI, which the server's certificate must contain. Unset: the URL's host.",
  },
} as const satisfies Keys

const CODES = {
  kind: 'pattern',
  regex: '^[1-5][0-9]{2}$|^[1-4][0-9]{3}$',
  message: 'a code is an HTTP status (100 to 599) or a close code (1000 to 4999)',
  accepts: 'HTTP statuses (100 to 599) and close codes (1000 to 4999)',
} as const

/** Beside the reconnect keys that all sources share. */
export const codeKeys = {
  'websocket.reconnect.denied.codes': {
    type: 'list',
    default: ['401', '403', '407', '1008', '3000', '3003', '4401', '4403'],
    validator: CODES,
    importance: 'low',
    group: 'Reconnect',
    displayName: 'Codes of denials',
    doc: 'HTTP statuses of the handshake and close codes that deny access if nothing else came before. After the third denial in a row the task is FAILED. All other codes, and these codes later in a connection, are outages.',
  },
  'websocket.reconnect.stop.codes': {
    type: 'list',
    default: [],
    validator: CODES,
    importance: 'low',
    group: 'Reconnect',
    displayName: 'Codes that stop',
    doc: 'HTTP statuses of the handshake and close codes after which a new try cannot help. The task is FAILED at once, whatever came before.',
    example: '4004,4014',
  },
} as const satisfies Keys

export const HEADER_PREFIX = 'websocket.header.'
export const QUERY_PREFIX = 'websocket.query.'

/** Each header and parameter has a key of its own, so that a secret store can hold its value. */
export const connectionPrefixes = {
  [HEADER_PREFIX]: {
    importance: 'low',
    group,
    sensitive: true,
    suffix: "[!#$%&'*+.^_`|~0-9A-Za-z-]+",
    doc: 'A header of the opening handshake, websocket.header.<name>. It takes precedence over the same name in websocket.headers. The value may be a template.',
  },
  [QUERY_PREFIX]: {
    importance: 'low',
    group,
    sensitive: true,
    doc: 'A parameter to add to the query of the URL, websocket.query.<name>; many servers expect a token there. The value may be a template and is percent-encoded.',
  },
} as const satisfies Readonly<Record<string, PrefixSpec>>

export const connectionRules = [
  {
    rule: 'atMostOneOf',
    keys: ['websocket.auth.token', 'websocket.auth.basic.user'],
  },
  { rule: 'requires', key: 'websocket.auth.basic.password', needs: ['websocket.auth.basic.user'] },
] as const satisfies readonly Rule[]
