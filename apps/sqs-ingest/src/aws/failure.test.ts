import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { type ErrorKind, traceOf } from '@tributary/connect-api'
import { sqsErrors } from '../errors.ts'
import { type AwsAction, awsFailure } from './failure.ts'

const RECEIVE: AwsAction = { what: 'receive messages from SQS', of: 'queue orders', permission: 'sqs:ReceiveMessage' }
const READ: AwsAction = { what: 'read from S3', of: 's3://b/k', service: 's3' }

/** An error as the SDK throws it for an answer of a service. */
function answer(name: string, status: number, message = 'because'): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } })
}

function network(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code })
}

type Case = readonly [what: string, error: unknown, code: keyof typeof sqsErrors, kind: ErrorKind, text: RegExp]

const SQS: readonly Case[] = [
  ['throttled', answer('RequestThrottled', 403), 'SQS_OUTAGE', 'retriable', /^Failed to receive messages from SQS queue orders: RequestThrottled: because$/], // prettier-ignore
  ['throttled, in the words of JSON', answer('ThrottlingException', 400), 'SQS_OUTAGE', 'retriable', /Throttling/],
  ['too many in flight', answer('OverLimit', 403), 'SQS_OUTAGE', 'retriable', /OverLimit/],
  ['throttled by KMS', answer('KmsThrottled', 400), 'SQS_OUTAGE', 'retriable', /KmsThrottled/],
  ['an error of SQS', answer('InternalError', 500), 'SQS_OUTAGE', 'retriable', /InternalError/],
  [
    'a gateway between',
    answer('UnknownError', 503),
    'SQS_OUTAGE',
    'retriable',
    /: the server answered with HTTP status 503, and not as AWS does$/,
  ],
  ['refused connections', network('ECONNREFUSED'), 'SQS_OUTAGE', 'retriable', /ECONNREFUSED/],
  ['no such host', network('ENOTFOUND'), 'SQS_OUTAGE', 'retriable', /ENOTFOUND/],
  ['several addresses', new AggregateError([network('ECONNREFUSED')]), 'SQS_OUTAGE', 'retriable', /ECONNREFUSED/],
  ['a broken answer', network('HPE_INVALID_CONSTANT'), 'SQS_OUTAGE', 'retriable', /HPE/],
  ['a time-out', Object.assign(new Error('no answer in 3 s'), { name: 'TimeoutError' }), 'SQS_OUTAGE', 'retriable', /Connection timeout: no answer/], // prettier-ignore
  ['a body that was damaged', new Error('Invalid MD5 checksum on messages: 1'), 'SQS_OUTAGE', 'retriable', /MD5/],
  ['a queue that was deleted', answer('QueueDoesNotExist', 400), 'SQS_QUEUE_GONE', 'config', /QueueDoesNotExist: because; correct the queue, aws\.region/], // prettier-ignore
  ['the same in the query protocol', answer('AWS.SimpleQueueService.NonExistentQueue', 400), 'SQS_QUEUE_GONE', 'config', /./], // prettier-ignore
  ['a queue URL that SQS does not know', answer('InvalidAddress', 404), 'SQS_QUEUE_GONE', 'config', /./],
  ['no permission', answer('AccessDeniedException', 403), 'SQS_DENIED', 'config', /grant sqs:ReceiveMessage/],
  ['no permission for the key', answer('KmsAccessDenied', 400), 'SQS_DENIED', 'config', /grant sqs:Receive/],
  ['a disabled key', answer('KmsDisabled', 400), 'SQS_DENIED', 'config', /kms:Decrypt/],
  ['an unknown access key', answer('InvalidClientTokenId', 403), 'SQS_CREDENTIALS', 'config', /aws\.access\.key\.id/],
  ['the same in JSON', answer('com.amazon.coral.service#UnrecognizedClientException', 403), 'SQS_CREDENTIALS', 'config', /UnrecognizedClient/], // prettier-ignore
  ['a wrong secret', answer('SignatureDoesNotMatch', 403), 'SQS_CREDENTIALS', 'config', /aws\.secret\.access\.key/],
  [
    'an expired token',
    answer('ExpiredToken', 403),
    'SQS_CREDENTIALS',
    'config',
    /ExpiredTokenException: .*aws\.session\.token/,
  ],
  ['no credentials', answer('CredentialsProviderError', 0, 'Could not load credentials from any providers'), 'SQS_CREDENTIALS', 'config', /Unable to load credentials: Could not/], // prettier-ignore
  ['another region', answer('SignatureDoesNotMatch', 403, 'Credential should be scoped to a valid region.'), 'SQS_REGION', 'config', /correct aws\.region/], // prettier-ignore
  [
    'a certificate of an unknown CA',
    network('SELF_SIGNED_CERT_IN_CHAIN'),
    'SQS_ENDPOINT',
    'config',
    /NODE_EXTRA_CA_CERTS/,
  ],
  ['a page of a web server', answer('Unknown', 404), 'SQS_ENDPOINT', 'config', /correct aws\.endpoint\.override/],
  ['a bad request', answer('InvalidAttributeName', 400), 'SQS_REQUEST', 'config', /InvalidAttributeName/],
  ['anything else', new TypeError('x is not a function'), 'SQS_UNEXPECTED', 'fatal', /x is not a function/],
]

const S3: readonly Case[] = [
  ['no such object', answer('NoSuchKey', 404), 'SQS_OBJECT', 'data', /^Failed to read from S3 s3:\/\/b\/k: NoSuchKey/],
  ['no such bucket', answer('NoSuchBucket', 404), 'SQS_OBJECT', 'data', /NoSuchBucket/],
  ['an archived object', answer('InvalidObjectState', 403), 'SQS_OBJECT', 'data', /InvalidObjectState/],
  ['a forbidden object', answer('AccessDenied', 403), 'SQS_OBJECT', 'data', /grant s3:GetObject/],
  ['an unknown access key', answer('InvalidAccessKeyId', 403), 'SQS_CREDENTIALS', 'config', /InvalidAccessKeyId/],
  ['another region', answer('PermanentRedirect', 301), 'SQS_REGION', 'config', /aws\.region/],
  ['slow down', answer('SlowDown', 503), 'SQS_OUTAGE', 'retriable', /SlowDown/],
]

describe('errors of AWS', () => {
  // The SDK's parsers of JSON and of XML throw these, with words of the answer.
  for (const parser of [SyntaxError, Error]) {
    test(`an answer of another server (${parser.name}) concerns the endpoint, and no word of it is told`, () => {
      const error = Object.assign(new parser('unexpected "because"'), { $metadata: { httpStatusCode: 200 } })
      for (const service of ['sqs', 's3', 'sts'] as const) {
        const failure = awsFailure(error, { what: 'ask', service })
        assert.deepEqual([failure.code, failure.kind], ['SQS_ENDPOINT', 'config'])
        assert.doesNotMatch(inspect(failure), /because/)
      }
    })
  }

  for (const [action, cases] of [
    [RECEIVE, SQS],
    [READ, S3],
  ] as const) {
    // prettier-ignore
    for (const [what, error, code, kind, text] of cases) {
      test(`${what} (${action.service ?? 'sqs'}) is ${kind}`, () => {
        const failure = awsFailure(error, action)
        assert.deepEqual([failure.code, failure.kind], [code, kind])
        assert.match(failure.message, text)
        if (/not as AWS does/.test(failure.message)) assert.doesNotMatch(inspect(failure), /because/)
        else assert.equal(failure.cause, error)
      })
    }
  }

  test('a server of credentials that does not answer is an outage, not a missing login', () => {
    const error = Object.assign(answer('CredentialsProviderError', 0), { cause: network('ECONNREFUSED') })
    assert.equal(awsFailure(error, RECEIVE).kind, 'retriable')
  })

  test('a role that may not be assumed concerns its key', () => {
    const action: AwsAction = { what: 'assume the role', of: 'arn:r', permission: 'sts:AssumeRole', service: 'sts' }
    const failure = awsFailure(answer('AccessDenied', 403), action)
    assert.deepEqual([failure.code, failure.field], ['SQS_DENIED', 'aws.assume.role.arn'])
    assert.match(failure.message, /grant sts:AssumeRole to the user or role, and let the policy of the role trust it/)
  })

  test('no text and no trace has the session token, which AWS shows with the request that it cannot verify', () => {
    const canonical = "The Canonical String should have been\n'POST\n/\n\nx-amz-security-token:IQoJsecret==\n\nhost'"
    const failure = awsFailure(answer('SignatureDoesNotMatch', 403, canonical), RECEIVE)
    assert.equal(failure.code, 'SQS_CREDENTIALS')
    assert.match(failure.message, /x-amz-security-token:\[hidden\]/)
    for (const text of [failure.message, traceOf(failure), inspect(failure)]) assert.doesNotMatch(text, /IQoJ/)
  })

  test('an error that has its kind keeps it', () => {
    const error = sqsErrors.SQS_DENIED('no')
    assert.equal(awsFailure(error, RECEIVE), error)
  })
})
