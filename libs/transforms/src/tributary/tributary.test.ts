import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ConnectRecord, Schema, Transformation } from '@tributary/connect-api'
import { TRIBUTARY_PREDICATES, TRIBUTARY_TRANSFORMATIONS } from './index.ts'

function create(name: string, props: Record<string, string> = {}): Transformation {
  return TRIBUTARY_TRANSFORMATIONS.find((one) => one.class === `io.tributary.connect.transforms.${name}`)!.create(props)
}

function record(value: unknown, more: Partial<ConnectRecord> = {}): ConnectRecord {
  return { topic: 't', key: null, value, timestamp: 5, ...more }
}

const headersOf = (result: ConnectRecord | null): Record<string, unknown> =>
  Object.fromEntries(result!.headers!.map(({ name, value }) => [name, value]))

describe('Filter, Route and the predicate Expression', () => {
  const trade = record({ type: 'trade', region: 'EU' })
  it('filter by a condition', () => {
    const filter = create('Filter', { condition: "has(value.type) && value.type == 'trade'" })
    assert.equal(filter.apply(trade), trade)
    assert.equal(filter.apply(record({})), null)
    assert.throws(() => create('Filter', { condition: 'value.type ==' }), { name: 'ConfigError', field: 'condition' })
    assert.throws(() => create('Filter'), { name: 'ConfigError', field: 'condition' })
  })
  it('route to the topic that an expression gives, or nowhere', () => {
    const route = create('Route', {
      'topic.expression': "has(value.region) ? topic + '-' + value.region.lowerAscii() : null",
    })
    assert.equal(route.apply(trade)!.topic, 't-eu')
    const other = record({})
    assert.equal(route.apply(other), other)
    assert.throws(() => create('Route', { 'topic.expression': 'value.n' }).apply(record({ n: 1 })), {
      name: 'DataError',
    })
  })
  it('decide for any transform', () => {
    const predicate = TRIBUTARY_PREDICATES[0]!.create({ condition: 'value == null' })
    assert.deepEqual(
      [record(null), trade].map((one) => predicate.test(one)),
      [true, false],
    )
  })
})

describe('InsertExpression', () => {
  const schema: Schema = { type: 'struct', name: 'n', fields: [{ name: 'a', schema: { type: 'int64' } }] }

  it('adds an optional field of the type', () => {
    for (const [type, expression, expected] of [
      ['string', 'topic', 't'],
      ['int64', 'value.a + 1', 8n],
      ['int32', 'value.a + 1', 8],
      ['float64', 'value.a', 7],
      ['boolean', 'value.a == 7', true],
      ['timestamp', 'timestamp', new Date(5)],
      ['string', 'value.a > 7 ? "x" : null', null],
    ] as const) {
      const result = create('InsertExpression$Value', { field: 'x', expression, 'field.type': type }).apply(
        record({ a: 7n }, { valueSchema: schema }),
      )!
      assert.deepEqual(result.value, { a: 7n, x: expected })
      const [, added] = result.valueSchema!.fields!
      assert.equal(added!.schema.optional, true)
      assert.equal(result.valueSchema!.name, 'n')
    }
  })

  it('replaces a field in its place', () => {
    const result = create('InsertExpression$Value', { field: 'a', expression: 'string(value.a)' }).apply(
      record({ a: 7n }, { valueSchema: schema }),
    )!
    assert.deepEqual(result.value, { a: '7' })
    assert.deepEqual(result.valueSchema!.fields, [{ name: 'a', schema: { type: 'string', optional: true } }])
  })

  it('works without schema and on keys', () => {
    const props = { field: 'at', expression: 'timestamp', 'field.type': 'timestamp' }
    assert.deepEqual(create('InsertExpression$Key', props).apply(record(null, { key: { id: 1 } }))!.key, {
      id: 1,
      at: 5,
    })
    const big = create('InsertExpression$Value', {
      field: '__proto__',
      expression: 'value.n * 2',
      'field.type': 'int64',
    })
    assert.deepEqual(Object.entries(big.apply(record({ n: 2n ** 60n }))!.value as object), [
      ['n', 2n ** 60n],
      ['__proto__', 2n ** 61n],
    ])
    assert.equal(create('InsertExpression$Value', props).apply(record(null))!.value, null)
  })

  it('refuses a result of another type', () => {
    for (const [type, expression] of [
      ['int32', '2147483648'],
      ['int64', '1.5'],
      ['string', '1'],
      ['boolean', '"true"'],
    ] as const) {
      const transform = create('InsertExpression$Value', { field: 'x', expression, 'field.type': type })
      assert.throws(() => transform.apply(record({})), { name: 'DataError', message: /the field x/ }, type)
    }
  })
})

const SNS = {
  Type: 'Notification',
  MessageId: 'm-1',
  TopicArn: 'arn:aws:sns:eu-west-1:1:orders',
  Subject: 'New',
  Message: '{"id":1.50}',
  Timestamp: '2026-01-02T03:04:05.678Z',
  MessageAttributes: { kind: { Type: 'String', Value: 'order' } },
}
const EVENT = {
  version: '0',
  id: 'e-1',
  'detail-type': 'Object Created',
  source: 'aws.s3',
  account: '1',
  time: '2026-01-02T03:04:05Z',
  region: 'eu-west-1',
  resources: ['a', 'b'],
  detail: { size: 1 },
}
const CLOUD = {
  specversion: '1.0',
  id: 'c-1',
  source: '/s',
  type: 'order',
  time: EVENT.time,
  datacontenttype: 'application/json',
  part: 3,
  data: { n: 1 },
}

describe('envelopes', () => {
  it('SNS: the message, and the rest in headers', () => {
    const result = create('UnwrapSns').apply(record(JSON.stringify(SNS), { headers: [{ name: 'own', value: 1 }] }))
    assert.equal(result!.value, '{"id":1.50}')
    assert.deepEqual(headersOf(result), {
      own: 1,
      'sns.message.id': 'm-1',
      'sns.topic.arn': SNS.TopicArn,
      'sns.subject': 'New',
      'sns.timestamp': SNS.Timestamp,
      'sns.attribute.kind': 'order',
    })
    assert.deepEqual(create('UnwrapSns', { 'content.format': 'json' }).apply(record(SNS))!.value, { id: 1.5 })
    assert.throws(() => create('UnwrapSns', { 'content.format': 'json' }).apply(record({ ...SNS, Message: 'hi' })), {
      name: 'DataError',
    })
  })

  it('EventBridge: the detail, with numbers as they stood', () => {
    const text = JSON.stringify(EVENT).replace('"size":1', '"size":1.50')
    const result = create('UnwrapEventBridge', { timestamp: 'envelope', 'header.prefix': 'eb_' }).apply(
      record(Buffer.from(text)),
    )!
    assert.equal(result.value, '{"size":1.50}')
    assert.equal(result.timestamp, Date.parse(EVENT.time))
    assert.equal(headersOf(result)['eb_detail-type'], 'Object Created')
    assert.equal(headersOf(result)['eb_resources'], 'a,b')
    assert.deepEqual(create('UnwrapEventBridge').apply(record(EVENT))!.value, { size: 1 })
    // No client of Kafka takes a time before 1970.
    const old = create('UnwrapEventBridge', { timestamp: 'envelope' }).apply(
      record({ ...EVENT, time: '0001-01-01T00:00:00Z' }),
    )
    assert.equal(old!.timestamp, record(EVENT).timestamp)
    const odd = { ...EVENT, resources: [{ toString: 1 }, ['c'], 'd'] }
    assert.equal(headersOf(create('UnwrapEventBridge').apply(record(odd)))['eventbridge.resources'], 'd')
    assert.equal(create('UnwrapEventBridge', { 'content.format': 'text' }).apply(record(EVENT))!.value, '{"size":1}')
  })

  it('keeps the schema of the content where the record has one', () => {
    const detail: Schema = { type: 'struct', fields: [{ name: 'size', schema: { type: 'int32' } }] }
    const text: Schema = { type: 'string' }
    const names = ['id', 'detail-type', 'source'].map((name) => ({ name, schema: text }))
    const valueSchema: Schema = { type: 'struct', fields: [...names, { name: 'detail', schema: detail }] }
    assert.equal(create('UnwrapEventBridge').apply(record(EVENT, { valueSchema }))!.valueSchema, detail)
  })

  it('CloudEvents: structured becomes binary', () => {
    const result = create('UnwrapCloudEvents').apply(record(JSON.stringify(CLOUD)))
    assert.equal(result!.value, '{"n":1}')
    assert.deepEqual(headersOf(result), {
      ce_specversion: '1.0',
      ce_id: 'c-1',
      ce_source: '/s',
      ce_type: 'order',
      ce_time: EVENT.time,
      ce_part: '3',
      'content-type': 'application/json',
    })
    const { data: _data, ...rest } = CLOUD
    const bytes = create('UnwrapCloudEvents').apply(record({ ...rest, data_base64: 'AAE=' }))!
    assert.deepEqual([bytes.value, bytes.valueSchema], [Buffer.from([0, 1]), { type: 'bytes' }])
    assert.equal(create('UnwrapCloudEvents').apply(record(rest))!.value, null)
  })

  it('CloudEvents: binary by either binding gets the prefix', () => {
    const headers = [
      { name: 'ce-specversion', value: '1.0' },
      { name: 'ce-id', value: Buffer.from('c-1') },
      { name: 'ce-time', value: EVENT.time },
      { name: 'trace', value: 't' },
    ]
    const result = create('UnwrapCloudEvents', { timestamp: 'envelope' }).apply(record('body', { headers }))!
    assert.deepEqual(headersOf(result), { trace: 't', ce_specversion: '1.0', ce_id: 'c-1', ce_time: EVENT.time })
    assert.deepEqual([result.value, result.timestamp], ['body', Date.parse(EVENT.time)])
  })

  it('pass what is no envelope, or fail', () => {
    for (const name of ['UnwrapSns', 'UnwrapEventBridge', 'UnwrapCloudEvents']) {
      for (const value of [
        null,
        'text',
        '{"a":1}',
        '{"a":',
        '[]',
        5,
        {},
        { Type: 'Notification' },
        { specversion: '1.0' },
        Buffer.from([0xff]),
      ]) {
        const other = record(value)
        assert.equal(create(name).apply(other), other)
        assert.throws(() => create(name, { 'on.other': 'fail' }).apply(other), { name: 'DataError' })
      }
    }
  })
})
