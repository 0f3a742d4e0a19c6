import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_TIMER_MS } from '@tributary/async'
import { Deadline, timeoutHeader } from './deadline.ts'

test('a deadline has at most eight digits on the wire', () => {
  for (const [ms, header] of [
    [1, '1m'],
    [99_999_999, '99999999m'],
    [100_000_000, '100000S'],
    [100_000_001, '100001S'],
    [1e12, '16666667M'],
    [1e14, '27777778H'],
    [9e18, '99999999H'],
  ] as const) {
    assert.equal(timeoutHeader(ms), header)
  }
})

test('a deadline may be longer than a timer', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let over = 0
  new Deadline(2 * MAX_TIMER_MS + 10, () => over++)
  for (let i = 0; i < 2; i++) t.mock.timers.tick(MAX_TIMER_MS)
  t.mock.timers.tick(9)
  assert.equal(over, 0)
  t.mock.timers.tick(1)
  assert.equal(over, 1)
  new Deadline(5, () => over++).clear()
  t.mock.timers.tick(10)
  assert.equal(over, 1)
})
