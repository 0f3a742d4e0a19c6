import type { KafkaConnection } from '@tributary/config'

type Sasl = NonNullable<KafkaConnection['sasl']>

/** What one producer has instead of the connection's own; each absent member leaves that as it is. */
export interface ProducerSecurity {
  /** Kafka's `security.protocol`. */
  readonly protocol?: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  readonly mechanism?: Sasl['mechanism']
  readonly login?: Pick<Sasl, 'username' | 'password'>
}

/**
 * The connection with a producer's own protocol and login, as Java's producer lays its properties over the worker's: without
 * `protocol` the connection's own decides whether TLS and SASL are used at all. null: SASL is asked for and nothing gives the login.
 */
export function secured(connection: KafkaConnection, own: ProducerSecurity): KafkaConnection | null {
  const { tls, sasl, ...plain } = connection
  const withTls = own.protocol === undefined ? tls !== undefined : own.protocol.endsWith('SSL')
  const withSasl = own.protocol === undefined ? sasl !== undefined : own.protocol.startsWith('SASL_')
  const secure = { ...plain, ...(withTls && { tls: tls ?? {} }) }
  if (!withSasl) return secure
  const login = own.login ?? sasl
  const mechanism = own.mechanism ?? sasl?.mechanism
  if (login === undefined || mechanism === undefined) return null
  return { ...secure, sasl: { mechanism, username: login.username, password: login.password } }
}

/** Equal for producers that may share connections. The key stays in memory, and is shown nowhere. */
export function securityKey({ protocol, mechanism, login }: ProducerSecurity = {}): string {
  return JSON.stringify([protocol, mechanism, login?.username, login?.password.reveal()])
}
