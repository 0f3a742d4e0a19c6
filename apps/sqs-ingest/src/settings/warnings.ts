import type { Props } from '@tributary/connect-api'
import { sqsSpec } from './spec.ts'
import { isJvmClass, isSet, type SqsSettings } from './read.ts'

/** Keys of documents that no code reads, and what stands in their place. */
const UNREAD: Readonly<Record<string, string>> = {
  'kafka.bootstrap.servers': "records go to the worker's Kafka; set kafka.brokers of the worker",
  'sasl.client.callback.handler.class': 'a login has user and password, in sasl.jaas.config',
  'connector.client.config.override.policy': 'it is a setting of a worker, and producer.override.* is always allowed',
  'message.claimcheck.retrieve.if.uri':
    'a claim check is redeemed where the field holds s3://bucket/key, and any other text stays',
  'schema.subject.name': 'schema.subject.name.strategy names the subject',
  'key.schema.id': 'keys are text',
  'message.max.bytes': 'it is a setting of a broker',
  'replica.fetch.max.bytes': 'it is a setting of a broker',
}

/** What a user should know of the configuration, one sentence each: keys of documents, and defaults that are the JVM connector's. */
export function warningsOf(config: SqsSettings, props: Props): string[] {
  const given = Object.keys(props).filter((key) => isSet(props, key))
  const warnings = given.flatMap((key) => {
    const deprecated = Object.hasOwn(sqsSpec.data.keys, key) ? sqsSpec.data.keys[key]!.deprecated : undefined
    if (deprecated !== undefined) return [`${key} is understood as documents mean it; ${deprecated}`]
    return Object.hasOwn(UNREAD, key) ? [`${key} has no effect: ${UNREAD[key]}.`] : []
  })
  for (const key of given.filter((name) => name.startsWith('ssl.'))) {
    warnings.push(`${key} has no effect: set kafka.tls.* of the worker.`)
  }
  if (isSet(props, 'aws.credentials.provider') && props['aws.credentials.provider']!.trim() !== 'default') {
    warnings.push(
      'aws.credentials.provider has no effect: the keys aws.* and the default chain of AWS give the credentials.',
    )
  }
  if (config['aws.credentials.file.path'] !== null && config['aws.credentials.profile'] === null) {
    warnings.push('aws.credentials.file.path has no effect without aws.credentials.profile.')
  }
  if (config['aws.sts.role.external.id'] !== null && config['aws.assume.role.arn'] === null) {
    warnings.push('aws.sts.role.external.id has no effect without aws.assume.role.arn.')
  }
  if (config['sqs.message.filter.policy'] !== null && isJvmClass(props) && !isSet(props, 'sqs.filter.unmatched')) {
    const does =
      config['sqs.filter.unmatched'] === 'delete' ? 'are deleted, as the JVM connector does' : 'stay in the queue'
    warnings.push(
      `Messages that do not match the filter policy ${does}; set sqs.filter.unmatched to keep, delete or dlq.`,
    )
  }
  if (config['sqs.wait.time.seconds'] === 0) {
    warnings.push('sqs.wait.time.seconds=0 costs a request each poll.interval.ms for an idle queue, and may miss messages; 20 costs 4,320 a day.') // prettier-ignore
  }
  return warnings
}
