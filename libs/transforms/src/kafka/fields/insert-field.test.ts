import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applied, INT32, struct } from '../support/for-tests.ts'
import { insertField } from './insert-field.ts'

describe('InsertField', () => {
  const config = { 'topic.field': 't!', 'partition.field': 'p', 'timestamp.field': 'ts?' }

  it('adds fields to schema and value, and makes one schema of one schema', () => {
    const schema = struct({ id: INT32 }, { optional: true, name: 'V' })
    const transform = insertField[1].create(config)
    const given = { topic: 'orders', partition: 3, key: null, timestamp: 5, valueSchema: schema, value: { id: 1 } }
    const { value, valueSchema } = transform.apply(given)!
    assert.deepEqual(value, { id: 1, t: 'orders', p: 3, ts: new Date(5) })
    const timestamp = { type: 'int64', name: 'org.apache.kafka.connect.data.Timestamp', version: 1, optional: true }
    assert.deepEqual(valueSchema, {
      type: 'struct',
      name: 'V',
      fields: [
        { name: 'id', schema: INT32 },
        { name: 't', schema: { type: 'string' } },
        { name: 'p', schema: { type: 'int32', optional: true } },
        { name: 'ts', schema: timestamp },
      ],
    })
    assert.equal(transform.apply({ ...given, value: { id: 2 } })!.valueSchema, valueSchema)
  })

  it('leaves out what the record does not have, and records without value alone', () => {
    assert.deepEqual(applied(insertField, config, { value: { id: 1 } }).value, { id: 1, t: 'orders' })
    assert.equal(applied(insertField, config, {}).value, null)
  })

  it('reads a field with a default as its default, or refuses null', () => {
    const given = { valueSchema: struct({ id: { ...INT32, default: 9 } }), value: { id: null } }
    assert.deepEqual(applied(insertField, { 'topic.field': 't' }, given).value, { id: 9, t: 'orders' })
    const kept = { 'topic.field': 't', 'replace.null.with.default': 'false' }
    const message = 'Invalid value: null used for required field: "id", schema type: INT32'
    assert.throws(() => applied(insertField, kept, given), { code: 'TRANSFORM_DATA', message })
  })

  it('refuses settings that insert nothing, and the offset that no source record has', () => {
    assert.throws(() => applied(insertField, {}, {}), { message: 'No field insertion configured' })
    assert.throws(() => applied(insertField, { 'static.field': 's' }, {}), { field: 'static.value' })
    const message = /^Only SinkRecord supported for \[field insertion\], found: /
    assert.throws(() => applied(insertField, { 'offset.field': 'o' }, { value: {} }), { message })
  })
})
