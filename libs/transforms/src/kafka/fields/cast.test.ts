import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Decimal, LOGICAL } from '@tributary/connect-api'
import { applied, INT32, STRING, struct } from '../support/for-tests.ts'
import { cast } from './cast.ts'

describe('Cast', () => {
  const one = (spec: string, schema: Parameters<typeof struct>[0][string] | null, value: unknown): unknown =>
    applied(cast, { spec }, { valueSchema: schema, value }).value

  it('casts fields of a struct and their defaults', () => {
    const schema = struct({ n: { ...INT32, default: 300 }, s: STRING }, { name: 'V', optional: true })
    const { value, valueSchema } = applied(
      cast,
      { spec: 'n:int8' },
      { valueSchema: schema, value: { n: null, s: 'x' } },
    )
    assert.deepEqual(value, { n: 44, s: 'x' })
    const fields = [
      { name: 'n', schema: { type: 'int8', default: 44 } },
      { name: 's', schema: STRING },
    ]
    assert.deepEqual(valueSchema, { type: 'struct', name: 'V', optional: true, fields })
  })

  it('casts as Java does', () => {
    assert.equal(one('int8', INT32, 200), -56)
    assert.equal(one('int64', { type: 'float64' }, 1e300), 2n ** 63n - 1n)
    assert.equal(one('int32', { type: 'float32' }, NaN), 0)
    assert.equal(one('string', { type: 'float64' }, 1), '1.0')
    assert.equal(one('string', null, 3), '3')
    assert.equal(one('boolean', { type: 'float64' }, 0.5), false)
    const decimal = { type: 'bytes', name: LOGICAL.Decimal, parameters: { scale: '2' } } as const
    assert.equal(one('int16', decimal, new Decimal(-12_345n, 2)), -123)
    assert.equal(one('string', { type: 'int64', name: LOGICAL.Timestamp }, new Date(0)), '00:00:00.000Z')
  })

  it('keeps a field that every object has', () => {
    const schema = struct({ constructor: { ...INT32, optional: true }, __proto__x: INT32 })
    const { value } = applied(cast, { spec: 'constructor:string' }, { valueSchema: schema, value: { __proto__x: 1 } })
    assert.deepEqual(Object.entries(value as object), [
      ['__proto__x', 1],
      ['constructor', null],
    ])
  })

  it('fails in the words of Kafka', () => {
    assert.throws(() => one('int8', STRING, '200'), { message: 'Value (200) was out of range for requested data type' })
    assert.throws(() => one('x:int8', STRING, 'a'), { message: 'Cannot list fields on non-struct type' })
    assert.throws(() => cast[0].create({ spec: 'a:bytes' }), {
      code: 'TRANSFORM_CONFIG',
      message: /^Cast transformation does not support casting to BYTES; supported types are \[INT8, /,
    })
    assert.throws(() => cast[0].create({ spec: '' }), { message: 'Must specify at least one field to cast.' })
  })
})
