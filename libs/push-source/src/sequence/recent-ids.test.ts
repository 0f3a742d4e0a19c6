import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentIds } from './recent-ids.ts'

test('an id within the window is a duplicate', () => {
  const ids = new RecentIds(100)
  for (let id = 0; id < 1000; id++) {
    assert.equal(ids.add(id), true)
    assert.equal(ids.add(Math.max(0, id - 99)), false)
  }
})

test('at most twice the window is remembered', () => {
  const ids = new RecentIds(100)
  for (let id = 0; id < 1000; id++) ids.add(id)
  assert.equal(ids.add(799), true)
  assert.equal(ids.latest().length, 100)
})

test('a text and a number are different ids', () => {
  const ids = new RecentIds(10)
  assert.deepEqual([ids.add(1), ids.add('1'), ids.add(1)], [true, true, false])
})

test('the latest ids come first', () => {
  const ids = new RecentIds(3)
  for (const id of ['a', 'b', 'c', 'd', 'e']) ids.add(id)
  assert.deepEqual(ids.latest(), ['e', 'd', 'c'])
})

test('the ids take at most the allowed bytes, whatever the window', () => {
  let cuts = 0
  const ids = new RecentIds(1_000_000, () => cuts++, 100_000)
  for (let id = 0; id < 10_000; id++) ids.add(`${id}`.padStart(50, 'x'))
  const held = ids.latest().length
  assert.ok(held >= 300 && held * 164 <= 100_000, `${held} ids`)
  assert.ok(cuts > 10)
})
