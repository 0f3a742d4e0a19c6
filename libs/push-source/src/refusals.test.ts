import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusals } from './refusals.ts'

const MUTE = { heard: false, lastedMs: 50 }

test('the third refusal in a row is for a user to settle, with or without a connection before it', () => {
  const refusals = new Refusals(10_000)
  assert.deepEqual([refusals.refused(), refusals.refused(MUTE), refusals.refused()], [false, false, true])
  refusals.accepted()
  assert.deepEqual([refusals.refused(), refusals.refused()], [false, false])
})

test('the end of a healthy connection is no refusal, and the next refusal is the first of a row', () => {
  for (const healthy of [
    { heard: true, lastedMs: 50 },
    { heard: false, lastedMs: 10_000 },
  ]) {
    const refusals = new Refusals(10_000)
    assert.deepEqual(new Set(Array.from({ length: 5 }, () => refusals.refused(healthy))), new Set([false]))
    assert.deepEqual([refusals.refused(), refusals.refused()], [false, false])
    assert.equal(refusals.refused(healthy), false)
    assert.deepEqual([refusals.refused(), refusals.refused(), refusals.refused()], [false, false, true])
  }
})
