import { Secret } from '../values/secret.ts'
import type { KafkaConnection } from './kafka-settings.ts'

/** The connection as JSON with its secrets in the clear, because a Secret cannot be passed to a thread. */
export function packConnection(connection: KafkaConnection): string {
  return JSON.stringify(connection, function (this: Record<string, unknown>, key, value: unknown) {
    const original = this[key]
    return original instanceof Secret ? { secret: original.reveal() } : value
  })
}

export function unpackConnection(packed: string): KafkaConnection {
  return JSON.parse(packed, (_key, value: { secret?: string } | null) =>
    typeof value?.secret === 'string' ? new Secret(value.secret) : value,
  ) as KafkaConnection
}
