import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyValueListError, parseKeyValueList } from './key-value-list.ts'

test('the first colon separates key and value, both are trimmed, and empty entries are left out', () => {
  assert.deepEqual(parseKeyValueList(' a : 1 ,b:x:y,, c:'), [
    ['a', '1'],
    ['b', 'x:y'],
    ['c', ''],
  ])
})

test('a quoted value keeps commas, quotes and backslashes', () => {
  assert.deepEqual(parseKeyValueList('a:"1,2" , b: "q\\"\\\\n" ,c:3'), [
    ['a', '1,2'],
    ['b', 'q"\\n'],
    ['c', '3'],
  ])
})

test('a quote inside a value is a plain character', () => {
  assert.deepEqual(parseKeyValueList('a:x"y,b:2'), [
    ['a', 'x"y'],
    ['b', '2'],
  ])
})

test('the error for a malformed list does not contain a value', () => {
  for (const text of ['a', 'a:1,b', ':1', 'a:"s3cret', 'a:"s3cret"x', 'a,b:1']) {
    assert.throws(
      () => parseKeyValueList(text),
      (error: unknown) => error instanceof KeyValueListError && !error.message.includes('s3cret'),
      text,
    )
  }
})
