import assert from 'node:assert/strict'
import test from 'node:test'
import { type TestApi, testApi } from '../testing/test-api.ts'

const worker = (state: 'RUNNING' | 'FAILED', trace?: string): Parameters<TestApi['status']['putTask']>[2] => ({
  state,
  workerId: 'w:1',
  generation: 1,
  ...(trace === undefined ? {} : { trace }),
})

/** A connector with two tasks. The second task has failed. */
async function running(options: Parameters<typeof testApi>[0] = {}): Promise<TestApi> {
  const api = testApi(options)
  await api.call('PUT', '/connectors/a/config', { 'connector.class': 'FileStreamSource', topic: 't' })
  await api.configs.putTaskConfigs('a', [{ n: '0' }, { n: '1' }])
  await api.status.putConnector('a', worker('RUNNING'))
  await api.status.putTask('a', 1, worker('FAILED', 'why'))
  await api.status.putTask('a', 0, worker('RUNNING'))
  return api
}

test('status shows what workers wrote: tasks in order, and traces if there are any', async () => {
  const { call } = await running()
  const failed = { id: 1, state: 'FAILED', worker_id: 'w:1', trace: 'why' }
  const status = {
    name: 'a',
    connector: { state: 'RUNNING', worker_id: 'w:1' },
    tasks: [{ id: 0, state: 'RUNNING', worker_id: 'w:1' }, failed],
    type: 'source',
  }
  assert.deepEqual((await call('GET', '/connectors/a/status')).body, status)
  assert.deepEqual((await call('GET', '/connectors/a/tasks/1/status')).body, failed)
  const expanded = (await call('GET', '/connectors?expand=status&expand=info')).body as Record<string, unknown>
  assert.deepEqual(expanded['a'], { status, info: (await call('GET', '/connectors/a')).body })
})

test('expand leaves out a connector without a status, and ignores unknown words', async () => {
  const { call } = await running()
  await call('PUT', '/connectors/b/config', { 'connector.class': 'FileStreamSource', topic: 't' })
  assert.deepEqual(Object.keys((await call('GET', '/connectors?expand=status')).body as object), ['a'])
  assert.deepEqual((await call('GET', '/connectors?expand=foo')).body, { a: {}, b: {} })
})

test('tasks are shown with the configs of the last complete set', async () => {
  const { call } = await running()
  assert.deepEqual((await call('GET', '/connectors/a/tasks')).body, [
    { id: { connector: 'a', task: 0 }, config: { n: '0' } },
    { id: { connector: 'a', task: 1 }, config: { n: '1' } },
  ])
  assert.deepEqual((await call('GET', '/connectors/a/tasks-config')).body, { 'a-0': { n: '0' }, 'a-1': { n: '1' } })
})

test("a target state is written once and answered with Connect's status codes", async () => {
  const api = await running()
  for (const [path, status, state] of [
    ['pause', 202, 'PAUSED'],
    ['pause', 202, 'PAUSED'],
    ['resume', 202, 'STARTED'],
    ['stop', 204, 'STOPPED'],
  ] as const) {
    assert.equal((await api.call('PUT', `/connectors/a/${path}`)).status, status, path)
    assert.equal(api.configs.snapshot.targetState('a'), state)
  }
  const before = api.configs.writes
  await api.call('PUT', '/connectors/a/stop', {})
  assert.equal(api.configs.writes, before)
})

test('restart restarts the connector and its failed tasks; strict mode only the connector', async () => {
  const connector = { connector: 'a', includeTasks: false, onlyFailed: false }
  const failedTasks = { connector: 'a', includeTasks: true, onlyFailed: true }
  const api = await running()
  assert.equal((await api.call('POST', '/connectors/a/restart')).status, 204)
  assert.deepEqual(api.configs.restarts, [connector, failedTasks])

  const asked = await running()
  await asked.call('POST', '/connectors/a/restart?includeTasks=false&onlyFailed=false')
  await asked.call('POST', '/connectors/a/restart?onlyFailed=false')
  assert.deepEqual(asked.configs.restarts, [connector, connector])

  const strict = await running({ strict: true })
  await strict.call('POST', '/connectors/a/restart')
  assert.deepEqual(strict.configs.restarts, [connector])
})

test('restart with parameters answers the status with RESTARTING for what will restart', async () => {
  const api = await running()
  const states = async (query: string): Promise<string[]> => {
    const answer = await api.call('POST', `/connectors/a/restart?${query}`)
    assert.equal(answer.status, 202)
    const { connector, tasks } = answer.body as { connector: { state: string }; tasks: { state: string }[] }
    return [connector.state, ...tasks.map((task) => task.state)]
  }
  assert.deepEqual(await states('includeTasks=true'), ['RESTARTING', 'RESTARTING', 'RESTARTING'])
  assert.deepEqual(await states('includeTasks=TRUE&onlyFailed=true'), ['RUNNING', 'RUNNING', 'RESTARTING'])
  assert.deepEqual(await states('onlyFailed=true'), ['RUNNING', 'RUNNING', 'FAILED'])
  assert.deepEqual(api.configs.restarts.at(-1), { connector: 'a', includeTasks: false, onlyFailed: true })
})

test('a task is restarted by its number', async () => {
  const api = await running()
  assert.equal((await api.call('POST', '/connectors/a/tasks/1/restart')).status, 204)
  assert.deepEqual(api.configs.restarts, [{ connector: 'a', task: 1, includeTasks: false, onlyFailed: false }])
  assert.deepEqual((await api.call('POST', '/connectors/a/tasks/7/restart')).body, {
    error_code: 404,
    message: 'Unknown task: a-7',
  })
})

test('topics are listed and reset', async () => {
  const { call, status } = await running()
  await status.putTopic('a', 0, 't')
  assert.deepEqual((await call('GET', '/connectors/a/topics')).body, { a: { topics: ['t'] } })
  assert.equal((await call('PUT', '/connectors/a/topics/reset')).status, 202)
  assert.deepEqual((await call('GET', '/connectors/a/topics')).body, { a: { topics: [] } })
})

test('offsets keep integers above 2^53', async () => {
  const { call, offsets } = await running()
  await offsets.write('a', [{ partition: { file: 'f' }, offset: { position: 9007199254740993n } }])
  const raw = await call('GET', '/connectors/a/offsets')
  assert.equal(raw.status, 200)
  assert.equal(
    Number(raw.headers['content-length']),
    '{"offsets":[{"partition":{"file":"f"},"offset":{"position":9007199254740993}}]}'.length,
  )
})
