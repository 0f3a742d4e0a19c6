import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromJson, jsonBytes, toJson } from './connect-json.ts'

test('control characters are escaped as in Jackson, and text that only looks like an escape is unchanged', () => {
  assert.equal(toJson('\u001f \\u001f \\\u001f ä'), String.raw`"\u001F \\u001f \\\u001F ä"`)
})

test('integers above 2^53 are read back exactly', () => {
  const bytes = jsonBytes({ position: 9007199254740993n, small: 1 })
  assert.equal(String(bytes), '{"position":9007199254740993,"small":1}')
  assert.deepEqual(fromJson(bytes), { position: 9007199254740993n, small: 1 })
})

test('fields keep their order, or are sorted at every level', () => {
  const value = { b: 1, a: { d: null, c: [true] } }
  assert.equal(toJson(value), '{"b":1,"a":{"d":null,"c":[true]}}')
  assert.equal(toJson(value, 'sorted'), '{"a":{"c":[true],"d":null},"b":1}')
})
