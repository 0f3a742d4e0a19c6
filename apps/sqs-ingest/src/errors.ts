import { ConfigError, DataError, defineErrors, NotConnectedError, RetriableError } from '@tributary/connect-api'

/** Errors of the Sqs source. */
export const sqsErrors = defineErrors({
  SQS_CONNECT: {
    type: NotConnectedError,
    doc: 'The server could not be reached; see the cause. The task connects again.',
  },
  SQS_ENDED: { type: NotConnectedError, doc: 'The connection ended. The task connects again.' },
  SQS_LINE_TOO_LONG: { type: ConfigError, doc: 'A line is longer than `sqs.max.line.bytes`: raise the limit.' },
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
    doc: 'A claim check cannot be redeemed: its address has no bucket or key, or its object is gone, forbidden, archived or larger than `message.claimcheck.max.bytes`.',
  },
  SQS_CLAIM_CHECK_TIMEOUT: {
    type: RetriableError,
    doc: 'S3 did not deliver an object in time. The message is tried again.',
  },
  SQS_CLAIM_CHECK_DENIED: {
    type: ConfigError,
    doc: 'S3 refused many objects in a row: the credentials lack s3:GetObject, or kms:Decrypt for encrypted objects.',
  },
  SQS_FIELD_MISSING: {
    type: DataError,
    doc: 'A message has no field `message.output.field.extract`, and `message.output.field.extract.failOnMissing=true`.',
  },
})
