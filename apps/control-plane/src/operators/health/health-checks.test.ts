import assert from 'node:assert/strict'
import test from 'node:test'
import type { ComponentState, HealthComponent } from './component.ts'
import { HealthChecks } from './health-checks.ts'

const component = (check: HealthComponent['check'], inUse = true): HealthComponent => {
  return { name: 'one', inUse: () => inUse, check }
}
const HEALTHY: ComponentState = { status: 'healthy' }

test('a look that hangs ends in time, and no second one begins', async () => {
  let looks = 0
  const { promise: never, resolve } = Promise.withResolvers<ComponentState>()
  const checks = new HealthChecks([component(() => (looks++, never))], { timeoutMs: 20, freshMs: 0 })
  for (let i = 0; i < 3; i++) {
    const report = await checks.component('one')
    assert.deepEqual([report?.status, report?.error], ['unhealthy', 'It did not answer within 0.02 s.'])
  }
  assert.equal(looks, 1)
  resolve(HEALTHY)
  await never
  await new Promise(setImmediate)
  assert.equal((await checks.component('one'))?.status, 'healthy')
  assert.equal(looks, 2)
})

test('everybody who asks at once, or soon after, shares a look', async () => {
  let looks = 0
  const checks = new HealthChecks([component(async () => (looks++, HEALTHY))], { freshMs: 60_000 })
  await Promise.all([checks.read(), checks.read(), checks.component('one')])
  await checks.read()
  assert.equal(looks, 1)
})

test('the last success stays known, and secrets do not stand in errors', async () => {
  let state: ComponentState | Error = HEALTHY
  const checks = new HealthChecks(
    [component(async () => { if (state instanceof Error) throw state; return state })], // prettier-ignore
    { freshMs: 0 },
  )
  const first = await checks.component('one')
  state = new Error('http://user:geheim@host is away')
  const second = await checks.component('one')
  assert.equal(second?.last_successful_check, first?.check_time)
  assert.doesNotMatch(second?.error ?? '', /geheim/)
  assert.equal(second?.response_time_ms, null)
})

test('what is not in use is not looked at', async () => {
  const unused = component(() => Promise.reject(new Error('asked')), false)
  const checks = new HealthChecks([unused])
  assert.deepEqual(await checks.read(), { status: 'healthy', components: {} })
  assert.equal(await checks.component('one'), null)
})
