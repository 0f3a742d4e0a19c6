import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Decimal, LOGICAL } from '@tributary/connect-api'
import { applied, INT32, STRING, struct } from '../support/for-tests.ts'
import { maskField } from './mask-field.ts'

describe('MaskField', () => {
  it('takes the empty value of the type', () => {
    const valueSchema = struct({
      n: { type: 'int64' },
      d: { type: 'bytes', name: LOGICAL.Decimal, parameters: { scale: '2' } },
      t: { type: 'int64', name: LOGICAL.Timestamp },
      l: { type: 'array', valueSchema: STRING },
      s: { ...STRING, optional: true },
    })
    const value = { n: 5n, d: new Decimal(1n, 2), t: new Date(9), l: ['x'], s: null }
    const masked = applied(maskField, { fields: 'n,d,t,l,s' }, { valueSchema, value })
    assert.deepEqual(masked.value, { n: 0n, d: new Decimal(0n, 0), t: new Date(0), l: [], s: null })
    assert.equal(masked.valueSchema, valueSchema)
  })

  it('takes a replacement as the type of the field', () => {
    const valueSchema = struct({ s: STRING, i: { type: 'int8' }, f: { type: 'float32' } })
    const config = { fields: 's,i,f', replacement: '300' }
    const { value } = applied(maskField, config, { valueSchema, value: { s: 'a', i: 1, f: 1 } })
    assert.deepEqual(value, { s: '300', i: 44, f: 300 })
  })

  it('fails in the words of Kafka', () => {
    const mask = (replacement: string, schema: typeof INT32, value: unknown): unknown =>
      applied(maskField, { fields: 'x', replacement }, { valueSchema: struct({ x: schema }), value: { x: value } })
    const message = 'Unable to convert y (class java.lang.String) to a number'
    assert.throws(() => mask('y', INT32, 1), { code: 'TRANSFORM_DATA', message })
    const boolean = 'Cannot mask value of type class java.lang.Boolean with custom replacement.'
    assert.throws(() => mask('y', { type: 'boolean' }, true), { message: boolean })
    const none = 'Only Map objects supported in absence of schema for [mask fields], found: null'
    assert.throws(() => applied(maskField, { fields: 'x' }, {}), { message: none })
    const empty = 'Invalid value [] for configuration fields: Empty list'
    assert.throws(() => maskField[0].create({ fields: '' }), { field: 'fields', message: empty })
  })
})
