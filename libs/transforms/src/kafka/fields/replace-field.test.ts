import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applied, INT32, STRING, struct } from '../support/for-tests.ts'
import { replaceField } from './replace-field.ts'

describe('ReplaceField', () => {
  it('leaves out and renames, with and without schema', () => {
    const config = { exclude: 'b', renames: 'a:x' }
    const value = { a: 1, b: 2, c: 3 }
    assert.deepEqual(applied(replaceField, config, { value }).value, { x: 1, c: 3 })
    const valueSchema = struct({ a: INT32, b: INT32, c: INT32 })
    const changed = applied(replaceField, config, { valueSchema, value })
    assert.deepEqual(changed.value, { x: 1, c: 3 })
    assert.deepEqual(changed.valueSchema, struct({ x: INT32, c: INT32 }))
  })

  it('takes the old names of its settings where the new ones are not given', () => {
    const value = { a: 1, b: 2 }
    assert.deepEqual(applied(replaceField, { blacklist: 'a' }, { value }).value, { b: 2 })
    assert.deepEqual(applied(replaceField, { blacklist: 'a', exclude: 'b' }, { value }).value, { a: 1 })
    assert.deepEqual(applied(replaceField, { whitelist: 'a' }, { value }).value, { a: 1 })
  })

  it('refuses names that meet, and fields that change their type', () => {
    const given = { valueSchema: struct({ a: INT32, b: STRING }), value: { a: 1, b: 'x' } }
    const twice = 'Cannot create field because of field name duplication b'
    assert.throws(() => applied(replaceField, { renames: 'a:b' }, given), { message: twice })
    const other = 'Invalid Java object for schema with type STRING: class java.lang.Integer for field: "b"'
    assert.throws(() => applied(replaceField, { renames: 'a:b', exclude: 'a' }, given), { message: other })
    const wrong = 'Invalid value [a] for configuration renames: Invalid rename mapping: a'
    assert.throws(() => replaceField[0].create({ renames: 'a' }), { message: wrong })
  })
})
