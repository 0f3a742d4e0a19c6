import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ConnectRecord, Schema, Transformation } from '@tributary/connect-api'
import { ECOSYSTEM_TRANSFORMATIONS } from './index.ts'

function create(name: string, props: Record<string, string> = {}): Transformation {
  return ECOSYSTEM_TRANSFORMATIONS.find((one) => one.class === `io.confluent.connect.transforms.${name}`)!.create(props)
}

const RECORD: ConnectRecord = {
  topic: 'bar',
  key: 'k',
  keySchema: { type: 'string' },
  value: { time: '2019-08-06', f2: 'two', f1: { f3: 'three', list: [{ n: 'four' }] }, number: 5 },
  headers: [
    { name: 'to', value: 'first' },
    { name: 'to', value: 'last' },
  ],
  timestamp: Date.UTC(2026, 0, 2),
}

describe('ExtractTopic', () => {
  for (const [name, props, topic] of [
    ['ExtractTopic$Key', {}, 'k'],
    ['ExtractTopic$Value', { field: 'f2' }, 'two'],
    ['ExtractTopic$Value', { field: '$["f1"]["f3"]', 'field.format': 'JSON_PATH' }, 'three'],
    ['ExtractTopic$Value', { field: "$.f1.list[0]['n']", 'field.format': 'json_path' }, 'four'],
    ['ExtractTopic$Header', { field: 'to' }, 'last'],
    ['ExtractTopic$Value', { field: 'f3', 'skip.missing.or.null': 'true' }, 'bar'],
    ['ExtractTopic$Value', { field: 'constructor', 'skip.missing.or.null': 'true' }, 'bar'],
    ['ExtractTopic$Header', { field: 'none', 'skip.missing.or.null': 'true' }, 'bar'],
  ] as const) {
    it(`${name} ${JSON.stringify(props)} gives ${topic}`, () => {
      assert.equal(create(name, props).apply(RECORD)!.topic, topic)
    })
  }

  it('refuses what is missing or no text', () => {
    for (const [name, props] of [
      ['ExtractTopic$Value', { field: 'f3' }],
      ['ExtractTopic$Value', {}],
      ['ExtractTopic$Value', { field: 'number' }],
      ['ExtractTopic$Header', { field: 'none' }],
    ] as const) {
      assert.throws(() => create(name, props).apply(RECORD), { name: 'DataError', code: 'TRANSFORM_DATA' })
    }
    assert.throws(() => create('ExtractTopic$Header'), { name: 'ConfigError', field: 'field' })
    for (const field of ['$', '$..f1', '$.f1[*]', '$[', '$.a b']) {
      assert.throws(
        () => create('ExtractTopic$Value', { field, 'field.format': 'JSON_PATH' }),
        { field: 'field' },
        field,
      )
    }
  })
})

describe('Drop', () => {
  const required: Schema = { type: 'string', name: 'n' }
  const record = { ...RECORD, keySchema: required }
  it('handles the schema as told', () => {
    const schemas = ['nullify', 'retain', 'force_optional'].map(
      (behavior) => create('Drop$Key', { 'schema.behavior': behavior }).apply(record)!.keySchema,
    )
    assert.deepEqual(schemas, [null, required, { ...required, optional: true }])
    assert.equal(create('Drop$Value').apply(record)!.value, null)
    assert.equal(create('Drop$Value').apply(record)!.key, 'k')
  })
  it('validates', () => {
    const validate = create('Drop$Key', { 'schema.behavior': 'validate' })
    assert.throws(() => validate.apply(record), { name: 'DataError' })
    const optional = { ...required, optional: true }
    assert.equal(validate.apply({ ...record, keySchema: optional })!.keySchema, optional)
  })
})

describe('MessageTimestampRouter', () => {
  it('refuses a time beyond the calendar', () => {
    const router = create('MessageTimestampRouter', { 'message.timestamp.keys': 'ts' })
    for (const ts of [1e300, -1e300, 2n ** 62n, Infinity]) {
      assert.throws(() => router.apply({ ...RECORD, value: { ts } }), { code: 'TRANSFORM_DATA', message: /275760$/ })
    }
  })
  it('takes the first field that is there', () => {
    const router = create('MessageTimestampRouter', {
      'topic.format': 'foo-${topic}-${timestamp}',
      'message.timestamp.format': 'yyyy-MM-dd',
      'topic.timestamp.format': 'yyyy.MM.dd',
      'message.timestamp.keys': 'timestamp,time,ts',
    })
    assert.equal(router.apply(RECORD)!.topic, 'foo-bar-2019.08.06')
    assert.equal(router.apply({ ...RECORD, value: { ts: '2020-01-02' } })!.topic, 'foo-bar-2020.01.02')
    assert.throws(() => router.apply({ ...RECORD, value: { ts: 'soon' } }), /does not have the format yyyy-MM-dd/)
    assert.throws(() => router.apply({ ...RECORD, value: {} }), /no time is in the fields timestamp, time, ts/)
    assert.throws(() => router.apply({ ...RECORD, value: null }), { name: 'DataError' })
  })
  it('reads numbers, timestamps and ISO 8601 without a format', () => {
    const router = create('MessageTimestampRouter', { 'message.timestamp.keys': 'ts' })
    for (const ts of [
      Date.UTC(2020, 0, 2),
      BigInt(Date.UTC(2020, 0, 2)),
      new Date('2020-01-02'),
      '2020-01-02T00:00:00Z',
    ]) {
      assert.equal(router.apply({ ...RECORD, value: { ts } })!.topic, 'bar-20200102')
    }
    assert.equal(create('MessageTimestampRouter').apply(RECORD)!.topic, 'bar-20260102')
  })
  it('refuses a format that does not exist', () => {
    assert.throws(() => create('MessageTimestampRouter', { 'topic.timestamp.format': 'bbb' }), {
      field: 'topic.timestamp.format',
    })
  })
})

describe('TombstoneHandler', () => {
  it('drops tombstones or fails, and passes the rest', () => {
    const tombstone = { ...RECORD, value: null }
    assert.equal(create('TombstoneHandler').apply(tombstone), null)
    assert.equal(create('TombstoneHandler', { behavior: 'ignore' }).apply(tombstone), null)
    assert.throws(() => create('TombstoneHandler', { behavior: 'fail' }).apply(tombstone), { name: 'DataError' })
    assert.equal(create('TombstoneHandler', { behavior: 'fail' }).apply(RECORD), RECORD)
  })
})
