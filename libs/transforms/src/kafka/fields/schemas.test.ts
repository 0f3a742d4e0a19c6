import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applied, INT32, STRING, struct } from '../support/for-tests.ts'
import { filter } from './filter.ts'
import { hoistField } from './hoist-field.ts'
import { setSchemaMetadata } from './set-schema-metadata.ts'
import { valueToKey } from './value-to-key.ts'

describe('Filter', () => {
  it('drops each record', () => assert.equal(applied(filter, {}, { value: 1 }), null))
})

describe('HoistField', () => {
  it('wraps value and schema, and checks the value', () => {
    const hoisted = applied(hoistField, { field: '__proto__' }, { valueSchema: INT32, value: 5 })
    assert.deepEqual(Object.entries(hoisted.value as object), [['__proto__', 5]])
    assert.deepEqual(hoisted.valueSchema, { type: 'struct', fields: [{ name: '__proto__', schema: INT32 }] })
    const message = 'Invalid value: null used for required field: "x", schema type: INT32'
    assert.throws(() => applied(hoistField, { field: 'x' }, { valueSchema: INT32 }), { message })
  })
})

describe('SetSchemaMetadata', () => {
  it('sets name and version, and keeps the rest', () => {
    const valueSchema = struct({ id: INT32 }, { optional: true, doc: 'd' })
    const config = { 'schema.name': 'N', 'schema.version': '2' }
    const changed = applied(setSchemaMetadata, config, { valueSchema, value: { id: 1 } })
    assert.deepEqual(changed.valueSchema, { ...valueSchema, name: 'N', version: 2 })
  })

  it('fails in the words of Kafka', () => {
    const message = 'Schema required for [updating schema metadata]'
    assert.throws(() => applied(setSchemaMetadata, { 'schema.name': 'N' }, { value: {} }), { message })
    const list = 'Cannot list fields on non-struct type'
    assert.throws(() => applied(setSchemaMetadata, { 'schema.name': 'N' }, { valueSchema: STRING, value: 'x' }), {
      message: list,
    })
    const none = 'Neither schema name nor version configured'
    assert.throws(() => setSchemaMetadata[0].create({}), { message: none })
  })
})

describe('ValueToKey', () => {
  it('makes a key of fields', () => {
    const valueSchema = struct({ id: INT32, s: STRING })
    const made = applied(valueToKey, { fields: 's' }, { valueSchema, value: { id: 1, s: 'x' } })
    assert.deepEqual([made.key, made.keySchema], [{ s: 'x' }, struct({ s: STRING })])
    assert.deepEqual(applied(valueToKey, { fields: 'none' }, { value: { a: 1 } }).key, { none: null })
    const message = 'Field does not exist: none'
    assert.throws(() => applied(valueToKey, { fields: 'none' }, { valueSchema, value: {} }), { message })
  })
})
