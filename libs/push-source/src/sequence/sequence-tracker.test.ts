import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SequenceNumber } from './number.ts'
import { type Judgement, SequenceTracker, type SequenceTrackerOptions } from './sequence-tracker.ts'

function tracker(last: SequenceNumber | null = null, options: Partial<SequenceTrackerOptions> = {}): SequenceTracker {
  const made = new SequenceTracker({ contiguous: true, resets: true, ...options })
  made.restore(last)
  return made
}

const kindOf = (judgement: Judgement): string =>
  judgement === null ? 'next' : typeof judgement === 'string' ? judgement : judgement.kind

/** The judgements of numbers, in order. */
function judged(on: SequenceTracker, numbers: readonly SequenceNumber[], window?: number): string {
  return numbers.map((number) => kindOf(on.accept(number, window))).join(' ')
}

describe('SequenceTracker', () => {
  test('accepts any first number, and continues after it', () => {
    const t = tracker()
    assert.equal(t.last, null)
    assert.equal(judged(t, [57, 58, 59]), 'next next next')
    assert.equal(t.last, 59)
  })

  test('continues after the restored number', () => {
    assert.equal(judged(tracker(41), [42]), 'next')
    assert.deepEqual(tracker(41).accept(45), { kind: 'skipped', from: 42, to: 44 })
    assert.equal(tracker(41).accept(41), 'duplicate')
  })

  test('accepts a missing number once, as a fill', () => {
    const t = tracker(0)
    assert.equal(judged(t, [1, 5, 3, 3, 2, 4, 4, 6]), 'next skipped fill duplicate fill fill duplicate next')
    assert.deepEqual(t.missingOf({ from: 0, to: 10 }), [])
  })

  test('returns the missing numbers of a range', () => {
    const t = tracker(0)
    judged(t, [4, 10, 7])
    assert.deepEqual(t.missingOf({ from: 2, to: 8 }), [
      { from: 2, to: 3 },
      { from: 5, to: 6 },
      { from: 8, to: 8 },
    ])
  })

  test('forgets the oldest missing range when there are too many', () => {
    const t = tracker(100)
    for (let number = 102; number <= 100 + 2 * 1025; number += 2) t.accept(number)
    assert.equal(judged(t, [101, 103]), 'duplicate fill')
  })

  test('takes 0 and 1 after higher numbers for a reset', () => {
    for (const first of [0, 1]) {
      const t = tracker(1000)
      assert.deepEqual(t.accept(first), { kind: 'reset', last: 1000 })
      assert.equal(judged(t, [first + 1, first + 1]), 'next duplicate')
    }
    assert.equal(judged(tracker(1), [1]), 'duplicate')
  })

  test('takes a number below the window for a reset, and one within the window for a duplicate', () => {
    assert.equal(judged(tracker(1000), [901], 100), 'duplicate')
    assert.equal(judged(tracker(1000), [900], 100), 'reset')
    assert.equal(judged(tracker(1000), [2]), 'duplicate')
  })

  test('has no missing number after a reset', () => {
    const t = tracker(10)
    assert.equal(judged(t, [20, 1, 15, 12]), 'skipped reset skipped fill')
    assert.deepEqual(t.missingOf({ from: 0, to: 30 }), [
      { from: 2, to: 11 },
      { from: 13, to: 14 },
    ])
  })

  test('takes a lower number for a duplicate where resets are impossible', () => {
    assert.equal(judged(tracker(1000, { resets: false }), [1, 0, 500], 100), 'duplicate duplicate duplicate')
  })

  test('finds no gap between numbers that are not contiguous, whatever the window', () => {
    const t = tracker(1000, { contiguous: false })
    assert.equal(judged(t, [5000, 4000, 5000, 5001, 0], 10), 'next duplicate duplicate next reset')
  })

  test('is exact across 2^53 in both directions', () => {
    const top = Number.MAX_SAFE_INTEGER
    const t = tracker(top - 1)
    assert.equal(judged(t, [top, 2n ** 53n, 2n ** 53n + 1n]), 'next next next')
    assert.equal(t.last, 2n ** 53n + 1n)
    assert.deepEqual(t.accept(2n ** 53n + 4n), { kind: 'skipped', from: 2n ** 53n + 2n, to: 2n ** 53n + 3n })
    assert.equal(judged(t, [2n ** 53n, 2n ** 53n + 3n, top]), 'duplicate fill duplicate')
    assert.equal(judged(t, [1, 2]), 'reset next')
    assert.equal(t.last, 2)
  })
})
