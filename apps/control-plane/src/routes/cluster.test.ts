import assert from 'node:assert/strict'
import test from 'node:test'
import { testApi, type TestApi } from '../testing/test-api.ts'

const config = { 'connector.class': 'FileStreamSource', topic: 't' }

async function apiWith(states: Readonly<Record<string, string>>): Promise<TestApi> {
  const api = testApi()
  for (const [name, state] of Object.entries(states)) {
    await api.call('POST', '/connectors', { name, config, initial_state: state })
  }
  return api
}

test('all connectors whose names match a pattern are paused and resumed; STOPPED ones stay STOPPED', async () => {
  const api = await apiWith({
    'orders-b': 'RUNNING',
    'orders-a': 'RUNNING',
    'orders-c': 'PAUSED',
    'orders-d': 'STOPPED',
    users: 'RUNNING',
  })
  const state = (connector: string): string => api.configs.snapshot.targetState(connector)
  const paused = await api.call('PUT', '/cluster/connectors/pause?pattern=orders-*')
  assert.deepEqual(paused.body, {
    pattern: 'orders-*',
    changed: ['orders-a', 'orders-b'],
    unchanged: ['orders-c'],
    stopped: ['orders-d'],
  })
  assert.deepEqual(['orders-a', 'orders-b', 'orders-d', 'users'].map(state), ['PAUSED', 'PAUSED', 'STOPPED', 'STARTED'])

  const resumed = await api.call('PUT', '/cluster/connectors/resume?pattern=*')
  assert.deepEqual((resumed.body as { changed: string[] }).changed, ['orders-a', 'orders-b', 'orders-c'])
  assert.equal(state('orders-d'), 'STOPPED')
  const none = await api.call('PUT', '/cluster/connectors/pause?pattern=nothing-*')
  assert.deepEqual(none.body, { pattern: 'nothing-*', changed: [], unchanged: [], stopped: [] })
})

test('without a pattern nothing is paused', async () => {
  const api = await apiWith({ a: 'RUNNING' })
  for (const query of ['', '?pattern=']) {
    const answer = await api.call('PUT', `/cluster/connectors/pause${query}`)
    assert.equal(answer.status, 400)
    assert.match((answer.body as { message: string }).message, /^The query parameter "pattern" is missing/)
  }
  assert.equal(api.configs.snapshot.targetState('a'), 'STARTED')
})

test('the paths for many connectors do not hide a connector of the same name', async () => {
  const api = await apiWith({ pause: 'RUNNING', 'cluster/connectors/pause': 'RUNNING' })
  for (const name of ['pause', 'cluster%2Fconnectors%2Fpause']) {
    assert.equal((await api.call('GET', `/connectors/${name}`)).status, 200)
  }
})
