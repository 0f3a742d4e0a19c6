import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countBetween, plus, sequenceNumber } from './number.ts'

test('a sequence number is read from an integer or its text, and is a bigint only where a double would round', () => {
  const top = Number.MAX_SAFE_INTEGER
  for (const [value, expected] of [
    [0, 0],
    [-5, -5],
    ['007', 7],
    [7n, 7],
    [String(top), top],
    ['9007199254740993', 2n ** 53n + 1n],
    [2n ** 64n, 2n ** 64n],
    ['-9007199254740993', -(2n ** 53n) - 1n],
    // A parser may have rounded this number.
    [2 ** 53, null],
    [1.5, null],
    [NaN, null],
    ['', null],
    ['1e3', null],
    ['0x10', null],
    [' 1', null],
    ['9'.repeat(40), null],
    [true, null],
    [null, null],
    [undefined, null],
    [{}, null],
  ] as const) {
    assert.equal(
      sequenceNumber(value),
      expected,
      `${typeof value} ${JSON.stringify(typeof value === 'bigint' ? String(value) : value)}`,
    )
  }
})

test('plus and countBetween are exact on both sides of 2^53', () => {
  const top = Number.MAX_SAFE_INTEGER
  assert.equal(plus(1, -2), -1)
  assert.equal(plus(top, 1), 2n ** 53n)
  assert.equal(plus(2n ** 53n, -1), top)
  assert.equal(plus(2n ** 60n, 3), 2n ** 60n + 3n)
  assert.equal(countBetween(3, 5), 3)
  assert.equal(countBetween(5, 3), 0)
  assert.equal(countBetween(top, 2n ** 53n + 1n), 3)
  assert.equal(countBetween(0, 2n ** 64n), 2n ** 64n + 1n)
})
