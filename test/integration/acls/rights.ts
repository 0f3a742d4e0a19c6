import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { AclOperations, AclPermissionTypes, Admin, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka'
import { type KafkaBroker, kafkaTool, startKafka } from '@tributary/harness'

import { until } from '../../support/until.ts'

const run = promisify(execFile)
export const SCRIPT = new URL('../../../deploy/kafka/acls.sh', import.meta.url).pathname

/** The users of the services. */
export const USERS = { plane: 'the-plane', worker: 'the-worker' } as const
export const passwordOf = (user: string): string => `${user}-password`

/** One right: an operation of one user on the resources of one name. */
export interface AclRight {
  readonly principal: string
  readonly resource: 'topic' | 'group' | 'transactional-id'
  readonly pattern: 'literal' | 'prefixed'
  readonly name: string
  readonly operation: string
}

/** The arguments of the script that say who is who. Connectors write into topics whose names begin with `<cluster>-out`. */
export function scriptArguments(cluster: string): string[] {
  return [
    ...['--cluster', cluster, '--topics', `${cluster}-out`],
    ...['--control-plane', `User:${USERS.plane}`, '--ingest', `counters=User:${USERS.worker}`],
  ]
}

/** The rights that the script gives, one operation each. */
export async function rightsOf(cluster: string): Promise<AclRight[]> {
  const { stdout } = await run('sh', [SCRIPT, '--print', ...scriptArguments(cluster)])
  return stdout
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [principal = '', resource, pattern, name = '', operations = ''] = line.split(' ')
      const right = { principal, resource, pattern, name } as Omit<AclRight, 'operation'>
      return operations.split(',').map((operation) => ({ ...right, operation }))
    })
}

export const textOf = ({ principal, operation, resource, name }: AclRight): string =>
  `${principal} ${operation} ${resource} ${name}`

/** Runs the script with Kafka's own tool. */
export async function runScript(brokers: readonly string[], cluster: string, ...more: string[]): Promise<void> {
  const env = {
    ...process.env,
    KAFKA_ACLS: `${process.execPath} ${new URL('kafka-acls.ts', import.meta.url).pathname}`,
  }
  await run('sh', [SCRIPT, ...more, '--bootstrap-server', brokers.join(','), ...scriptArguments(cluster)], { env })
}

/** The rights of a cluster as Kafka's own tool lists them, sorted. */
export async function listedRights(brokers: readonly string[], cluster: string): Promise<string[]> {
  const text = await kafkaTool('kafka-acls', ['--bootstrap-server', brokers.join(','), '--list'])
  const words = (name: string): string =>
    name.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, c: string) => c.toUpperCase())
  return text
    .split('Current ACLs for resource')
    .flatMap((part) => {
      const [, type = '', name = ''] = /resourceType=(\w+), name=([^,]+),/.exec(part) ?? []
      const resource = type.toLowerCase().replace('_', '-')
      const acls = [...part.matchAll(/principal=([^,]+), host=\*, operation=(\w+), permissionType=ALLOW/g)]
      return acls.map(([, principal, operation]) => `${principal} ${words(operation!)} ${resource} ${name}`)
    })
    .filter((right) => right.includes(cluster))
    .sort()
}

/** A broker that allows nothing to users who log in, and everything to the clients of its plaintext listener. */
export async function startStrictKafka(): Promise<KafkaBroker & { grant(rights: readonly AclRight[]): Promise<void> }> {
  const users = Object.values(USERS).map((user) => `user_${user}="${passwordOf(user)}"`)
  const broker = await startKafka({
    secure: true,
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      'listener.name.sasl_plaintext.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${users.join(' ')};`,
    },
  })
  return Object.assign(broker, { grant: (rights: readonly AclRight[]) => grant(broker.brokers, rights) })
}

async function grant(brokers: readonly string[], rights: readonly AclRight[]): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] })
  try {
    const creations = rights.map(({ principal, resource, pattern, name, operation }) => ({
      resourceType: ResourceTypes[resource.toUpperCase().replace('-', '_') as 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID'],
      resourceName: name,
      resourcePatternType: pattern === 'literal' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
      principal,
      host: '*',
      operation:
        AclOperations[operation.replaceAll(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase() as keyof typeof AclOperations],
      permissionType: AclPermissionTypes.ALLOW,
    }))
    await admin.createAcls({ creations })
    // The broker learns of them a moment later, in their order.
    const filter = creations.at(-1)!
    await until('the rights are known', async () => (await admin.describeAcls({ filter })).length > 0)
  } finally {
    await admin.close()
  }
}
