import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ConnectionAge } from './connection-age.ts'

/** Watches a connection that was made at `madeAt`, in ms of the mocked time; null: no connection. `reports`: times of reports. */
function watched(t: TestContext, maxAgeMs: number) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const reports: number[] = []
  const connection: { madeAt: number | null } = { madeAt: 0 }
  const ageMs = (): number | null => (connection.madeAt === null ? null : Date.now() - connection.madeAt)
  const age = new ConnectionAge({ ageMs, maxAgeMs, onOld: () => reports.push(Date.now()) })
  const pass = (ms: number): void => {
    for (const end = Date.now() + ms; Date.now() < end;) t.mock.timers.tick(1)
  }
  return { reports, connection, age, pass }
}

test('a connection is reported at its maximum age, and again while it lives', (t) => {
  const { reports, age, pass } = watched(t, 1000)
  pass(3500)
  assert.deepEqual(reports, [1000, 2000, 3000])
  age.close()
  pass(5000)
  assert.equal(reports.length, 3)
})

test('a new connection is reported at its own maximum age', (t) => {
  const { reports, connection, pass } = watched(t, 1000)
  pass(600)
  connection.madeAt = 600
  pass(900)
  assert.deepEqual(reports, [])
  pass(100)
  assert.deepEqual(reports, [1600])
})

test('a connection that is made after a check without a connection is reported at its maximum age', (t) => {
  const { reports, connection, pass } = watched(t, 1000)
  pass(900)
  connection.madeAt = null
  pass(150)
  connection.madeAt = 1050
  pass(2000)
  assert.deepEqual(reports, [2050, 3050])
})

test('an age beyond the limit of a timer is reached in several timers', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let looks = 0
  const age = new ConnectionAge({ ageMs: () => (looks++, 0), maxAgeMs: 2 ** 40, onOld: () => assert.fail('too early') })
  t.mock.timers.tick(2 ** 31 - 1)
  assert.equal(looks, 1)
  age.close()
})
