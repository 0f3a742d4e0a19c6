import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StickyPoint } from './sticky-point.ts'

test('a point serves all batches of some ms, until 16 KiB were sent there', () => {
  const sticky = new StickyPoint()
  const first = sticky.at(1000)
  assert.ok(first >= 0 && first < 1)
  sticky.used(100)
  assert.equal(sticky.at(1004), first)
  const second = sticky.at(1005)
  assert.notEqual(second, first)
  sticky.used(16 * 1024)
  assert.notEqual(sticky.at(1005), second)
})

test('a clock that was set back does not keep a point', () => {
  const sticky = new StickyPoint()
  const first = sticky.at(1_000_000)
  assert.notEqual(sticky.at(0), first)
})
