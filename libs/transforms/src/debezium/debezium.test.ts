import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ConnectRecord, Schema } from '@tributary/connect-api'
import { DEBEZIUM_TRANSFORMATIONS } from './index.ts'

function create(name: string, props: Record<string, string>) {
  return DEBEZIUM_TRANSFORMATIONS.find((one) => one.class === `io.debezium.transforms.${name}`)!.create(props)
}

const ROW: Schema = {
  type: 'struct',
  optional: true,
  name: 'server.inventory.customers.Value',
  fields: [
    { name: 'id', schema: { type: 'int32' } },
    { name: 'email', schema: { type: 'string', optional: true } },
  ],
}
const ENVELOPE: Schema = {
  type: 'struct',
  name: 'server.inventory.customers.Envelope',
  fields: [
    { name: 'before', schema: ROW },
    { name: 'after', schema: ROW },
    {
      name: 'source',
      schema: {
        type: 'struct',
        fields: [
          { name: 'ts_ms', schema: { type: 'int64' } },
          { name: 'table', schema: { type: 'string' } },
        ],
      },
    },
    { name: 'op', schema: { type: 'string' } },
  ],
}

function event(op: string, before: unknown, after: unknown): ConnectRecord {
  return {
    topic: 'server.inventory.customers',
    key: { id: 1 },
    keySchema: {
      type: 'struct',
      name: 'server.inventory.customers.Key',
      fields: [{ name: 'id', schema: { type: 'int32' } }],
    },
    value: { before, after, source: { ts_ms: 7n, table: 'customers' }, op },
    valueSchema: ENVELOPE,
    timestamp: 1,
  }
}

const ADA = { id: 1, email: 'ada@example.com' }
const TOMBSTONE: ConnectRecord = { ...event('d', null, null), value: null, valueSchema: null }

describe('ExtractNewRecordState', () => {
  it('gives the row after the change with the added fields', () => {
    const { value, valueSchema } = create('ExtractNewRecordState', {
      'add.fields': 'op,source.ts_ms,source.table:TABLE',
    }).apply(event('c', null, ADA))!
    assert.deepEqual(value, { ...ADA, __op: 'c', __source_ts_ms: 7n, __TABLE: 'customers' })
    assert.deepEqual(valueSchema!.fields!.slice(2), [
      { name: '__op', schema: { type: 'string', optional: true } },
      { name: '__source_ts_ms', schema: { type: 'int64', optional: true } },
      { name: '__TABLE', schema: { type: 'string', optional: true } },
    ])
  })

  /** What remains of a deletion and of the tombstone after it. */
  const remains = (props: Record<string, string>): unknown[] => {
    const transform = create('ExtractNewRecordState', props)
    return [event('d', ADA, null), TOMBSTONE].map((record) => {
      const result = transform.apply(record)
      return result && (result.value === null ? 'tombstone' : (result.value as Record<string, unknown>)['__deleted'])
    })
  }
  for (const [props, expected] of [
    [{}, ['tombstone', null]],
    [{ 'delete.tombstone.handling.mode': 'drop' }, [null, null]],
    [{ 'delete.tombstone.handling.mode': 'delete-to-tombstone' }, ['tombstone', null]],
    [{ 'delete.tombstone.handling.mode': 'rewrite' }, ['true', null]],
    [{ 'delete.tombstone.handling.mode': 'rewrite-with-tombstone' }, ['true', 'tombstone']],
    // The keys of Debezium 2, of which each has the other's default there.
    [{ 'drop.tombstones': 'false' }, [null, 'tombstone']],
    [{ 'delete.handling.mode': 'none' }, ['tombstone', null]],
    [{ 'delete.handling.mode': 'rewrite', 'drop.tombstones': 'false' }, ['true', 'tombstone']],
    [{ 'delete.handling.mode': 'rewrite', 'delete.tombstone.handling.mode': 'drop' }, [null, null]],
  ] as const) {
    it(`leaves of a deletion and its tombstone ${JSON.stringify(expected)} with ${JSON.stringify(props)}`, () => {
      assert.deepEqual(remains(props), expected)
    })
  }

  it('marks rows that stay when deletions are rewritten', () => {
    const transform = create('ExtractNewRecordState', { 'delete.tombstone.handling.mode': 'rewrite' })
    assert.deepEqual(transform.apply(event('u', null, ADA))!.value, { ...ADA, __deleted: 'false' })
  })

  it('passes what is no change event, and drops a truncation', () => {
    const transform = create('ExtractNewRecordState', {})
    const heartbeat = { ...event('c', null, ADA), valueSchema: null }
    assert.equal(transform.apply(heartbeat), heartbeat)
    assert.equal(transform.apply(event('t', null, null)), null)
  })

  it('refuses an unknown mode and a field with two names', () => {
    assert.throws(() => create('ExtractNewRecordState', { 'delete.tombstone.handling.mode': 'none' }), {
      name: 'ConfigError',
    })
    assert.throws(() => create('ExtractNewRecordState', { 'add.fields': 'op:a:b' }), { field: 'add.fields' })
  })
})

describe('ByLogicalTableRouter', () => {
  it('brings shards to one topic and says in the key which shard it was', () => {
    const record = { ...event('c', null, ADA), topic: 'db.customers_shard7' }
    const routed = create('ByLogicalTableRouter', {
      'topic.regex': '(.*)customers_shard(.*)',
      'topic.replacement': '$1customers',
      'key.field.name': 'shard',
      'key.field.regex': '(.*)customers_shard(.*)',
      'key.field.replacement': '$2',
    }).apply(record)!
    assert.equal(routed.topic, 'db.customers')
    assert.deepEqual(routed.key, { id: 1, shard: '7' })
    assert.equal(routed.keySchema!.name, 'db.customers.Key')
    assert.equal(routed.valueSchema!.name, 'db.customers.Envelope')
    assert.equal(routed.valueSchema!.fields![1]!.schema.name, 'db.customers.Value')
  })

  it('names the schemas of two topics by each topic', () => {
    const transform = create('ByLogicalTableRouter', { 'topic.regex': '(.*)_shard.', 'topic.replacement': '$1' })
    const names = ['a_shard1', 'b_shard1', 'a_shard2'].map(
      (topic) => transform.apply({ ...event('c', null, ADA), topic })!.valueSchema!.name,
    )
    assert.deepEqual(names, ['a.Envelope', 'b.Envelope', 'a.Envelope'])
  })

  it('wants a replacement with key.field.regex', () => {
    assert.throws(
      () => create('ByLogicalTableRouter', { 'topic.regex': 'a', 'topic.replacement': 'b', 'key.field.regex': 'c' }),
      { name: 'ConfigError', field: 'key.field.replacement' },
    )
  })
})

describe('Filter and ContentBasedRouter of Debezium', () => {
  const record = event('u', { id: 2 }, ADA)

  it('keeps records for which the condition is true', () => {
    const filter = create('Filter', { language: 'cel', condition: "value.op == 'u' && value.before.id == 2" })
    assert.equal(filter.apply(record), record)
    assert.equal(filter.apply(event('u', { id: 3 }, ADA)), null)
  })

  it('gives a topic, or null for the same topic', () => {
    const router = create('ContentBasedRouter', { 'topic.expression': "value.op == 'u' ? 'updates' : null" })
    assert.equal(router.apply(record)!.topic, 'updates')
    const created = event('c', null, ADA)
    assert.equal(router.apply(created), created)
  })

  it('looks at topic.regex and null.handling.mode first', () => {
    const props = { condition: 'false', 'topic.regex': 'server.*' }
    assert.equal(create('Filter', props).apply(record), null)
    assert.equal(create('Filter', { ...props, 'topic.regex': 'server' }).apply(record), record)
    assert.equal(create('Filter', props).apply(TOMBSTONE), TOMBSTONE)
    assert.equal(create('Filter', { ...props, 'null.handling.mode': 'drop' }).apply(TOMBSTONE), null)
    assert.equal(create('Filter', { ...props, 'null.handling.mode': 'evaluate' }).apply(TOMBSTONE), null)
  })

  for (const language of ['jsr223.groovy', 'jsr223.graal.js', 'wasm.chicory']) {
    it(`shows how to write what was for ${language}`, () => {
      assert.throws(() => create('Filter', { language, condition: "value.op == 'u'" }), {
        name: 'ConfigError',
        field: 'language',
        message:
          /^Invalid value jsr223|wasm.* for configuration language: .* set language to cel .*header\.trace\.value becomes headers\.trace/,
      })
    })
  }

  it('says where an expression is wrong', () => {
    assert.throws(() => create('Filter', { condition: 'value.op === 1' }), {
      field: 'condition',
      message: /at character 12/,
    })
    assert.throws(() => create('Filter', { condition: "'u'" }), {
      field: 'condition',
      message: /must give true or false/,
    })
  })
})
