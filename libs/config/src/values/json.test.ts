import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson, parseJson, stringifyJson } from './json.ts'

test('integers beyond 2^53 are parsed to bigint and written back unchanged', () => {
  const text = '{"a":9007199254740993,"b":-9223372036854775808,"c":9007199254740991,"d":[18446744073709551615]}'
  const value = parseJson(text)
  assert.deepEqual(value, {
    a: 9007199254740993n,
    b: -9223372036854775808n,
    c: 9007199254740991,
    d: [18446744073709551615n],
  })
  assert.equal(stringifyJson(value), text)
})

test('digits inside a string are no number', () => {
  assert.deepEqual(parseJson('{"a":"12345678901234567890"}'), { a: '12345678901234567890' })
})

test('a fraction or an exponent stays a number', () => {
  assert.deepEqual(parseJson('[1.2345678901234567890, 1e30, 0]'), [1.2345678901234567, 1e30, 0])
})

test('numbers are parsed to their source text on request, and are written back unchanged', () => {
  const text = '{"a":1.50,"b":1e3,"c":-0,"d":true,"e":["00"]}'
  assert.deepEqual(parseJson(text, { numbers: 'text' }), { a: '1.50', b: '1e3', c: '-0', d: true, e: ['00'] })
  assert.equal(stringifyJson(parseJson(text, { numbers: 'raw' })), text)
  assert.equal(canonicalJson(parseJson('{"b":1.50,"a":1e3}', { numbers: 'raw' })), '{"a":1e3,"b":1.50}')
})

test('malformed JSON, deep nesting and a long number are each a SyntaxError', () => {
  const deep = (n: number): string => '['.repeat(n) + ']'.repeat(n)
  for (const text of [
    '',
    '{',
    '{"a":01}',
    deep(1001),
    '9'.repeat(1001),
    '{"a":'.repeat(2000),
    '1e400',
    '[-1E+999]',
    '9'.repeat(400),
  ]) {
    assert.throws(() => parseJson(text), SyntaxError, text.slice(0, 20))
  }
  assert.doesNotThrow(() => parseJson(deep(1000)))
  assert.doesNotThrow(() => parseJson(JSON.stringify('['.repeat(5000))))
  assert.doesNotThrow(() => parseJson(JSON.stringify(`${'\\"['.repeat(5000)}`)))
})

test('a key named __proto__ is a plain member', () => {
  const value = parseJson('{"__proto__":{"x":1},"n":12345678901234567890}')
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
  assert.equal(canonicalJson(value), '{"__proto__":{"x":1},"n":12345678901234567890}')
})

test('a key with an escape is never taken for a key of an earlier object', () => {
  for (const numbers of ['value', 'raw'] as const) {
    // V8 now expects the keys n and a\ in the next object. The text of the key a\t begins with a\.
    assert.deepEqual(parseJson('{"n":[],"a\\\\":[]}', { numbers }), { n: [], 'a\\': [] })
    const text = '{"n":[],"a\\t":["a\\\\\\":",12345678901234567890]}'
    const value = parseJson(text, { numbers })
    assert.deepEqual(Object.keys(value as object), ['n', 'a\t'])
    assert.equal(stringifyJson(value), text)
  }
  assert.deepEqual(
    parseJson('{"\\u0061":1,"b" : 2,"a":3,"\\u0031":4,"__proto__":5}'),
    JSON.parse('{"1":4,"a":3,"b":2,"__proto__":5}'),
  )
  assert.throws(() => parseJson('{"a\\t":1e400}'), SyntaxError)
  assert.throws(() => parseJson('{"a\\x":1}'), SyntaxError)
})

test('canonical JSON sorts keys by their code units at every level, and drops undefined members', () => {
  const value = { b: [{ z: 1, a: null }], a: 1n, B: undefined, é: 'x', Z: 'y' }
  assert.equal(canonicalJson(value), '{"Z":"y","a":1,"b":[{"a":null,"z":1}],"é":"x"}')
})

test('stringifyJson refuses a value without a JSON form', () => {
  assert.throws(() => stringifyJson(undefined), TypeError)
})
