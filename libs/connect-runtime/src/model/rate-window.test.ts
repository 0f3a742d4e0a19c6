import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateWindow } from './rate-window.ts'

const START = 1_700_000_000_000

test('the first reading is right, and no reading changes the next one', () => {
  const window = new RateWindow(START)
  for (let ms = 0; ms < 4000; ms += 10) window.add(5, START + ms)
  for (const reading of [1, 2, 3]) assert.equal(window.rate(START + 4000), 500, `reading ${reading}`)
})

test('old seconds leave the window, and silence brings the rate to 0', () => {
  const window = new RateWindow(START)
  window.add(50_000, START)
  for (let s = 1; s <= 20; s++) window.add(100, START + s * 1000)
  assert.ok(Math.abs(window.rate(START + 20_999) - 100) < 1)
  assert.ok(window.rate(START + 25_000) < 60)
  assert.equal(window.rate(START + 31_000), 0)
})

test('a young window divides by its age, by one second at least', () => {
  const window = new RateWindow(START)
  window.add(10, START + 5)
  assert.equal(window.rate(START + 6), 10)
  assert.equal(window.rate(START + 2000), 5)
})

test('no count is lost when the clock is set back', () => {
  const window = new RateWindow(START)
  window.add(10, START + 5000)
  window.add(10, START + 1000)
  assert.equal(window.rate(START + 5000), 4)
})
