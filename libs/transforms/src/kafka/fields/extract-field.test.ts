import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applied, INT32, struct } from '../support/for-tests.ts'
import { extractField } from './extract-field.ts'
import { parsePath } from './path.ts'

describe('ExtractField', () => {
  const V2 = { 'field.syntax.version': 'v2' }

  it('reads paths of KIP-821', () => {
    for (const [path, steps] of [
      ['a', ['a']],
      ['a.b.c', ['a', 'b', 'c']],
      ['`a.b`.c', ['a.b', 'c']],
      ['`a`b`.c', ['a`b', 'c']],
      ['`a\\`.b`', ['a`.b']],
      ['a.', ['a', '']],
      ['a..b', ['a', '', 'b']],
    ] as const) {
      assert.deepEqual(parsePath(path), steps, path)
    }
    const message = /^Incomplete backtick pair in path: \[a\.`b\], consider adding .* at position 2 to escape it$/
    assert.throws(() => parsePath('a.`b'), { code: 'TRANSFORM_CONFIG', message })
  })

  it('takes a field by name or by path, with its schema', () => {
    const inner = struct({ n: { ...INT32, default: 5 } }, { optional: true })
    const given = { valueSchema: struct({ 'a.n': INT32, a: inner }), value: { 'a.n': 1, a: { n: null } } }
    assert.equal(applied(extractField, { field: 'a.n' }, given).value, 1)
    const { value, valueSchema } = applied(extractField, { field: 'a.n', ...V2 }, given)
    assert.deepEqual([value, valueSchema], [5, { type: 'int32', default: 5 }])
    const without = { field: 'a.n', ...V2, 'replace.null.with.default': 'false' }
    assert.equal(applied(extractField, without, given).value, null)
    assert.equal(applied(extractField, { field: 'a.n', ...V2 }, { value: { a: null } }).value, null)
  })

  it('passes null on, and fails for a field that the schema does not have', () => {
    const valueSchema = struct({ a: INT32 }, { optional: true })
    assert.equal(applied(extractField, { field: 'a' }, { valueSchema }).value, null)
    const message = 'Unknown field: toString'
    assert.throws(() => applied(extractField, { field: 'toString' }, { valueSchema, value: { a: 1 } }), { message })
  })
})
