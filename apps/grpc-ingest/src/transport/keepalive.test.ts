import assert from 'node:assert/strict'
import type { ClientHttp2Session } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { Keepalive } from './keepalive.ts'

function fakeSession(answers: boolean) {
  const seen: { pings: number; destroyedBy: Error | null } = { pings: 0, destroyedBy: null }
  const session = {
    destroyed: false,
    ping: (answered: (error: Error | null) => void) => {
      seen.pings++
      if (answers) answered(null)
      return true
    },
    destroy: (error: Error) => (seen.destroyedBy = error),
  }
  return { seen, session: session as unknown as ClientHttp2Session }
}

function withTimers(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  return (ms) => t.mock.timers.tick(ms)
}

test('a silent connection is pinged at each interval', (t) => {
  const tick = withTimers(t)
  const { seen, session } = fakeSession(true)
  const keepalive = new Keepalive(session, 10_000, 500)
  tick(9999)
  assert.equal(seen.pings, 0)
  tick(10_001)
  assert.equal(seen.pings, 2)
  assert.equal(seen.destroyedBy, null)
  keepalive.stop()
})

test('silence is noticed within a quarter more than the interval', (t) => {
  const tick = withTimers(t)
  const { seen, session } = fakeSession(true)
  const keepalive = new Keepalive(session, 40_000, 500)
  tick(40_000)
  tick(1)
  keepalive.read()
  tick(39_999)
  assert.equal(seen.pings, 1)
  tick(10_000)
  assert.equal(seen.pings, 2)
  keepalive.stop()
})

test('a connection that brings something is not pinged', (t) => {
  const tick = withTimers(t)
  const { seen, session } = fakeSession(true)
  const keepalive = new Keepalive(session, 30_000, 500)
  tick(29_000)
  keepalive.read()
  tick(1000)
  assert.equal(seen.pings, 0)
  tick(30_000)
  assert.equal(seen.pings, 1)
  keepalive.stop()
})

test('a connection that does not answer in time is given up', (t) => {
  const tick = withTimers(t)
  const { seen, session } = fakeSession(false)
  const keepalive = new Keepalive(session, 30_000, 500)
  tick(30_000)
  tick(499)
  assert.equal(seen.destroyedBy, null)
  tick(1)
  assert.match(String(seen.destroyedBy), /no answer to a keepalive PING within 500 ms/)
  keepalive.stop()
})

test('a timeout above the interval runs out too', (t) => {
  const tick = withTimers(t)
  const { seen, session } = fakeSession(false)
  const keepalive = new Keepalive(session, 10_000, 25_000)
  for (let i = 0; i < 34; i++) tick(1000)
  assert.equal(seen.destroyedBy, null)
  tick(1000)
  assert.match(String(seen.destroyedBy), /no answer to a keepalive PING within 25000 ms/)
  assert.equal(seen.pings, 1)
  keepalive.stop()
})

test('keepalive can be off', (t) => {
  const tick = withTimers(t)
  const { seen, session } = fakeSession(false)
  const keepalive = new Keepalive(session, 0, 500)
  tick(1_000_000)
  assert.equal(seen.pings, 0)
  keepalive.stop()
})
