import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerOfAddress, RateLimit } from './rate-limit.ts'

test('a caller gets its burst, then its rate; others are not concerned', () => {
  let now = 0
  const limit = new RateLimit(10, 3, () => now)
  assert.deepEqual([limit.take('a'), limit.take('a'), limit.take('a')], [0, 0, 0])
  assert.equal(limit.take('a'), 100)
  assert.equal(limit.wait('a'), 100)
  assert.equal(limit.take('b'), 0)
  now = 60
  assert.ok(Math.abs(limit.take('a') - 40) < 1e-6)
  now = 101
  assert.equal(limit.take('a'), 0)
  now = 10_000
  assert.deepEqual([limit.take('a'), limit.take('a'), limit.take('a')], [0, 0, 0])
  assert.ok(limit.take('a') > 0)
})

test('callers beyond any number are forgotten, those that are silent for longest first', () => {
  const limit = new RateLimit(1, 1, () => 0)
  limit.take('kept')
  limit.take('silent')
  for (let i = 0; i < 20_000; i++) {
    limit.take(`caller ${i}`)
    if (i % 1000 === 0) limit.take('kept')
  }
  assert.ok(limit.wait('kept') > 0)
  assert.equal(limit.wait('silent'), 0)
})

test('a caller is an IPv4 address, or the /64 of an IPv6 address', () => {
  for (const [address, caller] of [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::1', '::1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ] as const) {
    assert.equal(callerOfAddress(address), caller)
  }
})
