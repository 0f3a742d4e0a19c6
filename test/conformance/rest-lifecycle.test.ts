import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { compareAll, eventually, eventuallyAlike, type Sides, type Step } from './both-sides.ts'
import { send } from './rest-call.ts'
import { startSides } from './start-sides.ts'

const get = (path: string): Step => ({ method: 'GET', path })
const put = (path: string, body?: unknown): Step => ({ method: 'PUT', path, ...(body === undefined ? {} : { body }) })

/** Waits until Connect's connector and tasks are in these states, then compares everything that can be read of it. */
async function alike(sides: Sides, path: string, connector: string, tasks: readonly string[]): Promise<void> {
  await eventually(`Connect shows ${connector} and ${tasks.join()}`, async () => {
    const { body } = await send(sides.connect, get(`${path}/status`))
    assert.deepEqual(statesOf(body), [connector, ...tasks])
  })
  for (const part of ['status', 'tasks', 'tasks-config', 'topics', 'offsets', 'config', 'tasks/0/status']) {
    await eventuallyAlike(sides, get(`${path}/${part}`))
  }
  await eventuallyAlike(sides, get(path))
  await eventuallyAlike(sides, get('/connectors?expand=status&expand=info'))
}

function statesOf(status: unknown): unknown[] {
  const { connector, tasks } = status as { connector?: { state: string }; tasks?: { state: string }[] }
  return [connector?.state, ...(tasks ?? []).map(({ state }) => state)]
}

async function linesFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'lines.txt')
  await writeFile(file, 'one\ntwo\nthree\n')
  return file
}

test('a connector lives as in Kafka Connect', { timeout: 300_000 }, async (t) => {
  const sides = await startSides(t)
  const config = { 'connector.class': 'FileStreamSource', topic: `t-${randomUUID()}`, file: await linesFile(t) }
  const running = { ...config, topic: config.topic, 'tasks.max': 3 }

  await t.test('made, read, running, with offsets', async () => {
    await compareAll(sides, [
      { method: 'POST', path: '/connectors', body: { name: ' c/ü+ %25c ', config: { ...running, n: '1.50' } } },
      { method: 'POST', path: '/connectors', body: { name: 'c/ü+ %25c', config: running } },
      { method: 'POST', path: '/connectors', body: { name: 'c/ü+ %25c', config: { ...running, 'tasks.max': 'x' } } },
      get('/connectors/c%2F%C3%BC+%20%2525c/config'),
      get('/connectors?expand=foo'),
    ])
    await alike(sides, '/connectors/c%2F%C3%BC+%20%2525c', 'RUNNING', ['RUNNING'])
    await compareAll(sides, [{ method: 'DELETE', path: '/connectors/c%2F%C3%BC+%20%2525c' }])
  })

  await t.test('numbers keep their text', () =>
    compareAll(sides, [
      put(
        '/connectors/n/config',
        `{"connector.class":"FileStreamSource","topic":"${config.topic}","file":"/dev/null","a":1.50,"b":1e3,"c":true,"d":12345678901234567890}`,
      ),
      get('/connectors/n/config'),
      { method: 'DELETE', path: '/connectors/n' },
    ]),
  )

  await t.test('changed', async () => {
    await compareAll(sides, [put('/connectors/c/config', running)])
    await alike(sides, '/connectors/c', 'RUNNING', ['RUNNING'])
    await compareAll(sides, [
      put('/connectors/c/config', config),
      { method: 'PATCH', path: '/connectors/c/config', body: '{"x":1.50,"y":"z","tasks.max":null}' },
      { method: 'PATCH', path: '/connectors/c/config', body: { y: null } },
      { method: 'PATCH', path: '/connectors/c/config', body: { topic: null } },
      { method: 'PATCH', path: '/connectors/c/config', body: { name: null } },
      { method: 'PATCH', path: '/connectors/c/config', body: { 'connector.class': null } },
      { method: 'PATCH', path: '/connectors/c/config', body: [], differs: 'clientMistake' },
      { method: 'PATCH', path: '/connectors/c/config', differs: 'clientMistake' },
    ])
    await alike(sides, '/connectors/c', 'RUNNING', ['RUNNING'])
  })

  await t.test('restarted', async () => {
    await compareAll(sides, [
      { method: 'POST', path: '/connectors/c/restart?includeTasks=foo' },
      { method: 'POST', path: '/connectors/c/tasks/7/restart' },
      { method: 'POST', path: '/connectors/c/tasks/x/restart' },
      { method: 'POST', path: '/connectors/c/tasks/0/restart' },
    ])
    await alike(sides, '/connectors/c', 'RUNNING', ['RUNNING'])
    await compareAll(sides, [{ method: 'POST', path: '/connectors/c/restart?includeTasks=true&onlyFailed=true' }])
    await alike(sides, '/connectors/c', 'RUNNING', ['RUNNING'])
    await compareAll(sides, [{ method: 'POST', path: '/connectors/c/restart?includeTasks=true' }])
    await alike(sides, '/connectors/c', 'RUNNING', ['RUNNING'])
  })

  await t.test('paused, resumed, stopped', async () => {
    await compareAll(sides, [put('/connectors/c/pause'), put('/connectors/c/pause', {})])
    await alike(sides, '/connectors/c', 'PAUSED', ['PAUSED'])
    await compareAll(sides, [put('/connectors/c/resume')])
    await alike(sides, '/connectors/c', 'RUNNING', ['RUNNING'])
    await compareAll(sides, [put('/connectors/c/stop'), put('/connectors/c/stop')])
    await alike(sides, '/connectors/c', 'STOPPED', [])
    await compareAll(sides, [
      { method: 'POST', path: '/connectors/c/restart' },
      { method: 'POST', path: '/connectors/c/tasks/0/restart', differs: 'restartOfStoppedTask' },
      put('/connectors/c/config', running),
      put('/connectors/c/resume'),
    ])
    await alike(sides, '/connectors/c', 'RUNNING', ['RUNNING'])
  })

  await t.test('topics forgotten', async () => {
    await compareAll(sides, [put('/connectors/c/topics/reset')])
    await eventually('Connect has forgotten them', async () => {
      assert.deepEqual((await send(sides.connect, get('/connectors/c/topics'))).body, { c: { topics: [] } })
    })
    await compareAll(sides, [get('/connectors/c/topics')])
  })

  await t.test('deleted, with its offsets kept for the next of its name', async () => {
    await compareAll(sides, [{ method: 'DELETE', path: '/connectors/c' }, get('/connectors/c')])
    await eventuallyAlike(sides, get('/connectors/c/status'))
    await compareAll(sides, [
      { method: 'POST', path: '/connectors', body: { name: 'c', initial_state: 'stopped', config } },
    ])
    await alike(sides, '/connectors/c', 'STOPPED', [])
    await compareAll(sides, [{ method: 'DELETE', path: '/connectors/c' }])
  })

  await t.test('paused from birth', async () => {
    await compareAll(sides, [
      { method: 'POST', path: '/connectors', body: { name: 'p', initial_state: 'PAUSED', config } },
    ])
    await alike(sides, '/connectors/p', 'PAUSED', [])
    await compareAll(sides, [put('/connectors/p/resume')])
    await alike(sides, '/connectors/p', 'RUNNING', ['RUNNING'])
    await compareAll(sides, [{ method: 'DELETE', path: '/connectors/p' }])
  })

  await t.test('failed', async () => {
    await compareAll(sides, [put('/connectors/f/config', { ...config, topic: 'not a topic' })])
    await alike(sides, '/connectors/f', 'RUNNING', ['FAILED'])
    await compareAll(sides, [put('/connectors/f/pause')])
    await alike(sides, '/connectors/f', 'PAUSED', ['FAILED'])
    await compareAll(sides, [{ method: 'DELETE', path: '/connectors/f' }])
  })
})
