import type { KafkaConnection } from '@tributary/config'

/** The operations of Kafka's authorizer that our requests need, under the names of kafka-acls.sh (KIP-11). */
export type Operation =
  'Read' | 'Write' | 'Create' | 'Delete' | 'Describe' | 'DescribeConfigs' | 'AlterConfigs' | 'IdempotentWrite'

export type ResourceType = 'Topic' | 'Group' | 'TransactionalId' | 'Cluster'

/** What a request needs. A broker that refuses the request does not say what was missing. */
export interface Right {
  readonly operation: Operation
  readonly resource: ResourceType
  readonly name: string
}

/** Whether an error code of the protocol, by its name, says that a right is missing. */
export function isDenied(errorName: string): boolean {
  return errorName.endsWith('_AUTHORIZATION_FAILED')
}

/** A sentence without its stop: who lacks which right on what. */
export function missingRight(connection: KafkaConnection, { operation, resource, name }: Right): string {
  return `${principalOf(connection)} lacks the right ${operation} on ${resource} "${name}"; deploy/kafka/acls.sh gives each service what it needs`
}

/** What the broker takes a connection for, unless its principal mapping says otherwise. */
function principalOf({ sasl, tls }: KafkaConnection): string {
  if (sasl !== undefined) return `User:${sasl.username}`
  return tls?.cert === undefined ? 'User:ANONYMOUS' : 'the principal of the client certificate'
}
