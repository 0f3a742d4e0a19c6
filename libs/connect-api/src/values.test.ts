import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decimal } from './decimal.ts'
import { decimalText, doubleText, floatOf, floatText, javaText, parseDecimal } from './java-text.ts'
import { fromLogical, toLogical, unscaledFromBytes, unscaledToBytes } from './logical.ts'
import { LOGICAL, type Schema } from './schema.ts'
import { equalSchemas, fieldValue, validateValue, withoutDefault } from './values.ts'

const INT: Schema = { type: 'int32' }

test('a field without value has its default, also when every object inherits a member of its name', () => {
  assert.equal(fieldValue({}, { name: 'a', schema: { ...INT, default: 7 } }), 7)
  assert.equal(fieldValue({ a: null }, { name: 'a', schema: INT }), null)
  assert.equal(withoutDefault({}, 'toString'), null)
  assert.equal(withoutDefault(JSON.parse('{"__proto__":1}') as object, '__proto__'), 1)
})

test('a value that does not fit is refused with the words of Connect', () => {
  const schema: Schema = { type: 'struct', fields: [{ name: 'a', schema: { type: 'array', valueSchema: INT } }] }
  validateValue(schema, { a: [1] })
  assert.throws(() => validateValue(schema, { a: [1, null] }), {
    message: 'Invalid value: null used for required element of array field: "a", schema type: INT32',
  })
  assert.throws(() => validateValue({ type: 'int8', name: 'n' }, 128), {
    kind: 'data',
    message: 'Invalid Java object for schema "n" with type INT8: class java.lang.Long for value',
  })
  const lists: Schema = { type: 'map', keySchema: { type: 'string' }, valueSchema: { type: 'array', valueSchema: INT } }
  assert.throws(() => validateValue(lists, { k: ['x'] }, 'm'), {
    message:
      'Invalid Java object for schema with type INT32: class java.lang.String for element of array value of map field: "m"',
  })
})

test('schemas are equal by their parts, and the order of fields counts', () => {
  const of = (...names: string[]): Schema => ({ type: 'struct', fields: names.map((name) => ({ name, schema: INT })) })
  assert.ok(equalSchemas(of('a', 'b'), of('a', 'b')))
  assert.ok(!equalSchemas(of('a', 'b'), of('b', 'a')))
  assert.ok(!equalSchemas({ ...INT, default: 0 }, { ...INT, default: 1 }))
  assert.ok(equalSchemas({ ...INT, optional: false }, INT))
  assert.ok(!equalSchemas(null, INT))
})

test('logical values become those of their type and back', () => {
  const decimal: Schema = { type: 'bytes', name: LOGICAL.Decimal, parameters: { scale: '2' } }
  assert.deepEqual(toLogical(decimal, fromLogical(decimal, new Decimal(-12345n, 2))), new Decimal(-12345n, 2))
  assert.throws(() => fromLogical(decimal, new Decimal(1n, 3)), /Schema has scale 2, value has scale 3/)
  const date: Schema = { type: 'int32', name: LOGICAL.Date }
  assert.equal(fromLogical(date, new Date(-86_400_000)), -1)
  assert.throws(() => fromLogical(date, new Date(1)), /should not have any time fields/)
  for (const n of [0n, 127n, 128n, -128n, -129n, 2n ** 70n]) assert.equal(unscaledFromBytes(unscaledToBytes(n)), n)
})

test('numbers have the texts of Java', () => {
  assert.deepEqual(
    [1, -0, 1e7, 0.1, 1e-4, 5e-324, NaN].map(doubleText),
    '1.0 -0.0 1.0E7 0.1 1.0E-4 4.9E-324 NaN'.split(' '),
  )
  assert.deepEqual([0.1, 16_777_216, 1.4e-45].map(floatText), ['0.1', '1.6777216E7', '1.4E-45'])
  assert.deepEqual(
    ['1E-10', '0.000', '1.23E+5'].map((text) => decimalText(parseDecimal(text)!)),
    ['1E-10', '0.000', '1.23E+5'],
  )
  // The nearest double lies in the middle of two floats, the text above it.
  assert.equal(floatOf(parseDecimal('0.007617151597514749')!), 0.007617151830345392)
})

test('a struct, a map and a list have the texts of Java', () => {
  const schema: Schema = { type: 'struct', fields: ['a', 'b'].map((name) => ({ name, schema: { type: 'float64' } })) }
  assert.equal(javaText({ a: 1, b: null }, schema), 'Struct{a=1.0}')
  assert.equal(javaText({ a: [1, 'x'], b: new Date(0) }), '{a=[1, x], b=Thu Jan 01 00:00:00 UTC 1970}')
})
