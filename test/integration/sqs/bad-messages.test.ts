import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type SharedAws, sharedKafka, sharedMoto, sqsCall } from '@tributary/harness'
import { createTopic, type KeptRecord, readPartition } from '../../support/kafka-topic.ts'
import { type Services, startServices } from '../../support/services.ts'
import { SqsFlow } from '../../support/sqs-flow.ts'
import { until } from '../../support/until.ts'

const LIMIT = 100_000
const inField = (data: string): string => JSON.stringify({ detail: { data } })
const gzip = (data: string | Buffer): string => gzipSync(data).toString('base64')
const FAILED = 'Decompressing claim check processing failed: '

/** Bodies that are bad for good, and how their dead letters begin. */
const BAD: readonly (readonly [body: string, error: string])[] = [
  ['no JSON', `${FAILED}the body is no JSON, which the field path detail.data needs`],
  [inField('this is no gzip!'), `${FAILED}Not in GZIP format: the text is no Base64`],
  [
    inField(Buffer.from('this is no gzip either').toString('base64')),
    `${FAILED}Not in GZIP format: the data begins with`,
  ],
  [inField(gzip(Buffer.alloc(50_000_000))), `${FAILED}the result has more than ${LIMIT} bytes`],
  [inField('s3://claims/gone'), `${FAILED}Failed to read the object s3://claims/gone: `],
  [inField('s3://claims/large'), `${FAILED}s3://claims/large has ${LIMIT + 1} bytes`],
  [inField('s3://claims'), `${FAILED}Invalid S3 URI format: s3://claims. Expected format: s3://bucket/key`],
]

describe('bad messages of a queue', () => {
  const large = 'x'.repeat(255 * 1024)
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  let services: Services
  let server: SharedAws
  let flow: SqsFlow
  let deadLetters: string
  let brokers: readonly string[]
  before(async () => {
    server = await sharedMoto()
    brokers = (await sharedKafka()).brokers
    services = await startServices('sqs-ingest')
    flow = await SqsFlow.create(server, brokers, await createTopic(brokers))
    deadLetters = await createTopic(brokers)
    await putObject('claims', '')
    await putObject('claims/good.gz', gzipSync('{"a":1}'))
    await putObject('claims/large', Buffer.alloc(LIMIT + 1))
  })
  after(() => services.stop())

  const putObject = async (path: string, body: Buffer | string): Promise<void> => {
    const authorization = 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request'
    const answer = await fetch(`${server.url}/${path}`, { method: 'PUT', headers: { authorization }, body: new Uint8Array(Buffer.from(body)) }) // prettier-ignore
    assert.ok(answer.ok, await answer.text())
  }
  const send = async (MessageBody: string, attributes: Readonly<Record<string, string>> = {}): Promise<void> => {
    const entries = Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }])
    const MessageAttributes = Object.fromEntries(entries) as object
    await sqsCall(server.url, 'SendMessage', { QueueUrl: flow.queue, MessageBody, MessageAttributes })
  }
  const header = ({ headers }: KeptRecord, name: string): string | undefined =>
    headers.find(([key]) => key === name)?.[1]?.toString()

  test('become dead letters that say why, with body and attributes, and stop no other message', async () => {
    for (const [body] of BAD) await send(body, { kind: 'bad', traceparent: trace })
    await send(inField(gzip('{"b":2}')), { large })
    await send(inField('s3://claims/good.gz'), { traceparent: trace })
    await services.create('bad-messages', {
      ...flow.config(),
      'message.converter.class': 'io.connect.sqs.converter.DecompressingClaimCheckMessageConverter',
      'message.decompression.field.path': 'detail.data',
      'message.decompression.format': 'GZIP',
      'message.decompression.max.bytes': String(LIMIT),
      'message.claimcheck.max.bytes': String(LIMIT),
      'dlq.topic': deadLetters,
      'max.retries': '2',
      'retry.backoff.ms': '10',
    })
    await flow.drained()
    const records = await flow.records()
    const values = records.map(({ value }) => value!.toString()).sort()
    assert.deepEqual(values, ['{"detail":{"data":{"a":1}}}', '{"detail":{"data":{"b":2}}}'])
    assert.ok(records.some((record) => header(record, 'sqs.message.attribute.large') === large))
    assert.ok(records.some((record) => header(record, 'traceparent') === trace))

    const dead = await until('all dead letters are there', async () => {
      const found = await readPartition(brokers, deadLetters, 0, { committed: true })
      return found.length >= BAD.length && found
    })
    const byBody = new Map(dead.map((record) => [record.value!.toString(), record]))
    assert.equal(dead.length, BAD.length)
    for (const [body, error] of BAD) {
      const record = byBody.get(body)
      assert.ok(record, `${body.slice(0, 80)} is no dead letter`)
      assert.ok(header(record, 'error.message')!.startsWith(error), header(record, 'error.message'))
      assert.equal(header(record, 'retry.count'), '2')
      assert.equal(header(record, 'retry.max'), '2')
      assert.equal(header(record, 'sqs.queue.url'), flow.queue)
      assert.equal(header(record, 'sqs.message.attribute.kind'), 'bad')
      assert.equal(header(record, 'traceparent'), trace)
      assert.equal(record.key?.toString(), header(record, 'sqs.message.id'))
    }
    const { connector, tasks } = await services.status('bad-messages')
    assert.deepEqual([connector.state, tasks.map(({ state }) => state)], ['RUNNING', ['RUNNING']])
  })
})
