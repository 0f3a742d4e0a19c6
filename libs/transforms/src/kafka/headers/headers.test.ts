import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applied, INT32, STRING, struct } from '../support/for-tests.ts'
import { dropHeaders } from './drop-headers.ts'
import { headerFrom } from './header-from.ts'
import { insertHeader } from './insert-header.ts'

const headers = [
  { name: 'a', value: '1', schema: null },
  { name: 'b', value: '2', schema: null },
  { name: 'a', value: '3', schema: null },
]

describe('DropHeaders', () => {
  it('removes all headers of a name', () =>
    assert.deepEqual(applied(dropHeaders, { headers: 'a' }, { headers }).headers, [headers[1]]))
})

describe('InsertHeader', () => {
  it('adds a header behind the others', () => {
    const added = applied(insertHeader, { header: 'a', 'value.literal': '300' }, { headers })
    assert.deepEqual(added.headers, [...headers, { name: 'a', value: 300, schema: { type: 'int16' } }])
  })

  it('refuses a literal that nests too deep', () => {
    const config = { header: 'a', 'value.literal': '['.repeat(100_000) }
    assert.throws(() => applied(insertHeader, config, {}), { code: 'TRANSFORM_CONFIG', field: 'value.literal' })
  })
})

describe('HeaderFrom', () => {
  const config = { fields: 'id', headers: 'h', operation: 'move' }

  it('moves fields with their schema', () => {
    const given = { headers, valueSchema: struct({ id: INT32, s: STRING }), value: { id: 1, s: 'x' } }
    const moved = applied(headerFrom, config, given)
    assert.deepEqual(moved.headers, [...headers, { name: 'h', value: 1, schema: INT32 }])
    assert.deepEqual([moved.value, moved.valueSchema], [{ s: 'x' }, struct({ s: STRING })])
    assert.deepEqual(applied(headerFrom, { ...config, operation: 'copy' }, given).value, given.value)
  })

  it('refuses lists that do not fit, and fields that are not there', () => {
    const message = "'fields' config must have the same number of elements as 'headers' config."
    assert.throws(() => headerFrom[0].create({ ...config, headers: 'h,g' }), { code: 'TRANSFORM_CONFIG', message })
    const given = { valueSchema: struct({ s: STRING }), value: { s: 'x' } }
    assert.throws(() => applied(headerFrom, config, given), { message: 'Field does not exist: id' })
  })
})
