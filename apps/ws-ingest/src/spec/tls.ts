import type { Keys, Rule } from '@tributary/config'

const group = 'TLS'

/** What wss:// trusts, and shows of itself. */
export const tlsKeys = {
  'websocket.tls.ca.cert': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'CA certificates',
    doc: 'PEM file, or PEM text, with the certificates to trust. Unset: those that come with Node.js. Files are read again on each connect.',
  },
  'websocket.tls.client.cert': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    displayName: 'Client certificate',
    doc: "PEM file, or PEM text, with the client's certificate chain, for mutual TLS.",
  },
  'websocket.tls.client.key': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    displayName: 'Client key',
    sensitive: true,
    doc: "PEM file, or PEM text, with the private key of the client's certificate; PKCS#8, PKCS#1 or SEC1, also encrypted.",
  },
  'websocket.tls.client.key.password': {
    type: 'password',
    default: null,
    importance: 'low',
    group,
    displayName: 'Password of the client key',
    doc: 'Password of an encrypted client key.',
  },
  'websocket.tls.server.name': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    displayName: 'Server name',
    doc: "Name that the server is asked for (SNI) and that its certificate must bear. Unset: the URL's host.",
  },
} as const satisfies Keys

export const tlsRules = [
  { rule: 'requires', key: 'websocket.tls.client.cert', needs: ['websocket.tls.client.key'] },
  { rule: 'requires', key: 'websocket.tls.client.key', needs: ['websocket.tls.client.cert'] },
] as const satisfies readonly Rule[]
