import {
  ConfigError,
  DataError,
  defineErrors,
  FatalError,
  NotConnectedError,
  RetriableError,
} from '@tributary/connect-api'

/** Errors of the SQS source. */
export const sqsErrors = defineErrors({
  SQS_OUTAGE: {
    type: RetriableError,
    doc: 'AWS did not answer, was too busy, or failed. The same request is made again, with backoff.',
  },
  SQS_DENIED: {
    type: ConfigError,
    doc: 'The credentials are good but may not do this. Grant the action that the message names in the policy of the user or role, of the queue, or of its KMS key.',
  },
  SQS_CREDENTIALS: {
    type: ConfigError,
    doc: 'There are no credentials, or AWS does not take them: unknown, wrong secret, or expired without anything that renews them. Correct `aws.access.key.id`, `aws.credentials.profile` or the role of the host.',
  },
  SQS_REGION: { type: ConfigError, doc: 'The request went to another region than `aws.region`. Correct `aws.region`.' },
  SQS_ENDPOINT: {
    type: ConfigError,
    doc: 'What answers at the endpoint is not the service of AWS, or has a certificate that is not trusted. Correct `aws.endpoint.override`, `aws.s3.endpoint.override` or `aws.sts.endpoint.override`, or name the CA in NODE_EXTRA_CA_CERTS.',
  },
  SQS_QUEUE_GONE: {
    type: ConfigError,
    doc: 'There is no such queue in this region and account. Correct the name, or create the queue.',
  },
  SQS_QUEUE_SHARED: {
    type: ConfigError,
    doc: '`sqs.mode=mirror` or `sqs.filter.unmatched=keep` on a FIFO queue or a queue with a RedrivePolicy: messages that go back to such a queue block their group, or end in its dead-letter queue.',
  },
  SQS_REQUEST: {
    type: ConfigError,
    doc: 'AWS refuses the request and would refuse it again. The message says what it does not accept.',
  },
  SQS_OBJECT: {
    type: DataError,
    doc: 'The object in S3 that a message names does not exist, is archived, or may not be read.',
  },
  SQS_OFFSET: {
    type: ConfigError,
    doc: 'The request to alter offsets does not have the form that this connector writes.',
  },
  SQS_SCHEMA: {
    type: ConfigError,
    doc: 'The settings of a schema registry for a message converter do not fit, or the registry does not have the schema that they name. The message says which. Mend the settings or register the schema, then restart the connector.',
  },
  SQS_SCHEMA_REFUSED: {
    type: DataError,
    doc: "The registry refuses the schema of a message. The message contains the registry's words.",
  },
  SQS_SCHEMA_REGISTRY_AWAY: {
    type: RetriableError,
    doc: 'The schema registry does not answer. The messages wait, none becomes a dead letter, and the registry is asked again, with backoff.',
  },
  SQS_UNEXPECTED: { type: FatalError, doc: 'An error of the AWS SDK that nothing here expects; see the cause.' },
  SQS_FILTER_POLICY: {
    type: ConfigError,
    doc: 'The filter policy is no policy of Amazon SNS. The message says where in the policy, and why.',
  },
  SQS_CONVERTER: {
    type: ConfigError,
    doc: 'A message converter does not exist, or converters delegate to each other. The message says which there are.',
  },
  SQS_BODY: {
    type: DataError,
    doc: 'A body cannot be converted: it is no JSON although a field of it is named, or it has too many envelopes.',
  },
  SQS_DECOMPRESS: {
    type: DataError,
    doc: 'Data is not compressed in the format of the setting, is damaged, or becomes larger than `message.decompression.max.bytes`.',
  },
  SQS_CLAIM_CHECK: {
    type: DataError,
    doc: 'A claim check cannot be redeemed: its address has no bucket or key, or its object is larger than `message.claimcheck.max.bytes`.',
  },
  SQS_OBJECT_INCOMPLETE: {
    type: RetriableError,
    doc: 'S3 did not deliver an object completely, or not in time. The message is tried again.',
  },
  SQS_FIELD_MISSING: {
    type: DataError,
    doc: 'A message has no field `message.output.field.extract`, and `message.output.field.extract.failOnMissing=true`.',
  },
  SQS_UNREADABLE: {
    type: NotConnectedError,
    doc: 'None of the queues of a task can be read at present; see the cause. The task tries again. The messages stay in their queues.',
  },
  SQS_UNMATCHED: {
    type: DataError,
    doc: 'A message does not match `sqs.message.filter.policy`, and `sqs.filter.unmatched=dlq` makes it a dead letter.',
  },
})

/** What an error says, as a part of a sentence. */
export function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/[.]$/, '')
}
