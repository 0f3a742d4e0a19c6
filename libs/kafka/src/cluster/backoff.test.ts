import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff } from './backoff.ts'

test('waits double up to the longest and begin anew after a reset', () => {
  const backoff = new Backoff(100, 1000)
  const around = (full: number): void => {
    const wait = backoff.next()
    assert.ok(wait >= 0.8 * full && wait <= 1.2 * full, `${wait} ms is not around ${full}`)
  }
  for (const full of [100, 200, 400, 800, 1000, 1000]) around(full)
  assert.equal(backoff.attempts, 6)
  backoff.reset()
  around(100)
})
