import assert from 'node:assert/strict'
import test from 'node:test'
import { type Answer, testApi } from '../testing/test-api.ts'

const messageOf = ({ body }: Answer): string => (body as { message: string }).message

const config = { 'connector.class': 'FileStreamSource', topic: 't' }
const message = (answer: Answer): string => (answer.body as { message: string }).message

test('a created connector is answered with its name in the config and no tasks', async () => {
  const api = testApi()
  const answer = await api.call('POST', '/connectors', { name: ' a\u0001', config })
  assert.equal(answer.status, 201)
  assert.deepEqual(answer.body, { name: 'a', config: { ...config, name: 'a' }, tasks: [], type: 'source' })
  assert.deepEqual((await api.call('GET', '/connectors')).body, ['a'])
  assert.deepEqual((await api.call('GET', '/connectors/a')).body, answer.body)
})

test('config values keep the source text of numbers', async () => {
  const { call } = testApi()
  const body = '{"connector.class":"FileStreamSource","topic":"t","a":1.50,"b":1e3,"c":true,"d":12345678901234567890}'
  await call('PUT', '/connectors/n/config', body)
  const stored = (await call('GET', '/connectors/n/config')).body as Record<string, string>
  assert.deepEqual(
    [stored['a'], stored['b'], stored['c'], stored['d']],
    ['1.50', '1e3', 'true', '12345678901234567890'],
  )
})

test('a duplicate name is answered with 409, an invalid config of that name with 400', async () => {
  const { call } = testApi()
  await call('POST', '/connectors', { name: 'a', config })
  const twice = await call('POST', '/connectors', { name: 'a', config })
  assert.deepEqual(twice.body, { error_code: 409, message: 'Connector a already exists' })
  assert.equal((await call('POST', '/connectors', { name: 'a', config: { ...config, 'tasks.max': 0 } })).status, 400)
})

test('when clients create one name at the same time, one of them wins', async () => {
  const { call } = testApi()
  const answers = await Promise.all(Array.from({ length: 8 }, () => call('POST', '/connectors', { name: 'a', config })))
  assert.deepEqual(answers.map((a) => a.status).sort(), [201, 409, 409, 409, 409, 409, 409, 409])
})

test('initial_state ignores case', async () => {
  const api = testApi()
  await api.call('POST', '/connectors', { name: 'p', initial_state: 'Paused', config })
  await api.call('POST', '/connectors', { name: 's', initial_state: 'STOPPED', config })
  await api.call('POST', '/connectors', { name: 'r', initial_state: null, config })
  assert.deepEqual(
    ['p', 's', 'r'].map((name) => api.configs.snapshot.targetState(name)),
    ['PAUSED', 'STOPPED', 'STARTED'],
  )
})

test("errors of a creation have Connect's texts", async () => {
  const { call } = testApi()
  const post = (body: unknown): Promise<Answer> => call('POST', '/connectors', body)
  assert.equal(message(await post({ name: 'a', config: {} })), 'Connector config {name=a} contains no connector type')
  assert.match(
    message(await post({ name: 'a', config: { 'connector.class': 'x' } })),
    /^Failed to find any class that implements Connector and which name matches x, available connectors are: PluginDesc\{/,
  )
  assert.equal(
    message(await post({ name: 'a', config: { ...config, name: 'b' } })),
    "Connector name configuration (b) doesn't match connector name in the URL (a)",
  )
  assert.equal(
    message(await post({ config })),
    'Connector configuration is invalid and contains the following 1 error(s):\n' +
      'Invalid value  for configuration name: String may not be empty\n' +
      'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  )
})

test('PUT creates a connector or replaces its config, and keeps the target state', async () => {
  const api = testApi()
  const made = await api.call('PUT', '/connectors/a/config', { ...config, old: '1' })
  assert.equal(made.status, 201)
  assert.equal(made.headers['location'], 'http://rest:8083/connectors/a')
  await api.configs.putTaskConfigs('a', [{ n: '0' }])
  await api.call('PUT', '/connectors/a/stop')
  const replaced = await api.call('PUT', '/connectors/a/config', config)
  assert.equal(replaced.status, 200)
  assert.equal(replaced.headers['location'], undefined)
  assert.deepEqual(replaced.body, {
    name: 'a',
    config: { ...config, name: 'a' },
    tasks: [{ connector: 'a', task: 0 }],
    type: 'source',
  })
  assert.equal(api.configs.snapshot.targetState('a'), 'STOPPED')
})

test('PATCH merges, and null removes a key', async () => {
  const { call } = testApi()
  await call('PUT', '/connectors/a/config', { ...config, x: '1', y: '2' })
  const answer = await call('PATCH', '/connectors/a/config', '{"x":null,"z":1.50}')
  assert.equal(answer.status, 200)
  assert.deepEqual((answer.body as { config: unknown }).config, { ...config, name: 'a', y: '2', z: '1.50' })
  assert.match(
    message(await call('PATCH', '/connectors/a/config', { name: null })),
    /\nMissing required configuration "name" which has no default value\.\n/,
  )
  assert.equal((await call('PATCH', '/connectors/none/config', {})).status, 404)
})

test('PUT accepts what runbooks send: a wrapped config, and settings without a class as a merge', async () => {
  const { call } = testApi()
  assert.equal((await call('PUT', '/connectors/a/config', { name: 'a', config })).status, 201)
  const merged = await call('PUT', '/connectors/a/config', { 'auto.evolve': 'true' })
  assert.equal(merged.status, 200)
  assert.deepEqual((merged.body as { config: unknown }).config, { ...config, name: 'a', 'auto.evolve': 'true' })
  assert.equal((await call('PUT', '/connectors/a/config', { name: 'b', config })).status, 400)
  assert.equal((await call('PUT', '/connectors/none/config', { 'auto.evolve': 'true' })).status, 400)
})

test('strict mode refuses a wrapped config and settings without a class, as Connect does', async () => {
  const { call } = testApi({ strict: true })
  await call('PUT', '/connectors/a/config', config)
  assert.equal((await call('PUT', '/connectors/a/config', { name: 'a', config })).status, 400)
  assert.equal(
    message(await call('PUT', '/connectors/a/config', { 'auto.evolve': 'true' })),
    'Connector config {auto.evolve=true, name=a} contains no connector type',
  )
})

test('a null value is refused', async () => {
  const { call } = testApi()
  assert.match(
    message(await call('PUT', '/connectors/a/config', { ...config, x: null })),
    /contains the following 1 error\(s\):\nNull value can not be supplied as the configuration value\.\n/,
  )
})

test('a read of a missing connector is answered with 404 and the text of its path', async () => {
  const { call } = testApi()
  const cases: [string, string, string][] = [
    ['GET', '/connectors/x', 'Connector x not found'],
    ['GET', '/connectors/x/config', 'Connector x not found'],
    ['GET', '/connectors/x/tasks', 'Connector x not found'],
    ['GET', '/connectors/x/tasks-config', 'Connector x not found'],
    ['GET', '/connectors/x/offsets', 'Connector x not found'],
    ['DELETE', '/connectors/x', 'Connector x not found'],
    ['GET', '/connectors/x/status', 'No status found for connector x'],
    ['GET', '/connectors/x/tasks/-1/status', 'No status found for task x--1'],
    ['GET', '/connectors/x/tasks/y/status', 'HTTP 404 Not Found'],
    ['GET', '/connectors/x/tasks/99999999999/status', 'HTTP 404 Not Found'],
    ['PUT', '/connectors/x/pause', 'Unknown connector x'],
    ['PUT', '/connectors/x/resume', 'Unknown connector x'],
    ['PUT', '/connectors/x/stop', 'Unknown connector x'],
    ['POST', '/connectors/x/restart', 'Unknown connector: x'],
    ['POST', '/connectors/x/restart?includeTasks=true', 'Unknown connector: x'],
    ['POST', '/connectors/x/tasks/0/restart', 'Unknown connector: x'],
  ]
  for (const [method, path, text] of cases) {
    assert.deepEqual((await call(method, path)).body, { error_code: 404, message: text }, `${method} ${path}`)
  }
  assert.deepEqual((await call('GET', '/connectors/x/topics')).body, { x: { topics: [] } })
  assert.equal((await call('PUT', '/connectors/x/topics/reset')).status, 202)
})

test('POST takes the flat map that GET …/config answered, with the name in it or in the query, unless strict', async () => {
  const { call } = testApi()
  await call('POST', '/connectors', { name: 'a', config })
  const saved = (await call('GET', '/connectors/a/config')).body as Record<string, string>
  await call('DELETE', '/connectors/a')
  const again = await call('POST', '/connectors', saved)
  assert.deepEqual([again.status, again.headers['location']], [201, 'http://rest:8083/connectors/a'])
  assert.deepEqual((await call('GET', '/connectors/a/config')).body, saved)
  const { name: _name, ...unnamed } = saved
  assert.equal((await call('POST', '/connectors?name=b', unnamed)).status, 201)
  assert.deepEqual((await call('GET', '/connectors/b/config')).body, { ...saved, name: 'b' })
  assert.match(messageOf(await call('POST', '/connectors?name=c', saved)), /doesn't match connector name/)
  assert.equal((await call('POST', '/connectors', unnamed)).status, 400)
  assert.equal((await call('POST', '/connectors', { ...saved, config: {} })).status, 400)
  const strict = await testApi({ strict: true }).call('POST', '/connectors', saved)
  assert.match(messageOf(strict), /Unrecognized field "connector\.class"/)
})
