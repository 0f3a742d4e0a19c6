import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentDigest } from './content-digest.ts'

const BASE = JSON.stringify({ sequence: 100_000, symbol: 'EURUSD', price: 1.2345, note: 'é' })

test('contents that differ in one character have different digests, at every length and place', () => {
  for (const base of [BASE, BASE.repeat(20), 'ab', 'abc']) {
    const bytes = Buffer.from(base)
    const digests = new Set([contentDigest(bytes)])
    for (let at = 0; at < bytes.length; at++) {
      const other = Buffer.from(bytes)
      other[at]! ^= 1
      digests.add(contentDigest(other))
    }
    assert.equal(digests.size, bytes.length + 1)
    const texts = Array.from(base, (_, at) => `${base.slice(0, at)}X${base.slice(at + 1)}`)
    assert.equal(new Set([base, ...texts].map(contentDigest)).size, base.length + 1)
  }
})

test('a million messages that count have about as many digests as chance allows', () => {
  const digests = new Set<number>()
  for (let n = 0; n < 1_000_000; n++) digests.add(contentDigest(Buffer.from(`{"s":${n},"t":"${n * 7}"}`)))
  // 2^39.9 pairs of 2^32 digests: 116 are expected to be equal.
  assert.ok(1_000_000 - digests.size < 200, `${1_000_000 - digests.size} are equal`)
})

test('the same bytes have the same digest wherever they lie in memory', () => {
  const memory = Buffer.from(`x${BASE}`)
  assert.equal(contentDigest(memory.subarray(1)), contentDigest(Buffer.from(BASE)))
})

test('a digest is never 0, and stays what stored offsets hold', () => {
  assert.equal(contentDigest(''), 1)
  assert.equal(contentDigest(Buffer.alloc(0)), 1)
  assert.deepEqual(
    [contentDigest(BASE), contentDigest(Buffer.from(BASE)), contentDigest('y'.repeat(600))],
    [204_555_872, 953_053_293, 60_836_706],
  )
})
