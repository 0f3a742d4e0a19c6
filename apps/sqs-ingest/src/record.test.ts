import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Header } from '@tributary/connect-api'
import { FIFO, messageOf, STANDARD } from '../test/messages.ts'
import { sqsErrors } from './errors.ts'
import { SqsRecords, type RecordOptions } from './record.ts'
import { traceparentOf } from './trace-context.ts'

const place = { sourcePartition: { queue_url: STANDARD.url }, sourceOffset: { message_id: 'm-1' } }
const records = (options: Partial<RecordOptions> = {}): SqsRecords =>
  new SqsRecords({ topic: 't', partition: null, attributes: true, deadLetterTopic: 'dlq', maxRetries: 3, ...options })
const pairs = (headers: readonly Header[] | undefined): unknown[] =>
  (headers ?? []).map(({ name, value }) => [name, value])

const system = {
  AWSTraceHeader: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
  SequenceNumber: '18',
  MessageDeduplicationId: 'd-1',
  MessageGroupId: 'g-1',
  ApproximateFirstReceiveTimestamp: '1001',
  ApproximateReceiveCount: '2',
  SentTimestamp: '1000',
}
const attributes = {
  kind: { dataType: 'String.custom', stringValue: 'order' },
  raw: { dataType: 'Binary', binaryValue: Buffer.from([0, 255]) },
}
const described = [
  ['sqs.sent.timestamp', '1000'],
  ['sqs.approximate.receive.count', '2'],
  ['sqs.approximate.first.receive.timestamp', '1001'],
  ['sqs.message.group.id', 'g-1'],
  ['sqs.message.deduplication.id', 'd-1'],
  ['sqs.sequence.number', '18'],
  ['sqs.message.attribute.kind', 'order'],
  ['sqs.message.attribute.kind.type', 'String.custom'],
  ['sqs.message.attribute.raw', Buffer.from([0, 255])],
  ['sqs.message.attribute.raw.type', 'Binary'],
  ['traceparent', '00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01'],
]

describe('the record of a message', () => {
  test('has the headers of the JVM connector in its order, but no receipt handle', () => {
    const message = messageOf('body', { queue: FIFO, system, attributes, md5OfBody: 'md5' })
    const record = records({ partition: 3 }).record(message, { value: 'body' }, place)
    assert.deepEqual(pairs(record.headers), [['sqs.message.id', 'm-1'], ['sqs.md5.of.body', 'md5'], ...described])
    assert.deepEqual(record.headers?.find(({ name }) => name === 'sqs.message.attribute.raw')?.schema, {
      type: 'bytes',
    })
    const { topic, partition, key, value, valueSchema, timestamp, sourcePartition, sourceOffset } = record
    assert.deepEqual(
      { topic, partition, key, value, valueSchema, timestamp, sourcePartition, sourceOffset },
      {
        ...place,
        topic: 't',
        partition: 3,
        key: 'g-1',
        value: 'body',
        valueSchema: { type: 'string' },
        timestamp: null,
      },
    )
    assert.ok(!JSON.stringify(record).includes('secret-handle'))
  })

  test('has the message id as key on a standard queue, also with a group', () => {
    assert.equal(records().record(messageOf('', { system }), { value: '' }, place).key, 'm-1')
  })

  test('has the message id as key on a FIFO queue without groups, and a line says so once', () => {
    const lines: unknown[] = []
    const log = { warn: (...line: unknown[]) => void lines.push(line) }
    const maker = records({ log })
    assert.equal(maker.record(messageOf('', { queue: FIFO }), { value: '' }, place).key, 'm-1')
    maker.record(messageOf('', { queue: FIFO, id: 'm-2' }), { value: '' }, place)
    assert.deepEqual(lines, [['message_without_group', { queue_url: FIFO.url, message_id: 'm-1', suppressed: 0 }]])
  })

  test('leaves the attributes out on request, and keeps their trace', () => {
    const given = {
      ...attributes,
      traceparent: { dataType: 'String', stringValue: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-00` },
    }
    const record = records({ attributes: false }).record(messageOf('', { attributes: given }), { value: '' }, place)
    assert.deepEqual(pairs(record.headers), [
      ['sqs.message.id', 'm-1'],
      ['traceparent', given.traceparent.stringValue],
    ])
  })

  test('carries an attribute of 256 KiB', () => {
    const large = { dataType: 'String', stringValue: 'x'.repeat(256 * 1024) }
    const record = records().record(messageOf('', { attributes: { large } }), { value: '' }, place)
    assert.deepEqual(pairs(record.headers).slice(1), [
      ['sqs.message.attribute.large', large.stringValue],
      ['sqs.message.attribute.large.type', 'String'],
    ])
  })

  test('takes headers, schema and attributes from the converter', () => {
    const converted = {
      value: { a: 1 },
      valueSchema: { type: 'struct' },
      headers: [{ name: 'sqs.schema.type', value: 'Avro' }],
      attributes: { own: { dataType: 'Number', stringValue: '1' } },
    } as const
    const record = records().record(messageOf('{"a":1}', { attributes }), converted, place)
    assert.equal(record.valueSchema, converted.valueSchema)
    assert.deepEqual(pairs(record.headers), [
      ['sqs.schema.type', 'Avro'],
      ['sqs.message.id', 'm-1'],
      ['sqs.message.attribute.own', '1'],
      ['sqs.message.attribute.own.type', 'Number'],
    ])
  })

  test('keeps the bytes that SQS delivered beside the converted value', () => {
    const same = records().record(messageOf('bödy'), { value: 'bödy' }, place)
    assert.deepEqual([same.original, same.originalIsText], [Buffer.from('bödy'), true])
    const other = records().record(messageOf('bödy'), { value: Buffer.from([255]) }, place)
    assert.deepEqual([other.original, other.originalIsText], [Buffer.from('bödy'), false])
    assert.deepEqual(other.valueSchema, { type: 'bytes' })
  })
})

describe('the dead letter of a message', () => {
  const error = sqsErrors.SQS_DECOMPRESS('Message decompression failed: x', { cause: new Error('why') })
  /** With max.retries=3, which counts the failures: two more tries. */
  const failure = { error, retries: 2, maxRetries: 2 }

  test('has the body, the headers of the JVM connector in its order, and all that the message had', () => {
    const message = messageOf('bödy', { queue: FIFO, system, attributes, md5OfBody: 'md5' })
    const record = records({ attributes: false, partition: 3 }).deadLetter(message, failure, place)
    const headers = pairs(record.headers) as [string, unknown][]
    const [trace, at] = [headers[4]![1], headers[5]![1]]
    assert.match(
      trace as string,
      /^DataError \[SQS_DECOMPRESS\]: Message decompression failed: x\n[^]*Caused by: Error: why/,
    )
    assert.ok(Math.abs(Number(at) - Date.now()) < 60_000)
    assert.deepEqual(headers, [
      ['sqs.message.id', 'm-1'],
      ['sqs.queue.url', FIFO.url],
      ['error.class', 'org.apache.kafka.connect.errors.DataException'],
      ['error.message', 'Message decompression failed: x'],
      ['error.stacktrace', trace],
      ['error.timestamp', at],
      ['retry.count', 3],
      ['retry.max', 3],
      ['retry.exhausted', true],
      ['sqs.md5.of.body', 'md5'],
      ...described,
    ])
    const types = record.headers!.slice(5, 9).map(({ schema }) => schema!.type)
    assert.deepEqual(types, ['int64', 'int32', 'int32', 'boolean'])
    const { topic, partition, key, value, original, deadLetter } = record
    assert.deepEqual(
      { topic, partition, key, value, original, error: record.error },
      { topic: 't', partition: 3, key: 'm-1', value: null, original: Buffer.from('bödy'), error },
    )
    assert.deepEqual([deadLetter?.topic, deadLetter?.headers(record, error)], ['dlq', record.headers])
    assert.ok(
      !JSON.stringify(pairs(record.headers), (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v)).includes(
        'secret-handle',
      ),
    )
  })

  test('cuts the stack trace at 8000 characters', () => {
    const long = { ...failure, error: sqsErrors.SQS_BODY('x'.repeat(9000)), retries: 1 }
    const headers = new Map(pairs(records().deadLetter(messageOf(''), long, place).headers) as [string, unknown][])
    assert.match(headers.get('error.stacktrace') as string, /^.{8000}\.\.\. \(truncated\)$/s)
    assert.deepEqual([headers.get('retry.count'), headers.get('retry.exhausted')], [2, false])
  })

  test('of a message that the filter excludes has no failures', () => {
    const unmatched = { error: sqsErrors.SQS_UNMATCHED('x'), retries: 0, maxRetries: 2 }
    const headers = new Map(pairs(records().deadLetter(messageOf(''), unmatched, place).headers) as [string, unknown][])
    assert.deepEqual([headers.get('retry.count'), headers.get('retry.exhausted')], [0, false])
  })

  test('without dlq.topic is a record with an error, for the error handling of the runtime', () => {
    const record = records({ deadLetterTopic: null }).deadLetter(messageOf('bödy', { attributes }), failure, place)
    assert.equal(record.topic, 't')
    assert.equal(record.error, error)
    assert.equal(record.value, null)
    assert.deepEqual(record.original, Buffer.from('bödy'))
  })
})

describe('the trace of a message', () => {
  const trace = '1'.repeat(32)
  const parent = '2'.repeat(16)
  const headersOf = (own: string | null, more: Record<string, string> = {}, xray?: string): unknown[] => {
    const given = Object.entries({ ...(own !== null && { traceparent: own }), ...more })
    const all = Object.fromEntries(given.map(([name, stringValue]) => [name, { dataType: 'String', stringValue }]))
    const message = messageOf('', { attributes: all, system: { AWSTraceHeader: xray } })
    return pairs(records({ attributes: false }).record(message, { value: '' }, place).headers).slice(1)
  }

  test('is that of the attribute, which takes precedence over that of X-Ray', () => {
    const own = `00-${trace}-${parent}-01`
    assert.deepEqual(headersOf(own, { tracestate: 'a=b' }, system.AWSTraceHeader), [
      ['traceparent', own],
      ['tracestate', 'a=b'],
    ])
    assert.deepEqual(headersOf(null, { tracestate: 'a=b' }), [])
  })

  test('is that of X-Ray if the attribute is none', () => {
    for (const own of [
      '',
      'x',
      `00-${'0'.repeat(32)}-${parent}-01`,
      `00-${trace}-${'0'.repeat(16)}-01`,
      `ff-${trace}-${parent}-01`,
    ]) {
      assert.deepEqual(headersOf(own, {}, system.AWSTraceHeader), described.slice(-1), own)
    }
  })

  for (const [xray, expected] of [
    [
      'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
      '00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01',
    ],
    [
      'Sampled=0; Self=x; Parent=53995C3F42CD8AD8; Root=1-5759E988-BD862E3FE1BE46A994272793;Lineage=a:1',
      '00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00',
    ],
    [
      'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8',
      '00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00',
    ],
    ['Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1', null],
    ['Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000;Sampled=1', null],
    ['Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8', null],
    ['', null],
    [';;=;Root', null],
  ] as const) {
    test(`of X-Ray: ${xray}`, () => assert.equal(traceparentOf(xray), expected))
  }
})
