import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WindowSample } from './window-sample.ts'

/** Random numbers that are the same each time (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

test('all that fits is in the sample, in its order, and the next window begins anew', () => {
  const sample = new WindowSample<number>(10)
  for (let i = 0; i < 10; i++) sample.offer(1, () => i)
  assert.equal(sample.seen, 10)
  assert.deepEqual(sample.take(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  assert.deepEqual([sample.seen, sample.take()], [0, []])
})

test('of many each has the same chance, whether they come one by one or at once; few are made', () => {
  const sample = new WindowSample<number>(20, random(7))
  const tenths = Array<number>(10).fill(0)
  let made = 0
  for (let window = 0; window < 500; window++) {
    for (let at = 0; at < 1000;) {
      const count = window % 2 === 0 ? 1 : 50
      const first = at
      sample.offer(count, (i) => {
        made++
        return first + i
      })
      at += count
    }
    const taken = sample.take()
    assert.equal(taken.length, 20)
    assert.deepEqual(
      taken,
      taken.toSorted((a, b) => a - b),
    )
    for (const one of taken) tenths[Math.floor(one / 100)]!++
  }
  // 1,000 of each tenth are expected; five standard deviations are 150.
  for (const count of tenths) assert.ok(Math.abs(count - 1000) < 150, tenths.join(' '))
  assert.ok(made / 500 < 120, `${made / 500} of 1,000 were made for a sample of 20`)
})
