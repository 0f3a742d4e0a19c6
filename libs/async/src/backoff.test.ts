import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs, KAFKA_JITTER } from './backoff.ts'
import { MAX_TIMER_MS } from './clock.ts'

const least = (): number => 0
const most = (): number => 0.999999

test('waits double up to the longest, between half and all of their length', () => {
  const waits = (random: () => number) => [1, 2, 3, 4].map((n) => backoffMs(n, { baseMs: 100, maxMs: 400, random }))
  assert.deepEqual(waits(least), [50, 100, 200, 200])
  assert.deepEqual(waits(most), [100, 200, 400, 400])
})

test("Kafka's jitter is a fifth either way", () => {
  const wait = (random: () => number) => backoffMs(1, { baseMs: 100, maxMs: 1000, jitter: KAFKA_JITTER, random })
  assert.deepEqual([wait(least), wait(most)], [80, 120])
})

test('no number of tries, and no setting, makes a wait that fires at once', () => {
  for (const attempt of [31, 2000, Number.MAX_SAFE_INTEGER]) {
    const wait = backoffMs(attempt, { baseMs: 5000, maxMs: Number.MAX_SAFE_INTEGER, random: most })
    assert.ok(wait > 1e9 && wait <= MAX_TIMER_MS, `${wait} ms`)
  }
  assert.equal(backoffMs(3, { baseMs: -1, maxMs: 1000 }), 0)
})
