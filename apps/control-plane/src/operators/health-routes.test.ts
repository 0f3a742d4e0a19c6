import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { GRANTS_ACCESS } from '../testing/grants-access.ts'
import { FILE_SOURCE, type TestApi, testApi } from '../testing/test-api.ts'

interface Component {
  readonly status: string
  readonly response_time_ms: number | null
  readonly check_time: string
  readonly last_successful_check: string | null
  readonly error?: string
  readonly [field: string]: unknown
}
interface Report {
  readonly status: string
  readonly components: Readonly<Record<string, Component>>
}

const KAFKA = { describeCluster: () => Promise.resolve({ brokers: ['a:9092', 'b:9092'] }) }
const config = { 'connector.class': FILE_SOURCE.class, topic: 'lines' }

async function health(api: TestApi, path = '', grants?: string) {
  const headers = grants === undefined ? {} : { 'x-grants': grants }
  const { status, body } = await api.operators('GET', `/health${path}`, undefined, headers)
  return { status, body: body as Report & Component }
}

test('all parts in use are shown, each with the fields of monitors', async () => {
  const api = testApi({ kafka: KAFKA })
  const { status, body } = await health(api)
  assert.deepEqual([status, body.status], [200, 'healthy'])
  assert.deepEqual(Object.keys(body.components), ['kafka', 'control_plane', 'connectors', 'dlq'])
  const { kafka } = body.components
  assert.deepEqual([kafka?.['broker_count'], kafka?.['topics_healthy']], [2, true])
  for (const component of Object.values(body.components)) {
    assert.equal(component.status, 'healthy')
    assert.equal(typeof component.response_time_ms, 'number')
    for (const time of [component.check_time, component.last_successful_check]) {
      assert.equal(new Date(time ?? '').toISOString(), time)
    }
  }
  assert.deepEqual((await api.operators('GET', '/api/v1/health')).status, 200)
  // Kafka Connect's port keeps its own.
  assert.equal(((await api.call('GET', '/health')).body as { message: string }).message.length > 0, true)
  assert.equal((await api.call('GET', '/health/kafka')).status, 404)
})

test('what failed is degraded while others go on, and unhealthy with 503 when nothing does', async () => {
  const api = testApi({ kafka: { describeCluster: () => Promise.reject(new Error('no broker of a:9092 answers')) } })
  const kafka = await health(api, '/kafka')
  assert.equal(kafka.status, 503)
  const { status, response_time_ms, last_successful_check, error } = kafka.body
  assert.deepEqual({ status, response_time_ms, last_successful_check, error }, {
    ...{ status: 'unhealthy', response_time_ms: null, last_successful_check: null },
    error: 'no broker of a:9092 answers',
  }) // prettier-ignore

  await api.call('POST', '/connectors', { name: 'a', config })
  const entry = { state: 'FAILED', workerId: 'w:1', generation: 1, trace: 'oh' } as const
  await api.status.putConnector('a', { ...entry, state: 'RUNNING' })
  await api.status.putTask('a', 0, entry)
  const connectors = await health(api, '/connectors')
  assert.deepEqual([connectors.status, connectors.body.status, connectors.body['failed']], [200, 'degraded', ['a']])
  assert.match(connectors.body.error ?? '', /1 of 1 connectors are FAILED/)
  const workers = await health(api, '/workers')
  assert.deepEqual([workers.status, workers.body['services']], [503, { 'file-ingest': 0 }])
  assert.equal((await health(api)).status, 503)
})

test('a component that is not in use is 404, with those that are', async () => {
  const { status, body } = await health(testApi(), '/cassandra')
  assert.equal(status, 404)
  assert.deepEqual(
    [body.status, body['available_components'], body.error],
    ['error', ['control_plane', 'connectors', 'dlq'], 'NOT_FOUND'],
  )
})

test('everybody sees the status, and only those who may view everything the reasons', async () => {
  const reason = 'no broker of a:9092 answers'
  const api = testApi({ access: GRANTS_ACCESS, kafka: { describeCluster: () => Promise.reject(new Error(reason)) } })
  for (const [grants, seen] of [
    [undefined, undefined],
    ['viewer:a-*', undefined],
    ['viewer', reason],
  ] as const) {
    const { status, body } = await health(api, '/kafka', grants)
    assert.deepEqual([status, body.status, body.error], [503, 'unhealthy', seen], grants)
    const whole = await health(api, '', grants)
    assert.equal(whole.body.components['kafka']?.error, seen)
  }
})

async function registry(t: TestContext, answer: (url: string) => { status: number; body: string }) {
  const asked: { url: string; authorization: string | undefined }[] = []
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization })
    const { status, body } = answer(request.url ?? '')
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { asked, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('each schema registry that a connector names is asked once, without its credentials', async (t) => {
  const { asked, host } = await registry(t, () => ({ status: 200, body: '["a-value","b-value"]' }))
  const api = testApi()
  const withRegistry = (url: string) => ({ ...config, 'value.converter.schema.registry.url': url })
  await api.configs.putConnectorConfig('a', withRegistry(`http://user:geheim@${host}/base/?token=geheim`))
  await api.configs.putConnectorConfig('b', withRegistry(`http://${host}/base, \${file:/x:y}`))
  const { status, body } = await health(api, '/schema_registry')
  assert.deepEqual([status, body.status, body['registered_schemas']], [200, 'healthy', 2])
  assert.deepEqual(asked, [{ url: '/base/subjects', authorization: undefined }])
  assert.doesNotMatch(JSON.stringify(body), /geheim|user/)

  await api.configs.putConnectorConfig('c', withRegistry('http://127.0.0.1:1'))
  const fresh = testApi()
  for (const name of ['b', 'c']) {
    await fresh.configs.putConnectorConfig(name, api.configs.snapshot.config(name)!)
  }
  const both = await health(fresh, '/schema_registry')
  assert.deepEqual([both.status, both.body.status], [200, 'degraded'])
  assert.match(both.body.error ?? '', /^Schema registry not available: http:\/\/127\.0\.0\.1:1: /)
})

test('a registry that wants credentials is there, and one that answers 500 is not', async (t) => {
  const refusing = await registry(t, () => ({ status: 401, body: '{}' }))
  const broken = await registry(t, () => ({ status: 500, body: '' }))
  for (const [{ host }, expected] of [
    [refusing, 'healthy'],
    [broken, 'unhealthy'],
  ] as const) {
    const api = testApi()
    await api.configs.putConnectorConfig('a', { ...config, 'key.converter.schema.registry.url': `http://${host}` })
    const { body } = await health(api, '/schema_registry')
    assert.deepEqual([body.status, body['registered_schemas']], [expected, null])
  }
})
