import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { type Comparison, eventually, type Step } from '../both-sides.ts'
import { send } from '../../support/rest-call.ts'
import type { LinesFile } from './lines-file.ts'
import { create, get, JSON_TYPE, patch, post, put, remove } from './steps.ts'

/** Waits until Connect's connector and tasks have these states, then compares every read of the connector. */
export async function alike(
  comparison: Comparison,
  path: string,
  connector: string,
  tasks: readonly string[],
): Promise<void> {
  await connectShows(comparison, path, connector, tasks)
  for (const part of ['status', 'tasks', 'tasks-config', 'topics', 'offsets', 'config', 'tasks/0/status']) {
    await comparison.eventually(get(`${path}/${part}`))
  }
  await comparison.eventually(get(path))
  await comparison.eventually(get('/connectors?expand=status&expand=info'))
}

function connectShows(
  comparison: Comparison,
  path: string,
  connector: string,
  tasks: readonly string[],
): Promise<void> {
  return eventually(`Connect shows ${connector} and ${tasks.join()}`, async () => {
    const { body } = await send(comparison.sides.connect, get(`${path}/status`))
    assert.deepEqual(statesOf(body), [connector, ...tasks])
  })
}

/** Whether Connect shows these states for two seconds. Answers once its tasks have theirs. */
export async function connectKeeps(
  comparison: Comparison,
  path: string,
  connector: string,
  tasks: readonly string[],
): Promise<boolean> {
  const states = async (): Promise<unknown[]> =>
    statesOf((await send(comparison.sides.connect, get(`${path}/status`))).body)
  await eventually(`Connect shows tasks that are ${tasks.join()}`, async () =>
    assert.deepEqual((await states()).slice(1), tasks),
  )
  await setTimeout(2000)
  return (await states())[0] === connector
}

function statesOf(status: unknown): unknown[] {
  const { connector, tasks } = status as { connector?: { state: string }; tasks?: { state: string }[] }
  return [connector?.state, ...(tasks ?? []).map(({ state }) => state)]
}

/** A connector is created, read and changed. */
export async function configLifecycle(comparison: Comparison, lines: LinesFile): Promise<void> {
  const config = { 'connector.class': 'FileStreamSource', topic: lines.topic, file: lines.file }
  const running = { ...config, 'tasks.max': 3 }
  await comparison.steps(
    create({ name: ' c/ü+ %25c ', config: { ...running, n: '1.50' } }),
    create({ name: 'c/ü+ %25c', config: running }),
    create({ name: 'c/ü+ %25c', config: { ...running, 'tasks.max': 'x' } }),
    create({ name: 'c/ü+ %25c', config: { ...running, 'connector.class': 'x' } }, { differs: 'unknownClass' }),
    get('/connectors/c%2F%C3%BC+%20%2525c/config'),
  )
  await alike(comparison, '/connectors/c%2F%C3%BC+%20%2525c', 'RUNNING', ['RUNNING'])
  await comparison.steps(
    ...['', 'foo', 'info', 'status', 'INFO', 'info&expand=foo', 'status,info', 'info&expand=info'].map((expand) =>
      get(`/connectors?expand=${expand}`),
    ),
    remove('/connectors/c%2F%C3%BC+%20%2525c'),
  )

  const asText = `{"connector.class":"FileStreamSource","topic":"${lines.topic}","file":"/dev/null","a":1.50,"b":1e3,"c":true,"d":12345678901234567890,"e":-0,"f":0.10E-5}`
  await comparison.steps(
    put('/connectors/n/config', asText),
    get('/connectors/n/config'),
    create({ name: 7, config }),
    remove('/connectors/7'),
    remove('/connectors/n'),
    remove('/connectors/n'),
  )

  await comparison.steps(put('/connectors/c/config', running))
  await alike(comparison, '/connectors/c', 'RUNNING', ['RUNNING'])
  await comparison.steps(
    put('/connectors/c/config', config),
    put('/connectors/c/config', { ...config, name: null }),
    put('/connectors/c/config', { ...config, name: 'c', 'tasks.max': '2', x: '${file:/none' }),
    put('/connectors/c/config', { 'errors.tolerance': 'all' }, { lenient: 'partialConfig' }),
    create({ ...config, name: 'c' }, { differs: 'clientMistake', lenient: 'flatCreate' }),
    put('/connectors/c/config', { name: 'c', config }, { differs: 'clientMistake', lenient: 'wrappedConfig' }),
    put('/connectors/c/config', config),
    get('/connectors/c/config'),
    patch('/connectors/c/config', '{"x":1.50,"y":"z","tasks.max":null,"t":true}'),
    patch('/connectors/c/config', { y: null, none: null }),
    patch('/connectors/c/config', {}),
    patch(
      '/connectors/c/config',
      { x: null, t: null },
      { headers: { 'content-type': 'application/json;charset=utf-8' } },
    ),
    patch('/connectors/c/config', { topic: null }),
    patch('/connectors/c/config', { name: null }),
    patch('/connectors/c/config', { 'connector.class': null }),
    patch('/connectors/c/config', { 'connector.class': 'nix' }, { differs: 'unknownClass' }),
    patch('/connectors/c/config', { 'tasks.max': 'x' }),
    patch('/connectors/c/config', [], { differs: 'clientMistake' }),
    patch('/connectors/c/config', { a: {} }, { differs: 'clientMistake' }),
    patch('/connectors/c/config', undefined, { differs: 'clientMistake' }),
    patch('/connectors/c/config', 'null', { differs: 'clientMistake' }),
    get('/connectors/c/config'),
  )
  await alike(comparison, '/connectors/c', 'RUNNING', ['RUNNING'])
  await comparison.steps(
    ...['-1', '1', '7', '00', 'x'].map((task) => get(`/connectors/c/tasks/${task}/status`)),
    get('/connectors/c/tasks/'),
    get('/connectors/c/topics/'),
    patch('/connectors/c/config', { name: 'other' }),
    get('/connectors/c/config'),
    get('/connectors/c'),
    patch('/connectors/c/config', { name: 'c' }),
    put('/connectors/c/topics/reset'),
  )
  await eventually('Connect has forgotten the topics', async () => {
    const { body } = await send(comparison.sides.connect, get('/connectors/c/topics'))
    assert.deepEqual(body, { c: { topics: [] } })
  })
  await comparison.steps(get('/connectors/c/topics'), remove('/connectors/c', { headers: JSON_TYPE }))
}

/** A connector is paused, resumed, stopped and deleted, and created in each of these states. */
export async function stateLifecycle(comparison: Comparison, lines: LinesFile): Promise<void> {
  const config = { 'connector.class': 'FileStreamSource', topic: lines.topic, file: lines.file }
  const c = '/connectors/s'
  const asked = (verb: string): Step[] => [put(`${c}/${verb}`), put(`${c}/${verb}`, {})]
  await comparison.steps(create({ name: 's', initial_state: 'Running', config }))
  await alike(comparison, c, 'RUNNING', ['RUNNING'])
  await comparison.steps(...asked('pause'))
  await alike(comparison, c, 'PAUSED', ['PAUSED'])
  await comparison.steps(put(`${c}/config`, { ...config, x: '1' }), post(`${c}/restart`), post(`${c}/tasks/0/restart`))
  await alike(comparison, c, 'PAUSED', ['PAUSED'])
  await comparison.steps(...asked('resume'))
  await alike(comparison, c, 'RUNNING', ['RUNNING'])
  await comparison.steps(...asked('stop'))
  await alike(comparison, c, 'STOPPED', [])
  await comparison.steps(
    post(`${c}/restart`),
    post(`${c}/tasks/0/restart`, undefined, { differs: 'restartOfStoppedTask' }),
    put(`${c}/config`, { ...config, x: '2' }),
    patch(`${c}/config`, { x: '3' }),
    create({ name: 's', config }),
  )
  await alike(comparison, c, 'STOPPED', [])
  await comparison.steps(...asked('pause'))
  await alike(comparison, c, 'PAUSED', [])
  await comparison.steps(...asked('stop'))
  await alike(comparison, c, 'STOPPED', [])
  await comparison.steps(...asked('resume'))
  await alike(comparison, c, 'RUNNING', ['RUNNING'])

  await comparison.steps(
    remove(c),
    get(c),
    get(`${c}/config`),
    get(`${c}/tasks`),
    get(`${c}/tasks-config`),
    get(`${c}/offsets`),
    remove(c),
    put(`${c}/pause`),
  )
  await comparison.eventually(get(`${c}/status`))
  await comparison.eventually(get(`${c}/tasks/0/status`))
  await comparison.eventually(get('/connectors?expand=status&expand=info'))

  // Offsets belong to the name, so the next connector of the name has them.
  await comparison.steps(create({ name: 's', initial_state: 'stopped', config }))
  await alike(comparison, c, 'STOPPED', [])
  await comparison.steps(remove(c), create({ name: 's', initial_state: 'PAUSED', config }))
  await alike(comparison, c, 'PAUSED', [])
  await comparison.steps(put(`${c}/resume`))
  await alike(comparison, c, 'RUNNING', ['RUNNING'])
  await comparison.steps(remove(c), get('/connectors'))
}
