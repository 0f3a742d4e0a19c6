import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oncePer } from './once-per.ts'

test('a key passes once in each interval, and then reports how many lines were left out', () => {
  let now = 0
  const limit = oncePer(1000, () => now)
  assert.equal(limit('a'), 0)
  assert.equal(limit('a'), null)
  assert.equal(limit('b'), 0)
  now = 999
  assert.equal(limit('a'), null)
  now = 1000
  assert.equal(limit('a'), 2)
  now = 2000
  assert.equal(limit('a'), 0)
})

test('the number of remembered keys is bounded', () => {
  const limit = oncePer(1000, () => 0)
  for (let i = 0; i < 1001; i++) limit(String(i))
  assert.equal(limit('1000'), null)
  assert.equal(limit('0'), 0)
})
