import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecondConnections } from './second-connections.ts'

const HOUR_MS = 3_600_000

test('a source that has refused a second connection is asked again for a changed configuration after an hour', () => {
  const second = new SecondConnections()
  assert.equal(second.mayTry('config_changed', 1000, 0), true)
  second.tried(true, 0)
  assert.equal(second.mayTry('config_changed', 1000, HOUR_MS - 1), false)
  assert.equal(second.mayTry('config_changed', 1000, HOUR_MS), true)
})

test('the wait before the next try for age doubles with each refusal, up to an hour', () => {
  const second = new SecondConnections()
  for (const waitMs of [2000, 4000, 8000]) {
    second.tried(true, 0)
    assert.equal(second.mayTry('connection_age', 1000, waitMs - 1), false)
    assert.equal(second.mayTry('connection_age', 1000, waitMs), true)
  }
  for (let i = 0; i < 20; i++) second.tried(true, 0)
  assert.equal(second.mayTry('connection_age', 1000, HOUR_MS), true)
  second.tried(false, 0)
  assert.equal(second.mayTry('config_changed', 1000, 0), true)
})
