import { ConfigError, defineErrors, NotConnectedError } from '@tributary/connect-api'

/** Errors of the Sqs source. */
export const sqsErrors = defineErrors({
  SQS_CONNECT: {
    type: NotConnectedError,
    doc: 'The server could not be reached; see the cause. The task connects again.',
  },
  SQS_ENDED: { type: NotConnectedError, doc: 'The connection ended. The task connects again.' },
  SQS_LINE_TOO_LONG: { type: ConfigError, doc: 'A line is longer than `sqs.max.line.bytes`: raise the limit.' },
})
