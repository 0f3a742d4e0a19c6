import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, RetriableError } from '@tributary/connect-api'
import { outlook, RestartPolicy, type RestartSettings } from './restart-policy.ts'

const outage = new RetriableError('SOURCE_AWAY', 'the source is away')
const settings: RestartSettings = {
  max: 3,
  backoffMs: 1000,
  backoffMaxMs: 60_000,
  healthyMs: 60_000,
  random: () => 1 - Number.EPSILON,
}

test('an outage is followed by restarts with growing waits, until the budget is used up', () => {
  const policy = new RestartPolicy(settings)
  const waits = [1, 2, 3].map(() => policy.next(outage, 'retriable', 10))
  assert.deepEqual(
    waits.map((restart) => restart.kind === 'after' && restart.waitMs),
    [1000, 2000, 4000],
  )
  assert.deepEqual(policy.next(outage, 'retriable', 10), { kind: 'exhausted', max: 3 })
  assert.equal(policy.restarts, 3)
})

test('a healthy period and a restart by a user each restore the whole budget', () => {
  const policy = new RestartPolicy(settings)
  for (let i = 0; i < 4; i++) policy.next(outage, 'retriable', 10)
  assert.equal(policy.next(outage, 'retriable', 60_000).kind, 'after')
  for (let i = 0; i < 3; i++) policy.next(outage, 'retriable', 10)
  assert.equal(policy.next(outage, 'retriable', 10).kind, 'exhausted')
  policy.refill()
  assert.deepEqual(policy.next(outage, 'retriable', 10), { kind: 'after', waitMs: 1000, attempt: 1, max: 3 })
})

test('a task that failed with a wrong configuration, a bad record or a bug is not restarted', () => {
  const policy = new RestartPolicy(settings)
  for (const kind of ['config', 'data', 'fatal'] as const) {
    assert.deepEqual(policy.next(new ConfigError('X', 'wrong'), kind, 0), { kind: 'never' })
  }
  assert.equal(policy.restarts, 0)
})

test('the default budget outlives half an hour of outage even when every wait is the shortest', () => {
  const defaults = { max: 100, backoffMs: 1000, backoffMaxMs: 60_000, healthyMs: 60_000 }
  const policy = new RestartPolicy({ ...defaults, random: () => 0 })
  let waited = 0
  for (;;) {
    const restart = policy.next(outage, 'retriable', 0)
    if (restart.kind !== 'after') break
    waited += restart.waitMs
  }
  assert.ok(waited > 30 * 60_000, `${waited} ms`)
})

test('the outlook says what happens next', () => {
  assert.equal(outlook({ kind: 'never' }), null)
  assert.match(outlook({ kind: 'exhausted', max: 3 })!, /all 3 restarts .* Restart the task/)
  assert.match(outlook({ kind: 'exhausted', max: 0 })!, /task\.restart\.max is 0/)
  assert.match(outlook({ kind: 'after', waitMs: 1500, attempt: 2, max: 3 })!, /in 1\.5 s \(restart 2 of 3\)/)
})
