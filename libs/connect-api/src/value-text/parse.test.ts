import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Decimal } from '../decimal.ts'
import { LOGICAL } from '../schema.ts'
import { parseValue, TooDeep } from './parse.ts'

// [text, value, type of its schema]
for (const [text, value, type] of [
  ['12', 12, 'int8'],
  ['-300', -300, 'int16'],
  ['1e3', 1000, 'int16'],
  ['5000000000', 5_000_000_000n, 'int64'],
  ['9223372036854775808', new Decimal(9_223_372_036_854_775_808n, 0), 'bytes'],
  ['1.5', 1.5, 'float32'],
  ['1e-300', 0, 'float32'],
  ['1.5e300', 1.5e300, 'float64'],
  ['true', true, 'boolean'],
  ['true}', 'true}', 'string'],
  ['null', null, undefined],
  ['2019-08-23', new Date('2019-08-23'), 'int32'],
  ['14:34:54.346Z', new Date('1970-01-01T14:34:54.346Z'), 'int32'],
  ['2019-08-23T14:34:54.346Z', new Date('2019-08-23T14:34:54.346Z'), 'int64'],
  ['[1, 2.5, 300]', [1, 2.5, 300], 'array'],
  ['[1,null]', '[1,null]', 'string'],
  ['[1,"a"]', [1, 'a'], 'array'],
  ['{"a":1,"b":70000}', new Map([['a', 1], ['b', 70_000]]), 'map'], // prettier-ignore
  ['{a:1}', '{a:1}', 'string'],
  ['say "x"', 'say "x"', 'string'],
] as const) {
  it(`reads ${text}`, () => {
    const read = parseValue(text)
    assert.deepEqual([read.value, read.schema?.type], [value, type])
  })
}

it('gives elements of a list the widest of their types', () => {
  assert.deepEqual(parseValue('[1,300]').schema, { type: 'array', valueSchema: { type: 'int16' } })
  const date = { type: 'int32', name: LOGICAL.Date, version: 1 }
  assert.deepEqual(parseValue('["2019-08-23"]').schema, { type: 'array', valueSchema: date })
})

it('ends for deep and for long texts', () => {
  assert.throws(() => parseValue('['.repeat(100_000)), TooDeep)
  assert.equal(parseValue('1e999999999').schema?.type, 'bytes')
})

it('gives the float nearest to the text, as Java does', () => {
  // The nearest double of each lies in the middle of two floats, or of one and infinity; the text is beside the middle.
  for (const [text, value] of [
    ['1.000000059604644775390625001', 1 + 2 ** -23],
    ['7.006492321624086e-46', 2 ** -149],
    ['-7.006492321624086e-46', -(2 ** -149)],
    ['3.4028235677973366e38', 2 ** 128 - 2 ** 104],
    ['-3.4028235677973366e38', 2 ** 104 - 2 ** 128],
  ] as const) {
    assert.deepEqual(parseValue(text), { schema: { type: 'float32' }, value })
  }
})
