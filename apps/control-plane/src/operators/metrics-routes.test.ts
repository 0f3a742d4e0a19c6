import assert from 'node:assert/strict'
import test from 'node:test'
import { GRANTS_ACCESS } from '../testing/grants-access.ts'
import { FILE_SOURCE, type TestApi, testApi } from '../testing/test-api.ts'
import { metricsReader } from './metrics-routes.ts'

const config = { 'connector.class': FILE_SOURCE.class, topic: 'lines' }
const ENTRY = { state: 'RUNNING', workerId: 'w:1', generation: 1 } as const

async function metrics(api: TestApi): Promise<string> {
  const { status, body, headers } = await api.operators('GET', '/metrics', undefined, { accept: 'text/plain' })
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  return (body ?? '') as string
}

test('the states of connectors are told, and what nobody has is absent', async () => {
  const api = testApi()
  const empty = await metrics(api)
  for (const name of ['kafka_connect_connector_state', 'cdc_dlq_events_total', 'cdc_dlq_replay_success_total']) {
    assert.ok(!empty.includes(name), name)
  }
  for (const name of ['runs', 'failed', 'paused', 'new']) await api.configs.putConnectorConfig(name, config)
  for (const name of ['runs', 'failed']) await api.status.putConnector(name, ENTRY)
  await api.status.putConnector('paused', { ...ENTRY, state: 'PAUSED' })
  await api.status.putTask('runs', 0, ENTRY)
  await api.status.putTask('failed', 0, { ...ENTRY, state: 'FAILED' })
  const text = await metrics(api)
  for (const line of [
    '# TYPE kafka_connect_connector_state gauge',
    'kafka_connect_connector_state{connector="runs"} 1',
    'kafka_connect_connector_state{connector="failed"} 0',
    'kafka_connect_connector_state{connector="paused"} 0',
    'kafka_connect_connector_state{connector="new"} 0',
    'kafka_connect_connector_halted{connector="paused"} 1',
    'kafka_connect_connector_halted{connector="failed"} 0',
    '# TYPE kafka_connect_task_failures_total counter',
    'kafka_connect_task_failures_total{connector="failed"} 1',
    'kafka_connect_task_failures_total{connector="runs"} 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line}\n${text}`)
  }
})

test('a failure is counted once until the task runs again', async () => {
  const api = testApi()
  await api.configs.putConnectorConfig('a', config)
  const put = (state: 'RUNNING' | 'FAILED') => api.status.putTask('a', 0, { ...ENTRY, state })
  for (const state of ['FAILED', 'FAILED', 'RUNNING', 'FAILED'] as const) await put(state)
  assert.match(await metrics(api), /^kafka_connect_task_failures_total\{connector="a"\} 2$/m)
})

test('dead letters are counted by table and type', async () => {
  const api = testApi()
  api.index.add({ originalTopic: 'orders', errorType: 'SCHEMA_MISMATCH' })
  api.index.add({ originalTopic: 'orders', errorType: 'SCHEMA_MISMATCH' })
  api.index.add({ originalTopic: 'users', errorType: 'POISON_PILL' })
  const text = await metrics(api)
  assert.ok(text.includes('cdc_dlq_events_total{table="orders",error_type="SCHEMA_MISMATCH"} 2\n'), text)
  assert.ok(text.includes('cdc_dlq_events_total{table="users",error_type="POISON_PILL"} 1\n'), text)
})

test('the names of topics and connectors cannot break the text', async () => {
  const api = testApi()
  api.index.add({ originalTopic: 'a"}\n# x', errorType: 'UNKNOWN' })
  assert.ok((await metrics(api)).includes('cdc_dlq_events_total{table="a\\"}\\n# x",error_type="UNKNOWN"} 1\n'))
})

test('with a token of metrics only its bearer reads them, whether or not callers log in', async () => {
  const mayReadMetrics = ({ headers }: { headers: Record<string, unknown> }) => headers['authorization'] === 'Bearer m'
  const loggedIn = { authenticators: [metricsReader(mayReadMetrics), ...GRANTS_ACCESS.authenticators] }
  for (const access of [undefined, loggedIn]) {
    const api = testApi({ mayReadMetrics, ...(access && { access }) })
    for (const path of ['/metrics', '/api/v1/metrics']) {
      const read = async (headers: Record<string, string>) =>
        (await api.operators('GET', path, undefined, headers)).status
      assert.equal(await read({}), 401)
      assert.equal(await read({ authorization: 'Bearer m' }), 200)
    }
    // It is no key for anything else.
    if (access) {
      assert.equal((await api.operators('GET', '/connectors', undefined, { authorization: 'Bearer m' })).status, 401)
    }
    assert.equal((await api.call('GET', '/metrics')).status, access ? 401 : 404)
  }
})
