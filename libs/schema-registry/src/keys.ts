import type { Keys, PrefixSpec, ValuesOf } from '@tributary/config'
import { DEFAULT_STRATEGY, SUBJECT_STRATEGIES } from './subjects.ts'

const CONNECTION = 'Schema registry'
const AUTH = 'Schema registry: login'
const TLS = 'Schema registry: TLS'
const SCHEMAS = 'Schemas'

const text = (group: string, displayName: string, doc: string) =>
  ({ type: 'string', default: null, importance: 'medium', group, displayName, doc }) as const
const secret = (group: string, displayName: string, doc: string) =>
  ({ type: 'password', default: null, importance: 'medium', group, displayName, doc }) as const
const flag = (value: boolean, displayName: string, doc: string) =>
  ({ type: 'boolean', default: value, importance: 'low', group: SCHEMAS, displayName, doc }) as const
const ms = (value: number, displayName: string, doc: string) =>
  ({
    type: 'int',
    default: value,
    validator: { kind: 'range', min: 1, max: 600_000 },
    importance: 'low',
    group: CONNECTION,
    displayName,
    doc,
  }) as const
const strategy = (displayName: string, doc: string) =>
  ({
    type: 'string',
    default: DEFAULT_STRATEGY,
    validator: { kind: 'oneOf', values: SUBJECT_STRATEGIES },
    importance: 'medium',
    group: SCHEMAS,
    displayName,
    doc,
  }) as const

const BASIC = {
  'basic.auth.credentials.source': {
    type: 'string',
    default: 'URL',
    validator: { kind: 'oneOf', values: ['URL', 'USER_INFO', 'SASL_INHERIT'] },
    importance: 'medium',
    group: AUTH,
    displayName: 'Source of user and password',
    doc: 'URL: user and password are in `schema.registry.url`. USER_INFO: in `basic.auth.user.info`. SASL_INHERIT is refused, since a connector does not see the login of the worker.',
  },
  'basic.auth.user.info': secret(AUTH, 'User and password', '`user:password`, for USER_INFO.'),
  'schema.registry.basic.auth.user.info': secret(
    AUTH,
    'User and password (old name)',
    'The same as `basic.auth.user.info`.',
  ),
} as const

const BEARER = {
  'bearer.auth.credentials.source': {
    type: 'string',
    default: null,
    validator: { kind: 'oneOf', values: ['STATIC_TOKEN', 'OAUTHBEARER'] },
    importance: 'medium',
    group: AUTH,
    displayName: 'Source of the token',
    doc: 'STATIC_TOKEN: `bearer.auth.token`. OAUTHBEARER: client credentials (RFC 6749, section 4.4) from `bearer.auth.issuer.endpoint.url`. Unset: no token.',
  },
  'bearer.auth.token': secret(AUTH, 'Token', 'The token, for STATIC_TOKEN.'),
  'bearer.auth.issuer.endpoint.url': text(AUTH, 'Token endpoint', 'URL of the token endpoint, for OAUTHBEARER.'),
  'bearer.auth.client.id': text(AUTH, 'Client id', 'The id of the client, for OAUTHBEARER.'),
  'bearer.auth.client.secret': secret(AUTH, 'Client secret', 'The secret of the client, for OAUTHBEARER.'),
  'bearer.auth.scope': text(AUTH, 'Scope', 'The scope to ask for, for OAUTHBEARER.'),
  'bearer.auth.logical.cluster': text(AUTH, 'Logical cluster', 'Sent as the header `target-sr-cluster`.'),
  'bearer.auth.identity.pool.id': text(AUTH, 'Identity pool', 'Sent as the header `Confluent-Identity-Pool-Id`.'),
} as const

const SSL = {
  'schema.registry.ssl.truststore.type': text(TLS, 'Type of the trust store', 'PEM. Stores of Java are refused.'),
  'schema.registry.ssl.truststore.location': text(
    TLS,
    'Trust store',
    'Path of a PEM file with the certificates to trust. The converter reads the file again for each connection. Unset: the certificates that come with Node.js.',
  ),
  'schema.registry.ssl.truststore.password': secret(TLS, 'Password of the trust store', 'Not needed for PEM.'),
  'schema.registry.ssl.truststore.certificates': text(TLS, 'Trusted certificates', 'The same as PEM text.'),
  'schema.registry.ssl.keystore.type': text(TLS, 'Type of the key store', 'PEM. Stores of Java are refused.'),
  'schema.registry.ssl.keystore.location': text(
    TLS,
    'Key store',
    "Path of a PEM file with the client's private key and certificate chain, for mutual TLS.",
  ),
  'schema.registry.ssl.keystore.password': secret(TLS, 'Password of the key store', 'Not needed for PEM.'),
  'schema.registry.ssl.keystore.certificate.chain': text(TLS, 'Client certificate', 'The chain as PEM text.'),
  'schema.registry.ssl.keystore.key': secret(TLS, 'Client key', 'The private key as PEM text.'),
  'schema.registry.ssl.key.password': secret(TLS, 'Password of the client key', 'If the key is encrypted.'),
  'schema.registry.ssl.endpoint.identification.algorithm': {
    type: 'string',
    default: 'https',
    importance: 'low',
    group: TLS,
    displayName: 'Check of the host name',
    doc: 'https: the certificate must be that of the host. Blank: it may be that of another.',
  },
} as const

/** The settings of a registry's client that every converter with a registry has. Written with the converter's prefix. */
export const CLIENT_KEYS = {
  'schema.registry.url': {
    type: 'list',
    validator: { kind: 'all', of: [{ kind: 'nonEmpty' }, { kind: 'url', schemes: ['http', 'https'] }] },
    importance: 'high',
    group: CONNECTION,
    displayName: 'Schema registry URLs',
    example: 'http://schema-registry:8081',
    doc: 'URLs of one registry with the REST API of Confluent, parted by commas. The next one is asked when one does not answer.',
  },
  'http.connect.timeout.ms': ms(10_000, 'Connect timeout', 'Longest wait for a connection, in ms.'),
  'http.read.timeout.ms': ms(30_000, 'Answer timeout', 'Longest wait for a whole answer of one URL, in ms.'),
  'proxy.host': text(
    CONNECTION,
    'Proxy host',
    'Host of an HTTP proxy, which opens a tunnel to the registry (CONNECT).',
  ),
  'proxy.port': {
    type: 'int',
    default: 8080,
    validator: { kind: 'range', min: 1, max: 65_535 },
    importance: 'low',
    group: CONNECTION,
    displayName: 'Proxy port',
    doc: 'Port of the proxy.',
  },
  ...BASIC,
  ...BEARER,
  ...SSL,
} as const satisfies Keys

/** The settings that every converter with a registry has: those of the client, and which schema is written. */
export const REGISTRY_KEYS = {
  ...CLIENT_KEYS,
  'auto.register.schemas': flag(
    true,
    'Register schemas',
    'Register the schema of a record that the subject does not have. While this is true, `use.latest.version` and `use.schema.id` have no effect, as in Confluent.',
  ),
  'use.latest.version': flag(
    false,
    'Use the latest version',
    "Write with the subject's latest schema, not with that of the record. Needs `auto.register.schemas=false`.",
  ),
  'latest.compatibility.strict': flag(
    true,
    'Check the latest version',
    'Refuse records whose schema the latest version cannot read.',
  ),
  'latest.cache.ttl.sec': {
    type: 'int',
    default: -1,
    importance: 'low',
    group: SCHEMAS,
    displayName: 'Lifetime of the latest version',
    doc: 'Seconds after which the latest version of a subject is asked for again. -1: never.',
  },
  'use.schema.id': {
    type: 'int',
    default: -1,
    importance: 'low',
    group: SCHEMAS,
    displayName: 'Use a schema id',
    doc: 'Write with the schema of this id. Needs `auto.register.schemas=false`. -1: not.',
  },
  'id.compatibility.strict': flag(true, 'Check the schema id', 'Refuse records whose schema that id cannot read.'),
  'normalize.schemas': flag(false, 'Normalise schemas', 'Let the registry compare schemas in their normal form.'),
  'key.subject.name.strategy': strategy('Subject of keys', 'How the subject of the schema of keys is named.'),
  'value.subject.name.strategy': strategy('Subject of values', 'How the subject of the schema of values is named.'),
  'max.schemas.per.subject': {
    type: 'int',
    default: 1000,
    validator: { kind: 'range', min: 1, max: 100_000 },
    importance: 'low',
    group: SCHEMAS,
    displayName: 'Schemas kept',
    doc: 'Schemas that each cache of the converter keeps; those of subjects keep 10,000 at least.',
  },
} as const satisfies Keys

export const REGISTRY_PREFIXES: Readonly<Record<string, PrefixSpec>> = {
  'request.header.': {
    importance: 'low',
    doc: 'A header for each request to the registry.',
    group: CONNECTION,
    sensitive: true,
  },
}

export type ClientSettings = ValuesOf<typeof CLIENT_KEYS> & {
  /** Headers of each request, from `request.header.*`. */
  readonly headers: Readonly<Record<string, string>>
}
