import { readFileSync } from 'node:fs'
import type { Keys, Rule, ValuesOf } from '../spec/spec.ts'
import { ConfigException } from '../values/config-exception.ts'
import type { SecretLike } from '../values/secret.ts'

/** How to reach a Kafka cluster. `kafkaConnection` makes it from the `kafka.*` settings. */
export interface KafkaConnection {
  /** host:port each; `parseHostPort` splits them. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls?: {
    /** PEM texts. Without `ca` the authorities of the system are trusted. */
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly passphrase?: SecretLike
    readonly rejectUnauthorized?: boolean
  }
  readonly sasl?: {
    readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
    readonly username: string
    readonly password: SecretLike
  }
}

const group = 'Kafka'

/** The settings of a service that talks to Kafka. Spread them into its `defineConfig`, together with `kafkaRules`. */
export const kafkaSettings = {
  'kafka.brokers': {
    type: 'list',
    validator: {
      kind: 'all',
      of: [
        { kind: 'nonEmpty' },
        { kind: 'pattern', regex: '^(\\[[0-9a-fA-F:.]+\\]|[^:\\s]+):\\d{1,5}$', message: 'Expected host:port' },
      ],
    },
    importance: 'high',
    group,
    env: 'KAFKA_BROKERS',
    example: 'localhost:9092',
    doc: 'Brokers from which the service learns the other brokers: host:port, separated by commas. An IPv6 address stands in brackets.',
  },
  'kafka.client.id': {
    type: 'string',
    default: 'tributary',
    validator: { kind: 'nonEmpty' },
    importance: 'low',
    group,
    doc: 'Client id in the logs and quotas of the brokers.',
  },
  'kafka.tls.enabled': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group,
    doc: 'Whether connections to the brokers use TLS.',
  },
  'kafka.tls.ca': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    doc: 'Path of a PEM file, or PEM text, with the CA certificates to trust. Unset: the certificates that the system trusts.',
  },
  'kafka.tls.cert': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    doc: "Path of a PEM file, or PEM text, with the client's certificate chain, for mutual TLS.",
  },
  'kafka.tls.key': {
    type: 'string',
    default: null,
    sensitive: true,
    importance: 'medium',
    group,
    doc: "Path of a PEM file, or PEM text, with the client's private key, for mutual TLS.",
  },
  'kafka.tls.key.password': {
    type: 'password',
    default: null,
    importance: 'medium',
    group,
    doc: 'Password of kafka.tls.key, if the key is encrypted.',
  },
  'kafka.tls.verify': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    doc: 'Whether to check the certificates and host names of the brokers. Switch the check off only in tests.',
  },
  'kafka.sasl.mechanism': {
    type: 'string',
    default: null,
    validator: { kind: 'oneOf', values: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] },
    importance: 'medium',
    group,
    doc: 'SASL mechanism of the login to the brokers. Unset: no login.',
  },
  'kafka.sasl.username': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    doc: 'User name of the login to the brokers.',
  },
  'kafka.sasl.password': {
    type: 'password',
    default: null,
    importance: 'medium',
    group,
    doc: 'Password of the login to the brokers.',
  },
} as const satisfies Keys

export const kafkaRules: readonly Rule[] = [
  { rule: 'requires', key: 'kafka.sasl.mechanism', needs: ['kafka.sasl.username', 'kafka.sasl.password'] },
  { rule: 'requires', key: 'kafka.tls.cert', needs: ['kafka.tls.key'] },
  { rule: 'requires', key: 'kafka.tls.key', needs: ['kafka.tls.cert'] },
]

/** The connection that parsed `kafkaSettings` describe. Throws ConfigException for a file that cannot be read. */
export function kafkaConnection(values: ValuesOf<typeof kafkaSettings>): KafkaConnection {
  const { 'kafka.sasl.mechanism': mechanism, 'kafka.sasl.username': username, 'kafka.sasl.password': password } = values
  return {
    brokers: values['kafka.brokers'],
    clientId: values['kafka.client.id'],
    ...(values['kafka.tls.enabled'] && { tls: tlsOf(values) }),
    ...(isMechanism(mechanism) &&
      username !== null &&
      password !== null && { sasl: { mechanism, username, password } }),
  }
}

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Splits the address of a broker, `host:port`. An IPv6 address stands in brackets. Without a port: Kafka's 9092. */
export function parseHostPort(address: string): HostPort {
  const at = address.lastIndexOf(':')
  const host = at < 0 ? address : address.slice(0, at)
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: at < 0 ? 9092 : Number(address.slice(at + 1)) }
}

type Mechanism = NonNullable<KafkaConnection['sasl']>['mechanism']

/** Narrows the type for the compiler. The spec's validator has already checked the text. */
function isMechanism(text: string | null): text is Mechanism {
  return text === 'PLAIN' || text === 'SCRAM-SHA-256' || text === 'SCRAM-SHA-512'
}

function tlsOf(values: ValuesOf<typeof kafkaSettings>): NonNullable<KafkaConnection['tls']> {
  const ca = pem('kafka.tls.ca', values['kafka.tls.ca'])
  const cert = pem('kafka.tls.cert', values['kafka.tls.cert'])
  const key = pem('kafka.tls.key', values['kafka.tls.key'])
  const passphrase: SecretLike | null = values['kafka.tls.key.password']
  return {
    ...(ca !== null && { ca }),
    ...(cert !== null && { cert }),
    ...(key !== null && { key }),
    ...(passphrase !== null && { passphrase }),
    rejectUnauthorized: values['kafka.tls.verify'],
  }
}

function pem(name: string, text: string | null): string | null {
  if (text === null || text === '') return null
  if (text.startsWith('-----BEGIN')) return text
  try {
    return readFileSync(text, 'utf8')
  } catch (cause) {
    const message = `Invalid value ${text} for configuration ${name}: cannot read the file`
    throw new ConfigException(message, [{ name, message }], { cause })
  }
}
