import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lease } from './lease.ts'

function fakeClock(): { wallMs: number; monotonicMs: number; wall(): number; monotonic(): number } {
  return {
    wallMs: 1_700_000_000_000,
    monotonicMs: 5000,
    wall() {
      return this.wallMs
    },
    monotonic() {
      return this.monotonicMs
    },
  }
}

test('there is no lease before the first proof of life', () => {
  assert.equal(new Lease(8500, fakeClock()).valid(), false)
})

test('a lease counts from the moment when the proof was sent, not from its answer', () => {
  const clock = fakeClock()
  const lease = new Lease(8500, clock)
  const sentAt = lease.now()
  clock.wallMs += 8000
  clock.monotonicMs += 8000
  lease.renew(sentAt)
  assert.equal(lease.remainingMs(), 500)
  clock.wallMs += 500
  clock.monotonicMs += 500
  assert.equal(lease.valid(), false)
})

test('a wall clock that is set back does not lengthen a lease', () => {
  const clock = fakeClock()
  const lease = new Lease(8500, clock)
  lease.renew(lease.now())
  clock.wallMs -= 3_600_000
  clock.monotonicMs += 8500
  assert.equal(lease.valid(), false)
})

test('a monotonic clock that stood still while the machine was suspended does not lengthen a lease', () => {
  const clock = fakeClock()
  const lease = new Lease(8500, clock)
  lease.renew(lease.now())
  clock.wallMs += 8500
  assert.equal(lease.valid(), false)
})

test('an answer that arrives after the answer to a newer proof does not shorten a lease', () => {
  const clock = fakeClock()
  const lease = new Lease(8500, clock)
  const first = lease.now()
  clock.wallMs += 500
  clock.monotonicMs += 500
  lease.renew(lease.now())
  lease.renew(first)
  assert.equal(lease.remainingMs(), 8500)
})

test('a wait ends with the next proof of life, but not with a proof that has already expired', async () => {
  const clock = fakeClock()
  const lease = new Lease(8500, clock)
  const old = lease.now()
  clock.wallMs += 9000
  clock.monotonicMs += 9000
  let waited = false
  const wait = lease.wait(new AbortController().signal).then(() => (waited = true))
  lease.renew(old)
  await Promise.resolve()
  assert.equal(waited, false)
  lease.renew(lease.now())
  await wait
})

test('a revoked lease is over at once, and a wait rejects with the reason of its signal', async () => {
  const lease = new Lease(8500, fakeClock())
  lease.renew(lease.now())
  lease.revoke()
  assert.equal(lease.valid(), false)
  const controller = new AbortController()
  const wait = lease.wait(controller.signal)
  controller.abort(new Error('stopped'))
  await assert.rejects(wait, /stopped/)
})

test('a pause of the process ends a lease, and only a proof that was sent after the pause renews it', () => {
  for (const clockName of ['wallMs', 'monotonicMs'] as const) {
    const clock = fakeClock()
    const lease = new Lease(8500, clock, 250)
    const pass = (ms: number): void => {
      clock.wallMs += ms
      clock.monotonicMs += ms
    }
    lease.renew(lease.now())
    for (let pulse = 0; pulse < 10; pulse++) {
      pass(250)
      assert.equal(lease.pulse(), false)
    }
    assert.equal(lease.remainingMs(), 6000, 'a process that runs keeps its lease')
    const before = lease.now()
    pass(1)
    clock[clockName] += 250
    assert.equal(lease.valid(), false, 'the pause is noticed by whoever asks first')
    lease.renew(before)
    assert.equal(lease.valid(), false)
    pass(1)
    lease.renew(lease.now())
    assert.equal(lease.valid(), true)
  }
})
