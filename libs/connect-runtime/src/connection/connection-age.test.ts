import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ConnectionAge } from './connection-age.ts'

/** A connection that was made at `madeAt`, ms of the mocked time; null: there is none. */
function watched(t: TestContext, maxAgeMs: number) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const told: number[] = []
  const connection: { madeAt: number | null } = { madeAt: 0 }
  const ageMs = (): number | null => (connection.madeAt === null ? null : Date.now() - connection.madeAt)
  const age = new ConnectionAge({ ageMs, maxAgeMs, onOld: () => told.push(Date.now()) })
  const pass = (ms: number): void => {
    for (const end = Date.now() + ms; Date.now() < end;) t.mock.timers.tick(1)
  }
  return { told, connection, age, pass }
}

test('a connection is told when it has its age, and again while it lives', (t) => {
  const { told, age, pass } = watched(t, 1000)
  pass(3500)
  assert.deepEqual(told, [1000, 2000, 3000])
  age.close()
  pass(5000)
  assert.equal(told.length, 3)
})

test('one that was made anew has its whole age', (t) => {
  const { told, connection, pass } = watched(t, 1000)
  pass(600)
  connection.madeAt = 600
  pass(900)
  assert.deepEqual(told, [])
  pass(100)
  assert.deepEqual(told, [1600])
})

test('one that is made while nobody looks is never told late', (t) => {
  const { told, connection, pass } = watched(t, 1000)
  pass(900)
  connection.madeAt = null
  pass(150)
  connection.madeAt = 1050
  pass(2000)
  assert.deepEqual(told, [2050, 3050])
})

test('ages beyond what a timer takes are waited for in parts', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let looks = 0
  const age = new ConnectionAge({ ageMs: () => (looks++, 0), maxAgeMs: 2 ** 40, onOld: () => assert.fail('too early') })
  t.mock.timers.tick(2 ** 31 - 1)
  assert.equal(looks, 1)
  age.close()
})
