import type { Certificates } from './certificates.ts'

/** User and password of all SASL mechanisms of a secure broker. */
export const saslUser = { username: 'tributary', password: 'tributary-secret' } as const

export interface KafkaPorts {
  readonly plaintext: number
  readonly controller: number
  /** Only for a secure broker. */
  readonly sasl?: number
  readonly saslTls?: number
  readonly tls?: number
  /** Only for a broker behind a proxy. */
  readonly direct?: number
}

export interface ServerProperties {
  readonly ports: KafkaPorts
  readonly bindAddress: string
  readonly logDir: string
  readonly certificates?: Certificates
  /** The address that the plaintext listener advertises, if that is not its own. */
  readonly proxy?: string | undefined
  /** Added last, so these properties override the others. */
  readonly extra: Readonly<Record<string, string>>
}

/** server.properties of a single broker that is its own controller (KRaft). */
export function serverProperties(options: ServerProperties): string {
  const { ports, bindAddress } = options
  const plaintext = `PLAINTEXT://127.0.0.1:${ports.plaintext}`
  const advertised = [plaintext]
  if (ports.sasl !== undefined) advertised.push(`SASL_PLAINTEXT://127.0.0.1:${ports.sasl}`)
  if (ports.saslTls !== undefined) advertised.push(`SASL_SSL://127.0.0.1:${ports.saslTls}`)
  if (ports.tls !== undefined) advertised.push(`SSL://127.0.0.1:${ports.tls}`)
  if (ports.direct !== undefined) advertised.push(`DIRECT://127.0.0.1:${ports.direct}`)
  const listeners = advertised.map((listener) => listener.replace('127.0.0.1', bindAddress))
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${ports.controller}`].join(','),
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL',
    'advertised.listeners': advertised
      .map((address) =>
        address === plaintext && options.proxy !== undefined ? `PLAINTEXT://${options.proxy}` : address,
      )
      .join(','),
    'log.dirs': options.logDir,
    // With one broker no topic can have more than one replica. Fifty partitions of each internal topic would only slow
    // the start.
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '5',
    // The default of 3 s delays the first start of every consumer group.
    'group.initial.rebalance.delay.ms': '0',
    // After a kill -9 the controller refuses the broker's next start until the session of its predecessor has ended (9
    // s by default).
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    ...(options.certificates === undefined ? {} : securityProperties(options.certificates)),
    ...options.extra,
  }
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

function securityProperties(certificates: Certificates): Record<string, string> {
  const login = 'org.apache.kafka.common.security'
  const plain = `${login}.plain.PlainLoginModule required user_${saslUser.username}="${saslUser.password}";`
  const scram = `${login}.scram.ScramLoginModule required;`
  const properties: Record<string, string> = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': certificates.serverStore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': certificates.ca,
    'listener.name.ssl.ssl.client.auth': 'required',
  }
  for (const listener of ['sasl_plaintext', 'sasl_ssl']) {
    properties[`listener.name.${listener}.plain.sasl.jaas.config`] = plain
    properties[`listener.name.${listener}.scram-sha-256.sasl.jaas.config`] = scram
    properties[`listener.name.${listener}.scram-sha-512.sasl.jaas.config`] = scram
  }
  return properties
}
