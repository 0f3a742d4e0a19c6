import type { SecretLike } from './spec.ts'

/** How to reach a cluster; made from `KAFKA_BROKERS` and the `kafka.*` settings by `kafkaSettings`. */
export interface KafkaConnection {
  /** host:port */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls?: {
    /** PEM texts. Absent `ca`: the system's. */
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
