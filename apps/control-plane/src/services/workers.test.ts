import assert from 'node:assert/strict'
import test from 'node:test'
import { fakeWorker as worker } from '../testing/fake-worker.ts'
import { TEST_TOKENS, type TestApi, testApi } from '../testing/test-api.ts'

const config = { 'connector.class': 'FileStreamSource', name: 'a', topic: 't' }
const validate = (api: TestApi, extra: Record<string, string> = {}): ReturnType<TestApi['call']> =>
  api.call('PUT', '/connector-plugins/FileStreamSource/config/validate', { ...config, ...extra })
const errorsOf = (body: unknown): string[] =>
  (body as { configs: { value: { errors: string[] } }[] }).configs.flatMap(({ value }) => value.errors)

test('a live worker checks what the specs accept; if the first worker does not answer the next one is asked', async (t) => {
  const api = testApi()
  const refusing = await worker(t, () => null)
  const live = await worker(t, () => ({ errors: [{ field: 'file', message: 'no such file' }] }))
  api.groups.set('test-file-ingest', ['127.0.0.1:1', refusing.address, live.address])
  assert.deepEqual(errorsOf((await validate(api)).body), ['no such file'])
  assert.equal(live.asked.length, 1)
  const { request, token, body } = live.asked[0]!
  assert.equal(request, 'PUT /internal/plugins/org.apache.kafka.connect.file.FileStreamSourceConnector/validate')
  assert.equal(body, JSON.stringify(config))
  const [method, path] = request.split(' ') as [string, string]
  const signed = TEST_TOKENS.verify({ method, path }, token, live.address)
  assert.ok(typeof signed === 'object' && signed.hasBody(body), JSON.stringify(signed))
  const created = await api.call('POST', '/connectors', { name: 'a', config })
  assert.equal(created.status, 400)
  assert.match((created.body as { message: string }).message, /1 error\(s\):\nno such file\n/)
})

test('a member of a group whose address is none is no worker, and hides no other member', async () => {
  const api = testApi()
  api.groups.set('test-file-ingest', ['127.0.0.1:1/evil?', 'user@host', '', '127.0.0.1:2'])
  const { body } = await api.call('GET', '/cluster')
  const [service] = (body as { services: { workers: string[] }[] }).services
  assert.deepEqual(service?.workers, ['127.0.0.1:2'])
})

test('without a live worker, or when the specs find errors, the specs alone decide', async (t) => {
  const api = testApi()
  assert.deepEqual(errorsOf((await validate(api)).body), [])
  const live = await worker(t, () => ({ errors: [] }))
  api.groups.set('test-file-ingest', [live.address])
  assert.equal(errorsOf((await validate(api, { 'batch.size': 'x' })).body).length, 1)
  assert.deepEqual(live.asked, [])
})

test('only the worker checks a reference', async (t) => {
  const api = testApi()
  const answer = await validate(api, { 'batch.size': '${env:SIZE}' })
  assert.deepEqual(errorsOf(answer.body), [])
  const live = await worker(t, () => ({ errors: [{ field: 'batch.size', message: 'not a number' }] }))
  api.groups.set('test-file-ingest', [live.address])
  assert.deepEqual(errorsOf((await validate(api, { 'batch.size': '${env:SIZE}' })).body), ['not a number'])
})

const health = {
  task: 0,
  connected: true,
  connected_since: 5,
  last_record_at: 7,
  records_total: 10,
  rate: 3,
  lag: 0,
  reconnects: 1,
  gaps: 0,
  latency_ms: 1,
  queue_size: 0,
  reason: 'Records are flowing.',
}

async function withTasks(workers: readonly string[]): Promise<TestApi> {
  const api = testApi()
  await api.call('PUT', '/connectors/a/config', config)
  api.groups.set('test-file-ingest', [...workers])
  await api.status.putConnector('a', { state: 'RUNNING', workerId: workers[0]!, generation: 1 })
  for (const [task, workerId] of workers.entries()) {
    await api.status.putTask('a', task, { state: 'RUNNING', workerId, generation: 1 })
  }
  return api
}

test('health is collected from the workers that run the tasks', async (t) => {
  const one = await worker(t, () => ({ tasks: [{ ...health, task: 1, last_record_at: null, reason: 'Quiet.' }] }))
  const other = await worker(t, () => ({ tasks: [health] }))
  const api = await withTasks([other.address, one.address])
  const answer = (await api.call('GET', '/connectors/a/health')).body as Record<string, unknown>
  const { tasks, ...all } = answer
  assert.deepEqual(all, {
    name: 'a',
    state: 'RUNNING',
    connected: true,
    connected_since: 5,
    last_record_at: 7,
    records_total: 20,
    rate: 6,
    lag: 0,
    reconnects: 2,
    gaps: 0,
    stalled: false,
    reason: 'Task 0: Records are flowing.',
  })
  assert.deepEqual(
    (tasks as { task: number }[]).map(({ task }) => task),
    [0, 1],
  )
  assert.deepEqual(one.asked[0]?.request, 'GET /internal/connectors/a/health')
})

test('a connector is stalled when a task is not connected, its messages do not reach Kafka, or its worker is silent', async (t) => {
  const cases = [
    [{ ...health, connected: false, reason: 'Not connected.' }, true, 'Not connected.'],
    [{ ...health, state: 'failed', reason: 'The task failed.' }, true, 'The task failed.'],
    [{ ...health, lag: 5, reason: 'The queue is full.' }, true, 'The queue is full.'],
    [{ ...health, lag: 5, last_record_at: Date.now() }, false, 'Records are flowing.'],
    [null, true, /^The worker 127\.0\.0\.1:\d+ does not answer\.$/],
  ] as const
  for (const [task, stalled, reason] of cases) {
    const { address } = await worker(t, () => (task === null ? null : { tasks: [task] }))
    const api = await withTasks([address])
    const answer = (await api.call('GET', '/connectors/a/health')).body as { stalled: boolean; reason: string }
    assert.equal(answer.stalled, stalled)
    if (typeof reason === 'string') assert.equal(answer.reason, reason)
    else assert.match(answer.reason, reason)
  }
})

test('an address in a status record is asked only if it belongs to a member of the group', async (t) => {
  const member = await worker(t, () => ({ tasks: [health] }))
  const stranger = await worker(t, () => ({ tasks: [{ ...health, task: 1 }] }))
  const api = await withTasks([member.address, stranger.address])
  api.groups.set('test-file-ingest', [member.address])
  const answer = (await api.call('GET', '/connectors/a/health')).body as Record<string, unknown>
  assert.deepEqual(stranger.asked, [], 'no request, so no token either')
  assert.equal(
    answer['reason'],
    `The state of the tasks on ${stranger.address} is unknown: that worker is no live member of the service, so it was not asked.`,
  )
  const { connected, stalled, tasks } = answer
  assert.deepEqual([connected, stalled, (tasks as unknown[]).length], [false, true, 1])
})

test('health is FAILED with the reason when one task has failed', async (t) => {
  const failed = { ...health, task: 1, state: 'failed', reason: 'The task failed: no such table' }
  const { address } = await worker(t, () => ({ tasks: [{ ...health, state: 'running' }, failed] }))
  const api = await withTasks([address, address])
  const { state, connected, reason } = (await api.call('GET', '/connectors/a/health')).body as Record<string, unknown>
  assert.deepEqual([state, connected, reason], ['FAILED', false, 'Task 1: The task failed: no such table'])
})

test('health says why no worker has a connector, and why a connector failed', async () => {
  const api = testApi()
  await api.call('PUT', '/connectors/a/config', config)
  const read = async (): Promise<unknown[]> => {
    const { state, stalled, reason } = (await api.call('GET', '/connectors/a/health')).body as Record<string, unknown>
    return [state, stalled, reason]
  }
  assert.deepEqual(await read(), ['UNASSIGNED', true, 'No worker of the service file-ingest is alive.'])
  api.groups.set('test-file-ingest', ['w:1'])
  assert.deepEqual(await read(), ['UNASSIGNED', true, 'A worker is about to take the connector.'])
  const failed = { state: 'FAILED', workerId: 'w:1', generation: 1, trace: 'Error: no\n    at x' } as const
  await api.status.putConnector('a', failed)
  assert.deepEqual(await read(), ['FAILED', true, 'The connector failed: Error: no'])
  assert.equal((await api.call('GET', '/connectors/none/health')).status, 404)
})

test('the cluster shows its services and the live workers', async () => {
  const api = await withTasks(['w:1'])
  api.groups.set('test-file-ingest', ['w:2', 'w:1'])
  await api.configs.putTaskConfigs('a', [{}])
  assert.deepEqual((await api.call('GET', '/cluster')).body, {
    name: 'test',
    kafka_cluster_id: 'kafka-1',
    version: '0.0.0',
    connectors: 1,
    tasks: 1,
    control_planes: [],
    services: [
      {
        name: 'file-ingest',
        group: 'test-file-ingest',
        workers: ['w:1', 'w:2'],
        plugins: [
          { class: 'org.apache.kafka.connect.file.FileStreamSourceConnector', type: 'source', version: '3.9.1' },
        ],
        connectors: 1,
        tasks: 1,
      },
    ],
  })
})
