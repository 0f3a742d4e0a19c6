import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { fakeWorker } from '../testing/fake-worker.ts'
import { GRANTS_ACCESS } from '../testing/grants-access.ts'
import { MemoryAuditLog } from '../testing/memory-audit.ts'
import { FILE_SOURCE, testApi, type TestApiOptions } from '../testing/test-api.ts'
import type { Plan } from './plans.ts'

const SECRET_SOURCE = {
  ...FILE_SOURCE,
  spec: {
    keys: {
      ...FILE_SOURCE.spec.keys,
      password: { type: 'password', default: null, importance: 'high', doc: 'The password' },
    },
  },
} as const

const base = { 'connector.class': FILE_SOURCE.class, topic: 'lines' }
const hands = { task: 0, action: 'hand-over', why: 'It can.', here: true }

/** An API with a worker that answers each plan with these tasks. `asked`: the configurations that it was asked about. */
async function scene(t: TestContext, tasks: readonly object[] = [hands], options: TestApiOptions = {}) {
  const api = testApi({ plugins: [SECRET_SOURCE], ...options })
  const answer = { errors: [] as object[], tasks }
  const worker = await fakeWorker(t, (path) => (path.endsWith('/plan') ? answer : { errors: [] }))
  api.groups.set('test-file-ingest', [worker.address])
  const asked = (): Record<string, string>[] =>
    worker.asked
      .filter(({ request }) => request.endsWith('/plan'))
      .map(({ body }) => (JSON.parse(body) as { config: Record<string, string> }).config)
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    grants = 'admin',
  ): Promise<{ status: number; body: Plan & { message: string } }> =>
    (await api.call(method, `/connectors/c${path}`, body, { 'x-grants': grants })) as never
  return { ...api, answer, asked, call }
}

test('a query that asks for a plan and for a change gets neither', async (t) => {
  const { call, configs } = await scene(t)
  await call('PUT', '/config', base)
  const { writes } = configs
  for (const query of ['plan=true&plan=false', 'plan=false&plan=true']) {
    const { status, body } = await call('PUT', `/config?${query}`, { ...base, topic: 'x' })
    assert.equal(status, 400)
    assert.match(
      body.message,
      /^The query parameter "plan" must be true or false, not (true and false|false and true)$/,
    )
  }
  assert.equal((await call('POST', '/config/rollback?plan=true&plan=false', { version: 1 })).status, 400)
  assert.equal((await call('DELETE', '?plan=true&plan=false')).status, 400)
  assert.equal(configs.writes, writes)
})

test('a plan says what would happen, and nothing does', async (t) => {
  const { call, configs, history } = await scene(t)
  const created = await call('PUT', '/config?plan=true', { ...base, password: 'p' })
  assert.equal(created.status, 200, JSON.stringify(created.body))
  assert.equal(created.body.action, 'create')
  assert.equal(created.body.version, 1)
  assert.deepEqual(created.body.changed.find(({ key }) => key === 'password'), { key: 'password', before: null, after: '[hidden]' }) // prettier-ignore
  assert.deepEqual([configs.writes, history.connectors()], [0, []])

  await call('PUT', '/config', { ...base, password: 'p' })
  const { writes } = configs
  const changed = await call('PUT', '/config?plan=true', { ...base, topic: 'x', password: 'q' })
  assert.deepEqual(changed.body, {
    connector: 'c',
    action: 'hand-over',
    reason: 'One task would hand over with overlap: the present run reads until the new one is connected.',
    version: 2,
    changed: [
      { key: 'password', before: '[hidden]', after: '[hidden]' },
      { key: 'topic', before: 'lines', after: 'x' },
    ],
    tasks: [{ task: 0, action: 'hand-over', why: 'It can.' }],
    errors: [],
  })
  const patched = await call('PATCH', '/config?plan=true', { topic: 'x' })
  assert.deepEqual(patched.body.changed, [{ key: 'topic', before: 'lines', after: 'x' }])
  assert.equal(
    (await call('PUT', '/config?plan=true', { topic: 'x' })).body.changed.length,
    1,
    'settings without a class',
  )
  assert.equal((await call('PUT', '/config?plan=false', { ...base, topic: 'x', password: 'q' })).status, 200)
  const back = await call('POST', '/config/rollback?plan=true', { version: 1 })
  assert.deepEqual([back.body.version, back.body.changed.map(({ key }) => key)], [3, ['topic']])
  assert.deepEqual([configs.writes, history.versions('c').length], [writes + 1, 2])
})

test('the action is the strongest of the tasks, and none where nobody would notice', async (t) => {
  const { call, answer } = await scene(t)
  await call('PUT', '/config', base)
  const of = async (actions: readonly string[], body: object = { topic: 'x' }): Promise<string> => {
    answer.tasks = actions.map((action, task) => ({ ...hands, task, action }))
    return (await call('PATCH', '/config?plan=true', body)).body.action
  }
  assert.equal(await of(['hand-over', 'restart', 'stop']), 'restart')
  assert.equal(await of(['nothing', 'stop', 'start']), 'start')
  assert.equal(await of(['nothing', 'stop']), 'stop')
  assert.equal(await of(['nothing']), 'store')
  assert.equal(await of(['nothing'], {}), 'nothing')
  assert.equal(await of(['hand-over'], {}), 'hand-over', 'a file that it names has changed')
  answer.errors = [{ field: 'topic', message: 'no tasks can be made' }]
  const { body } = await call('PATCH', '/config?plan=true', { topic: 'x' })
  assert.deepEqual([body.action, body.errors], ['store', answer.errors])
  answer.errors = []
  await call('PUT', '/pause')
  assert.equal(await of(['restart']), 'store')
  assert.equal(await of(['restart'], {}), 'nothing')
})

test('settings that are not valid are in the plan, and mistakes of the request are answered as without it', async (t) => {
  const { call, groups } = await scene(t)
  const { body } = await call('PUT', '/config?plan=true', { 'connector.class': FILE_SOURCE.class, 'batch.size': 'x' })
  assert.deepEqual([body.action, body.version, body.changed], ['refuse', null, []])
  assert.deepEqual(body.errors.map(({ field }) => field).sort(), ['batch.size', 'topic'])
  assert.equal((await call('PUT', '/config?plan=true', { ...base, name: 'other' })).status, 400)
  assert.equal((await call('PATCH', '/config?plan=true', { topic: 'x' })).status, 404)
  for (const plan of ['', 'yes', '1', 'true&plan=maybe'])
    assert.equal((await call('PUT', `/config?plan=${plan}`, base)).status, 400, plan)
  assert.equal((await call('DELETE', '?plan=true')).status, 400)
  assert.equal((await call('GET', '/config')).status, 404)
  groups.clear()
  await call('PUT', '/config', base)
  const alone = await call('PATCH', '/config?plan=true', { topic: 'x' })
  assert.deepEqual([alone.body.action, alone.body.tasks], ['store', []])
  assert.match(alone.body.reason, /No worker of the service file-ingest answers/)
})

test("with connect.strict a plan on Connect's paths is refused, as Connect would carry it out", async (t) => {
  const { call, configs } = await scene(t, [hands], { strict: true })
  for (const method of ['PUT', 'PATCH']) {
    await call('PUT', '/config', base)
    const { writes } = configs
    const { status, body } = await call(method, '/config?plan=true', { ...base, topic: 'x' })
    assert.equal(status, 400)
    assert.match(body.message, /connect\.strict/)
    assert.equal(configs.writes, writes)
  }
  assert.equal((await call('POST', '/config/rollback?plan=true', { version: 1 })).status, 200)
})

test('a plan does not tell who may not see a secret whether a guess is right, and is recorded as one', async (t) => {
  const audit = new MemoryAuditLog()
  const { call, asked } = await scene(t, [hands], { access: GRANTS_ACCESS, audit: { log: audit, required: true } })
  await call('PUT', '/config', { ...base, password: 'right' })
  const answers = await Promise.all(
    ['right', 'wrong'].map(
      async (password) => (await call('PATCH', '/config?plan=true', { password }, 'admin-configs')).body,
    ),
  )
  assert.deepEqual(answers[0], answers[1])
  assert.deepEqual(answers[0]!.changed.map(({ key }) => key), ['password']) // prettier-ignore
  assert.ok(asked().every(({ password }) => password !== 'right'))
  assert.equal((await call('PATCH', '/config?plan=true', { topic: 'x' }, 'admin-configs')).status, 403)
  assert.equal((await call('PUT', '/config?plan=true', base, 'operator+configs')).status, 403)
  const entry = audit.entries.find(({ action, status }) => action.startsWith('PATCH') && status === 200)
  assert.deepEqual([entry?.about, entry?.changes], ['a plan: nothing was changed', []])
})
