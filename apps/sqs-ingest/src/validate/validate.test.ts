import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { systemClock } from '@tributary/async'
import {
  type ConnectError,
  type FieldError,
  LENIENT_CONNECTOR_KEYS,
  type Props,
  SOURCE_CONNECTOR_KEYS,
} from '@tributary/connect-api'
import { validateConfig } from '@tributary/config'
import type { AwsClients } from '../aws/clients.ts'
import { awsFailure } from '../aws/failure.ts'
import { sqsErrors } from '../errors.ts'
import { JVM_CLASS, readSettings } from '../settings/read.ts'
import { sqsSpec } from '../settings/spec.ts'
import { connectionErrors } from './connection-errors.ts'
import { settingsErrors } from './settings-errors.ts'

const URL_EU = 'https://sqs.eu-west-1.amazonaws.com/123456789012/orders'
const BASE = { name: 'n', 'connector.class': 'io.tributary.connect.sqs.SqsSourceConnector', 'sqs.queue.url': 'orders', 'kafka.topic': 't' } // prettier-ignore
const POLICY = '{"a":["b"]}'

/** What the worker's check of a configuration finds without a network: the declared checks, then those of the code. */
function errorsOf(props: Props): FieldError[] {
  const keys = { ...SOURCE_CONNECTOR_KEYS, ...LENIENT_CONNECTOR_KEYS, ...sqsSpec.data.keys }
  const { values } = validateConfig({ ...sqsSpec.data, keys }, props)
  const declared = values.flatMap(({ name, errors }) => errors.map((message) => ({ field: name, message })))
  return declared.length > 0 ? declared : settingsErrors(readSettings(props), props)
}

function fixtures(folder: string): { file: string; config: Props }[] {
  const path = new URL(`../../../../test/fixtures/sqs/${folder}/`, import.meta.url)
  return readdirSync(path).map((file) => {
    const { name, config } = JSON.parse(readFileSync(new URL(file, path), 'utf8')) as { name: string; config: Props }
    return { file: file.replace('.json', ''), config: { name, ...config } }
  })
}

describe('the configurations of the documents', () => {
  /** Its file says "queue-0,queue-1,...queue-14" for fifteen names, and leaves the topic out. */
  const ABBREVIATED = 'sqs-config-kafka-connect-worker-high-performance-sqs-high-throughput'
  const examples = fixtures('examples')

  for (const { file, config } of examples) {
    test(`${file} is valid as it stands`, () => {
      if (file !== ABBREVIATED) return assert.deepEqual(errorsOf(config), [])
      const complete = { ...config, 'kafka.topic': 't', 'sqs.queue.urls': 'queue-0,queue-1,queue-14' }
      assert.deepEqual(errorsOf(complete), [])
      assert.deepEqual(errorsOf(config).map(({ field }) => field), ['kafka.topic']) // prettier-ignore
      assert.match(
        errorsOf({ ...config, 'kafka.topic': 't' })[0]!.message,
        /Invalid SQS queue URL format: \.\.\.queue-14/,
      )
    })
  }

  for (const { file, config } of fixtures('fragments')) {
    test(`${file} is valid, added to the required keys`, () => {
      const avro = config['message.converter.class']?.includes('Avro') ? ['schema.registry.url'] : []
      const errors = errorsOf({ ...BASE, 'connector.class': JVM_CLASS, ...config })
      assert.deepEqual(errors.map(({ field }) => field), avro) // prettier-ignore
    })
  }

  test('there are 33 of them, and 11 fragments', () => {
    assert.deepEqual([examples.length, fixtures('fragments').length], [33, 11])
  })
})

describe('what the JVM connector found at its start, or never', () => {
  const CASES: readonly (readonly [what: string, props: Props, field: string, text: RegExp])[] = [
    ['a queue URL without a name', { 'sqs.queue.url': 'https://sqs.us-east-1.amazonaws.com/' }, 'sqs.queue.url', /^Invalid value https:\/\/sqs\.us-east-1\.amazonaws\.com\/ for configuration sqs\.queue\.url: Invalid SQS queue URL format: https:\/\/sqs\.us-east-1\.amazonaws\.com\/; a queue is named by its URL/], // prettier-ignore
    ['a queue by name and by URL', { 'aws.region': 'eu-west-1', 'sqs.queue.urls': `orders,${URL_EU}` }, 'sqs.queue.urls', /orders and https:\/\/\S+\/orders may name the same queue: write its URL, once/], // prettier-ignore
    ['one bad URL of several', { 'sqs.queue.urls': 'a,ftp://h/b' }, 'sqs.queue.urls', /Invalid SQS queue URL format: ftp:\/\/h\/b/], // prettier-ignore
    ['a list of nothing', { 'sqs.queue.urls': ' , ' }, 'sqs.queue.urls', /sqs\.queue\.urls must contain at least one valid URL/], // prettier-ignore
    [
      'a prefix that no name has',
      { 'sqs.queue.name.prefix': 'a.b' },
      'sqs.queue.name.prefix',
      /letters, digits, - and _/,
    ],
    ['a queue of another region', { 'sqs.queue.url': URL_EU }, 'aws.region', /Invalid value us-east-1 for configuration aws\.region: the queue .* is in eu-west-1/], // prettier-ignore
    ['a key without its secret', { 'aws.access.key.id': 'A' }, 'aws.secret.access.key', /needed when "aws\.access\.key\.id" is set/], // prettier-ignore
    [
      'a region that is none',
      { 'aws.region': 'eu west 1' },
      'aws.region',
      /it is the name of a region, such as eu-west-1/,
    ],
    ['a secret without its key', { 'aws.secret.access.key': 'S' }, 'aws.access.key.id', /needed when/],
    ['a session token alone', { 'aws.session.token': 'T' }, 'aws.access.key.id', /needed when "aws\.session\.token"/],
    ['an endpoint of S3', { 'aws.endpoint.override': 'https://my-bucket.s3-accelerate.amazonaws.com' }, 'aws.endpoint.override', /set aws\.s3\.endpoint\.override instead/], // prettier-ignore
    ['an unknown converter', { 'message.converter.class': 'io.example.Mine' }, 'message.converter.class', /there is no such message converter; there are/], // prettier-ignore
    ['an unknown delegate', { 'message.converter.class': 'io.connect.sqs.converter.ClaimCheckMessageConverter', 'message.claimcheck.delegate.converter.class': 'X' }, 'message.claimcheck.delegate.converter.class', /no such/], // prettier-ignore
    ['an unknown compression', { 'message.decompression.format': 'BROTLI' }, 'message.decompression.format', /String must be one of \(case insensitive\): AUTO/], // prettier-ignore
    ['a policy that is no JSON', { 'sqs.message.filter.policy': '{a}' }, 'sqs.message.filter.policy', /Filter policy must be valid JSON object/], // prettier-ignore
    ['a policy without lists', { 'sqs.message.filter.policy': '{"a":"b"}' }, 'sqs.message.filter.policy', /Filter policy: /], // prettier-ignore
    ['a bad policy under its name in documents', { 'message.filter.policy': '{"a":"b"}' }, 'sqs.message.filter.policy', /Filter policy: /], // prettier-ignore
    ['keep on a FIFO queue', { 'sqs.queue.url': 'a.fifo', 'sqs.message.filter.policy': POLICY }, 'sqs.filter.unmatched', /holds up its group; set delete or dlq/], // prettier-ignore
    [
      'mirror on a FIFO queue',
      { 'sqs.queue.urls': 'a,b.fifo', 'sqs.mode': 'mirror' },
      'sqs.mode',
      /FIFO queue b\.fifo/,
    ],
    ['dlq without a topic', { 'sqs.filter.unmatched': 'dlq', 'sqs.message.filter.policy': POLICY }, 'dlq.topic', /needed when "sqs\.filter\.unmatched" is dlq/], // prettier-ignore
    ['dead letters for an internal topic', { 'dlq.topic': 'other-connect-configs' }, 'dlq.topic', /is an internal topic of a Connect cluster/], // prettier-ignore
    ['dead letters for one under the former name', { 'error.dlq.topic': '__consumer_offsets' }, 'error.dlq.topic', /is an internal topic of Kafka/], // prettier-ignore
    ['a visibility timeout beyond 12 hours', { 'sqs.visibility.timeout.seconds': '43201' }, 'sqs.visibility.timeout.seconds', /no more than 43200/], // prettier-ignore
  ]
  for (const [what, props, field, text] of CASES) {
    test(`${what} is an error of ${field}`, () => {
      const errors = errorsOf({ ...BASE, ...props })
      assert.deepEqual(errors.map((error) => error.field), [field]) // prettier-ignore
      assert.match(errors[0]!.message, text)
    })
  }

  test('a region is not compared where an endpoint of your own answers', () => {
    assert.deepEqual(
      errorsOf({ ...BASE, 'sqs.queue.url': URL_EU, 'aws.endpoint.override': 'http://localhost:4566' }),
      [],
    )
  })
})

describe('the check of the connection', () => {
  const refused = (status: number, name: string): ConnectError =>
    awsFailure(Object.assign(new Error('because'), { name, $metadata: { httpStatusCode: status } }), { what: 'look up the SQS queue' }) // prettier-ignore

  /** What is found with an SQS that answers like this. */
  async function found(answer: () => Promise<Record<string, string>>, props: Props = {}): Promise<FieldError[]> {
    const sqs = {
      queueUrl: (name: string) => Promise.resolve(`https://sqs.us-east-1.amazonaws.com/1/${name}`),
      queueAttributes: answer,
      close: () => {},
    }
    const open = () => Promise.resolve({ sqs } as unknown as AwsClients)
    const config = readSettings({ ...BASE, ...props })
    return connectionErrors(config, { open, clock: systemClock }, AbortSignal.timeout(60_000))
  }

  test('finds a queue that is gone, on the key that names it, once for all queues', async () => {
    const gone = () => Promise.reject(refused(400, 'QueueDoesNotExist'))
    const errors = await found(gone, { 'sqs.queue.urls': 'a,b' })
    assert.deepEqual(errors.map(({ field }) => field), ['sqs.queue.urls']) // prettier-ignore
    assert.match(errors[0]!.message, /QueueDoesNotExist/)
  })

  test('finds refused credentials on their key', async () => {
    const errors = await found(() => Promise.reject(refused(403, 'InvalidClientTokenId')))
    assert.deepEqual(errors.map(({ field }) => field), ['aws.access.key.id']) // prettier-ignore
  })

  test('lets an outage pass, and a user who may not look at attributes', async () => {
    assert.deepEqual(await found(() => Promise.reject(refused(503, 'ServiceUnavailable'))), [])
    assert.deepEqual(await found(() => Promise.reject(refused(403, 'AccessDenied'))), [])
  })

  test('finds the RedrivePolicy of a queue that messages would go back to', async () => {
    const errors = await found(() => Promise.resolve({ RedrivePolicy: '{"maxReceiveCount":3}' }), {
      'sqs.mode': 'mirror',
    })
    assert.deepEqual(errors.map(({ field }) => field), ['sqs.mode']) // prettier-ignore
  })

  test('does not hide an error that nothing here expects', async () => {
    await assert.rejects(
      found(() => Promise.reject(sqsErrors.SQS_UNEXPECTED('odd'))),
      { code: 'SQS_UNEXPECTED' },
    )
  })
})
