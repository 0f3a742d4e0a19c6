import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SequenceNumber } from './number.ts'
import { contentDigest } from './content-digest.ts'
import { type Judgement, SequenceTracker, type SequenceTrackerOptions } from './sequence-tracker.ts'

function tracker(
  last: SequenceNumber | null = null,
  options: Partial<SequenceTrackerOptions> = {},
  digests = '',
): SequenceTracker {
  const made = new SequenceTracker({ contiguous: true, resets: true, window: 1000, ...options })
  made.restore(last, digests)
  return made
}

const kindOf = (judgement: Judgement): string =>
  judgement === null ? 'next' : typeof judgement === 'string' ? judgement : judgement.kind

/** The judgements of numbers, in order. `content` and the number make the message. */
function judged(on: SequenceTracker, numbers: readonly SequenceNumber[], content = 'a', overlapping = false): string {
  return numbers.map((n) => kindOf(on.accept(n, contentDigest(`${content}${n}`), overlapping))).join(' ')
}

const accept = (on: SequenceTracker, n: SequenceNumber, content = 'a'): Judgement =>
  on.accept(n, contentDigest(`${content}${n}`))
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
/** The count of each judgement. */
function counted(judgements: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const judgement of judgements.split(' ')) counts[judgement] = (counts[judgement] ?? 0) + 1
  return counts
}

describe('contiguous numbers', () => {
  test('begin with any number, and continue after it', () => {
    const t = tracker()
    assert.equal(t.last, null)
    assert.equal(judged(t, [57, 58, 59]), 'next next next')
    assert.equal(t.last, 59)
  })

  test('continue after the restored number', () => {
    assert.equal(judged(tracker(41), [42]), 'next')
    assert.deepEqual(accept(tracker(41), 45), { kind: 'skipped', from: 42, to: 44 })
    assert.equal(accept(tracker(41), 41), 'duplicate')
  })

  test('that are missing fill once', () => {
    const t = tracker(0)
    assert.equal(judged(t, [1, 5, 3, 3, 2, 4, 4, 6]), 'next skipped fill duplicate fill fill duplicate next')
    assert.deepEqual(t.missingOf({ from: 0, to: 10 }), [])
  })

  test('that are missing are told by range', () => {
    const t = tracker(0)
    judged(t, [4, 10, 7])
    assert.deepEqual(t.missingOf({ from: 2, to: 8 }), [
      { from: 2, to: 3 },
      { from: 5, to: 6 },
      { from: 8, to: 8 },
    ])
  })

  test('of a filled gap are late with another text, since who fills a gap may write it in another way', () => {
    const t = tracker(0)
    judged(t, [1, 5, 3])
    assert.equal(judged(t, [3], 'b'), 'late')
    assert.equal(judged(t, [6]), 'next')
  })

  test('with the same message are duplicates, and with another one a new numbering', () => {
    const t = tracker()
    judged(t, range(1, 1000))
    assert.equal(judged(t, [900, 1000, 1]), 'duplicate duplicate duplicate')
    assert.deepEqual(accept(t, 5, 'b'), { kind: 'reset', last: 1000, certain: true })
    assert.deepEqual(counted(judged(t, range(6, 1500), 'b')), { next: 1495 })
    assert.deepEqual(t.missingOf({ from: 0, to: 2000 }), [])
  })

  test('below all that is remembered are a new numbering, perhaps', () => {
    const t = tracker()
    judged(t, [998, 999, 1000])
    assert.deepEqual(accept(t, 3, 'b'), { kind: 'reset', last: 1000, certain: false })
    assert.equal(judged(t, [4, 5], 'b'), 'next next')
  })

  test('that are sent again from before what is remembered come twice up to there, and no further', () => {
    const t = tracker(null, { window: 100 })
    judged(t, range(1, 1000))
    const again = counted(judged(t, range(501, 1010)))
    assert.deepEqual(again, { reset: 1, next: 399 + 10, duplicate: 100 })
  })

  test('are a new numbering where an offset has no digests, but its own number is a duplicate', () => {
    assert.equal(judged(tracker(1000), [1000, 1001]), 'duplicate next')
    assert.deepEqual(accept(tracker(1000), 999), { kind: 'reset', last: 1000, certain: false })
  })

  test('are told apart by the digests of the offset', () => {
    const t = tracker()
    judged(t, range(1, 1000))
    const { digests } = t
    assert.ok(digests.length <= 360, digests)
    assert.deepEqual(counted(judged(tracker(1000, {}, digests), range(937, 1001))), { duplicate: 64, next: 1 })
    assert.deepEqual(accept(tracker(1000, {}, digests), 990, 'b'), { kind: 'reset', last: 1000, certain: true })
    assert.deepEqual(accept(tracker(1000, {}, digests), 5, 'b'), { kind: 'reset', last: 1000, certain: false })
  })

  test('fill what was missing at the time of the offset', () => {
    const t = tracker()
    judged(t, [...range(1, 990), 993, 995, 994])
    const next = tracker(995, {}, t.digests)
    assert.equal(judged(next, [993, 992, 991, 991, 996]), 'duplicate fill fill duplicate next')
  })

  test('that came before many late ones are not missing in the offset', () => {
    const t = tracker()
    judged(t, [...range(1, 10), 300, ...range(11, 299)])
    const { digests } = t
    assert.equal(accept(tracker(300, {}, digests), 300), 'duplicate')
    judged(t, [301])
    assert.equal(kindOf(accept(tracker(301, {}, t.digests), 300)), 'reset')
  })

  test('of an altered offset do not use its digests', () => {
    const t = tracker()
    judged(t, range(1, 1000))
    assert.equal(judged(tracker(500, {}, t.digests), [500, 501]), 'duplicate next')
    for (const damaged of ['x', '500:', '500:*', ':', '500:~']) judged(tracker(500, {}, damaged), [500])
  })

  test('are those of the predecessor while both are connected, whatever the message says', () => {
    assert.equal(judged(tracker(1000), range(900, 902), 'a', true), 'duplicate duplicate duplicate')
    const t = tracker()
    judged(t, range(1, 1000))
    assert.equal(judged(tracker(1000, {}, t.digests), [999], 'b', true), 'duplicate')
  })

  test('are duplicates whatever the message says where resets are ruled out', () => {
    const t = tracker(null, { resets: false })
    judged(t, range(1, 1000))
    assert.equal(judged(t, [1, 0, 500], 'b'), 'duplicate duplicate duplicate')
  })

  test('of 0 are no number where 0 may stand for none', () => {
    const t = tracker(null, { zeroIsNone: true })
    assert.equal(judged(t, [0, 1, 2, 0, 0, 3]), 'next next next doubtful doubtful next')
    assert.equal(t.last, 3)
  })

  test('are exact across 2^53 in both directions', () => {
    const top = Number.MAX_SAFE_INTEGER
    const t = tracker(top - 1)
    assert.equal(judged(t, [top, 2n ** 53n, 2n ** 53n + 1n]), 'next next next')
    assert.equal(t.last, 2n ** 53n + 1n)
    assert.deepEqual(accept(t, 2n ** 53n + 4n), { kind: 'skipped', from: 2n ** 53n + 2n, to: 2n ** 53n + 3n })
    assert.equal(judged(t, [2n ** 53n, 2n ** 53n + 3n, top]), 'duplicate fill duplicate')
    assert.equal(judged(tracker(2n ** 53n + 4n, {}, t.digests), [top, 2n ** 53n + 2n]), 'duplicate fill')
    assert.equal(judged(t, [1, 2]), 'reset next')
    assert.equal(t.last, 2)
  })

  test('keep at most 1024 missing ranges', () => {
    const t = tracker(100)
    for (let number = 102; number <= 100 + 2 * 1025; number += 2) accept(t, number)
    assert.equal(judged(t, [103, 101]), 'fill reset')
  })
})

describe('numbers that are not contiguous', () => {
  const times = (options: Partial<SequenceTrackerOptions> = {}, last: SequenceNumber | null = null, digests = '') =>
    tracker(last, { contiguous: false, ...options }, digests)

  test('have no gaps, and equal ones are duplicates only with the same message', () => {
    const t = times()
    assert.equal(judged(t, [1000, 5000, 5000]), 'next next duplicate')
    assert.equal(judged(t, [5000], 'b'), 'next')
    assert.equal(judged(t, [5000, 5001, 5001]), 'duplicate next duplicate')
  })

  test('may be out of order', () => {
    const t = times()
    assert.equal(judged(t, [1000, 5000, 4000, 4000]), 'next next doubtful duplicate')
    assert.equal(t.last, 5000)
  })

  test('begin anew at 0 or 1, or when many in a row are lower', () => {
    const t = times()
    judged(t, [5000])
    assert.equal(judged(t, [1]), 'reset')
    judged(t, [5000])
    assert.deepEqual(counted(judged(t, range(2000, 2200))), { doubtful: 99, reset: 1, next: 101 })
    assert.equal(t.last, 2200)
  })

  test('are compared with all that was delivered of the last value', () => {
    const t = times()
    const seconds = Array.from({ length: 57 }, (_, i) => ({ at: 1_700_000_000 + Math.floor(i / 20), id: i }))
    const judge = (on: SequenceTracker, from: number): string[] =>
      seconds.slice(from).map(({ at, id }) => kindOf(on.accept(at, contentDigest(String(id)))))
    const first = seconds.slice(0, 30).map(({ at, id }) => kindOf(t.accept(at, contentDigest(String(id)))))
    assert.deepEqual(new Set(first), new Set(['next']))
    const next = times({}, t.last, t.digests)
    assert.deepEqual(judge(next, 20), [...Array<string>(10).fill('duplicate'), ...Array<string>(27).fill('next')])
  })

  test('are in doubt where more messages of a value came than are remembered', () => {
    const many = (on: SequenceTracker, from: number, to: number): Record<string, number> =>
      counted(
        range(from, to)
          .map((id) => kindOf(on.accept(7n * 2n ** 60n, contentDigest(String(id)))))
          .join(' '),
      )
    const t = times({ window: 5000 })
    assert.deepEqual(many(t, 1, 2000), { next: 2000 })
    assert.deepEqual(many(t, 1, 2000), { duplicate: 2000 })
    const { digests, last } = t
    assert.ok(digests.length <= 3700)
    assert.deepEqual(many(times({ window: 5000 }, last, digests), 1, 2001), { doubtful: 1321, duplicate: 680 })
    assert.deepEqual(many(times({ window: 100 }), 1, 101), { next: 101 })
  })

  test('of an offset without digests are in doubt, until the next number', () => {
    assert.equal(judged(times({}, 5000), [5000, 5000, 4000]), 'doubtful duplicate doubtful')
    assert.equal(judged(times({ failsInDoubt: true }, 5000), [5000, 5000]), 'doubtful doubtful')
    const t = times({ failsInDoubt: true }, 5000)
    assert.equal(judged(t, [5001]) + judged(t, [5001], 'b'), 'nextnext')
    assert.equal(judged(times({}, 5000, '4999:AAAAAQ'), [5000]), 'doubtful')
  })
})
