import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applied, INT32, STRING, struct } from '../support/for-tests.ts'
import { flatten } from './flatten.ts'

describe('Flatten', () => {
  it('hands optional and default down to the fields of a struct', () => {
    const inner = struct({ n: INT32, s: { ...STRING, default: 'x' } }, { optional: true, default: { n: 7 } })
    const schema = struct({ id: INT32, in: inner }, { name: 'V' })
    const { value, valueSchema } = applied(flatten, { delimiter: '_' }, { valueSchema: schema, value: { id: 1 } })
    const fields = [
      { name: 'id', schema: INT32 },
      { name: 'in_n', schema: { type: 'int32', optional: true, default: 7 } },
      { name: 'in_s', schema: { type: 'string', optional: true, default: 'x' } },
    ]
    assert.deepEqual(valueSchema, { type: 'struct', name: 'V', fields })
    assert.deepEqual(value, { id: 1 })
    const full = applied(flatten, {}, { valueSchema: schema, value: { id: 1, in: { n: 2 } } })
    assert.deepEqual(full.value, { id: 1, 'in.n': 2, 'in.s': 'x' })
  })

  it('fails for a map within a struct, in the words of Kafka', () => {
    const map = struct({ m: { type: 'map', keySchema: STRING, valueSchema: STRING } })
    assert.throws(() => applied(flatten, {}, { valueSchema: struct({ o: map }), value: { o: {} } }), {
      code: 'TRANSFORM_DATA',
      message: 'Flatten transformation does not support MAP for record with schemas (for field o.m).',
    })
  })
})
