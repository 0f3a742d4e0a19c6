import assert from 'node:assert/strict'
import test from 'node:test'
import type { AuditEntry, ConfigStore } from '@tributary/connect-storage'
import fastify, { type FastifyReply } from 'fastify'
import { parseGrants } from '../access/identity.ts'
import { type Access, LoginError } from '../access/login.ts'
import { MemoryAccessStore } from '../testing/memory-stores.ts'
import { MemoryAuditLog } from '../testing/memory-audit.ts'
import { type Answer, FILE_SOURCE, type TestApi, testApi } from '../testing/test-api.ts'
import { MemoryConfigStore } from '../testing/memory-stores.ts'
import { recognizeReplicas } from '../leadership/replica-requests.ts'
import { AuditTrail } from './audit-trail.ts'
import { Flood } from './flood.ts'

/** `Authorization: NAME GRANTS`; `wrong` is refused. */
const access: Access = {
  authenticators: [
    {
      authenticate: ({ headers: { authorization = '' } }) => {
        const [name = '', grants = ''] = authorization.split(' ')
        if (name === 'wrong') return Promise.reject(LoginError.refused('no such key', 'key:guess'))
        return Promise.resolve(name === '' ? null : { name, grants: parseGrants(grants) })
      },
    },
  ],
}
const ADMIN = { authorization: 'key:ci admin' }
const SHORT = { kind: 'pattern', regex: '^.{1,5}$', message: 'must be short' } as const
const PASSWORD = 'hunter2-in-plain'
const config = { 'connector.class': 'FileStreamSource', topic: 't', file: '/a' }

function scene(required = true): { readonly log: MemoryAuditLog; readonly api: TestApi } {
  const log = new MemoryAuditLog()
  const spec = {
    keys: { ...FILE_SOURCE.spec.keys, secret: { type: 'password', default: null, importance: 'low', doc: 'x' } },
  } as const
  return { log, api: testApi({ access, audit: { log, required }, plugins: [{ ...FILE_SOURCE, spec }] }) }
}

type Page = { entries: Record<string, unknown>[]; next: string | null }
const pageOf = ({ body }: Answer): Page => body as Page

test('each change is recorded: who, what, from where, with what outcome, before and after', async () => {
  const { log, api } = scene()
  const put = (more: Record<string, string>): Promise<Answer> =>
    api.call('PUT', '/connectors/a/config', { ...config, ...more }, { ...ADMIN, 'x-forwarded-for': '10.0.0.9' })
  const created = await put({ secret: PASSWORD })
  assert.equal(created.status, 201)
  await put({ file: '/b', secret: `${PASSWORD}-2` })
  assert.equal((await api.call('PUT', '/connectors?pattern=a&state=x', undefined, ADMIN)).status, 405)
  assert.equal((await api.call('PUT', '/connectors/a/pause', undefined, ADMIN)).status, 202)
  assert.equal((await api.call('DELETE', '/connectors/a', undefined, ADMIN)).status, 204)
  assert.equal((await api.call('GET', '/connectors', undefined, ADMIN)).status, 200)
  const [first, second, paused, removed, ...more] = log.entries
  assert.deepEqual(more, [], 'reads are not recorded')
  const { id, time, ...rest } = first!
  const masked = { ...config, name: 'a', secret: '[hidden]' }
  assert.deepEqual(rest, {
    ...{ who: 'key:ci', action: 'PUT /connectors/{connector}/config', path: '/connectors/a/config', connector: 'a' },
    ...{
      address: '127.0.0.1',
      forwarded_for: '10.0.0.9',
      replica: 'rest:8083',
      status: 201,
      outcome: 'done',
      count: 1,
    },
    changes: [{ connector: 'a', before: null, after: masked }],
  })
  assert.equal(created.headers['x-request-id'], id)
  assert.ok(Math.abs(time - Date.now()) < 60_000)
  assert.deepEqual(second!.changes, [{ connector: 'a', before: masked, after: { ...masked, file: '/b' } }])
  assert.deepEqual([paused!.action, paused!.changes], ['PUT /connectors/{connector}/pause', []])
  assert.deepEqual(removed!.changes, [{ connector: 'a', before: { ...masked, file: '/b' }, after: null }])
  assert.ok(!JSON.stringify(log.entries).includes(PASSWORD))
})

test('what the path does not say is in the entry: each connector of a pattern, the level of a logger', async () => {
  const { log, api } = scene()
  for (const name of ['a', 'b']) await api.configs.putConnectorConfig(name, config)
  await api.configs.putTargetState('b', 'STOPPED')
  assert.equal((await api.call('PUT', '/cluster/connectors/pause?pattern=*', undefined, ADMIN)).status, 200)
  assert.equal((await api.call('PUT', '/admin/loggers/x', { level: 'DEBUG' }, ADMIN)).status, 200)
  assert.deepEqual(log.entries[0]!.changes, [{ connector: 'a', before: null, after: null }])
  assert.equal(log.entries[1]!.about, 'level DEBUG')
  const found = await api.call('GET', '/audit?connector=a', undefined, ADMIN)
  assert.deepEqual(
    pageOf(found).entries.map(({ action }) => action),
    ['PUT /cluster/connectors/pause'],
  )
})

test('an error that tells a stored secret is recorded without it', async () => {
  const keys = { ...FILE_SOURCE.spec.keys, file: { ...FILE_SOURCE.spec.keys['file']!, validator: SHORT } }
  const log = new MemoryAuditLog()
  const api = testApi({ access, audit: { log, required: true }, plugins: [{ ...FILE_SOURCE, spec: { keys } }] })
  // An earlier version of the plugin took it.
  const stored = { ...config, name: 'a', file: `https://me:${PASSWORD}@files.example/a` }
  await api.configs.putConnectorConfig('a', stored)
  const { status, body } = await api.call('PATCH', '/connectors/a/config', { topic: 'other' }, ADMIN)
  assert.equal(status, 400)
  assert.match(JSON.stringify(body), new RegExp(PASSWORD), 'an admin sees it')
  assert.match(log.entries[0]!.error ?? '', /for configuration file/)
  assert.ok(!JSON.stringify(log.entries).includes(PASSWORD))
})

test('a change is answered after its entry is written', async () => {
  const { log, api } = scene()
  log.held = Promise.withResolvers()
  let answered = false
  const call = api.call('POST', '/connectors', { name: 'a', config }, ADMIN).finally(() => (answered = true))
  while (api.configs.snapshot.config('a') === null) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(answered, false)
  log.held.resolve()
  assert.equal((await call).status, 201)
  assert.deepEqual(
    log.entries.map(({ connector }) => connector),
    ['a'],
  )
})

test('nothing is changed while the audit log cannot be written, unless it is not required', async () => {
  for (const required of [true, false]) {
    const { log, api } = scene(required)
    log.trouble = 'The audit topic x cannot be written: not authorized.'
    log.fails = new Error('not authorized')
    const { status, body } = await api.call('POST', '/connectors', { name: 'a', config }, ADMIN)
    assert.equal(status, required ? 503 : 201)
    if (required)
      assert.match((body as { message: string }).message, /^Nothing was changed, .*audit topic x cannot be written/)
    assert.equal(api.configs.snapshot.config('a') !== null, !required)
    assert.equal((await api.call('GET', '/connectors', undefined, ADMIN)).status, 200, 'reads go on')
  }
})

test('a change that was made and could not be recorded says so', async () => {
  const { log, api } = scene()
  log.fails = new Error('The audit topic x cannot be written: it is gone')
  const { status, body } = await api.call('POST', '/connectors', { name: 'a', config }, ADMIN)
  assert.equal(status, 500)
  assert.match((body as { message: string }).message, /^The change was made, but not recorded\. .*it is gone/)
})

/** One write route behind the trail. `gate` stands for the write gate, which may not let a request through. */
function bare(handler: (store: ConfigStore, reply: FastifyReply) => Promise<unknown>, gate?: () => never) {
  const log = new MemoryAuditLog()
  const trail = new AuditTrail({ audit: log, required: true, self: () => 'a:1' })
  const store = trail.observe(new MemoryConfigStore())
  const app = fastify()
  recognizeReplicas(app, { tokens: null, self: () => null })
  app.decorateRequest('rawBody', '')
  trail.guard(app, (stored) => stored)
  if (gate) app.addHook('onRoute', (route) => void (route.handler = async () => gate()))
  const config = { write: true }
  app.route({ method: 'PUT', url: '/x/:connector', config, handler: (_request, reply) => handler(store, reply) })
  return { log, ask: () => app.inject({ method: 'PUT', url: '/x/a' }) }
}

test('a request that timed out and went on is recorded once more, with what it did then', async () => {
  const { promise: answered, resolve: goOn } = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const { log, ask } = bare(async (store, reply) => {
    void reply.code(500).send({ error_code: 500, message: 'Request timed out' })
    await answered
    await store.putConnectorConfig('a', config)
    setImmediate(ended.resolve)
    return reply
  })
  assert.equal((await ask()).statusCode, 500)
  assert.deepEqual(
    log.entries.map(({ error, changes }) => [error, changes.length]),
    [['Request timed out', 0]],
  )
  goOn()
  await ended.promise
  assert.match(log.entries[1]!.error ?? '', /^The request had timed out before/)
  assert.deepEqual(log.entries[1]!.changes, [{ connector: 'a', before: null, after: config }])
})

test('a change whose leader did not answer is recorded by the replica that sent it on', async () => {
  const { log, ask } = bare(
    () => assert.fail('carried out here'),
    () => {
      throw Object.assign(new Error('Whether the change was made is not known'), { statusCode: 503 })
    },
  )
  assert.equal((await ask()).statusCode, 503)
  const [{ outcome, connector, error }] = log.entries as [AuditEntry]
  assert.deepEqual([outcome, connector, error], ['failed', 'a', 'Whether the change was made is not known'])
})

test('failed changes, refused rights and failed logins are recorded', async () => {
  const { log, api } = scene()
  await api.call('POST', '/connectors', { name: 'a', config: { ...config, topic: null } }, ADMIN)
  await api.call('DELETE', '/connectors/none', undefined, ADMIN)
  await api.call('DELETE', '/connectors/a?x=1', undefined, { authorization: 'user:bob viewer' })
  await api.call('GET', '/audit', undefined, { authorization: 'user:bob admin:a' })
  await api.call('GET', '/connectors', undefined, { authorization: 'wrong' })
  await api.call('GET', '/connectors')
  const seen = log.entries.map(({ who, action, connector, status, outcome }) => [
    who,
    action,
    connector,
    status,
    outcome,
  ])
  assert.deepEqual(seen, [
    ['key:ci', 'POST /connectors', 'a', 400, 'failed'],
    ['key:ci', 'DELETE /connectors/{connector}', 'none', 404, 'failed'],
    ['user:bob', 'DELETE /connectors/{connector}', 'a', 403, 'denied'],
    ['user:bob', 'GET /audit', null, 403, 'denied'],
    ['key:guess', 'login', null, 401, 'denied'],
  ])
  assert.match(log.entries[0]!.error ?? '', /Null value/)
  assert.equal(log.entries[4]!.error, 'no such key')
  assert.ok(log.entries.every(({ changes }) => changes.length === 0))
})

test('the error of a refused change shows no secret of the configuration that was sent', async () => {
  const { log, api } = scene()
  api.configs.putConnectorConfig = () => Promise.reject(new Error(`cannot write ${PASSWORD}`))
  const put = (body: unknown): Promise<Answer> => api.call('PUT', '/connectors/a/config', body, ADMIN)
  assert.equal((await put({ ...config, 'api.token': PASSWORD })).status, 500)
  assert.match(log.entries[0]!.error ?? '', /^cannot write \[hidden\]$/)
})

test('who made which API key with which grants is recorded, and the key is not', async () => {
  const log = new MemoryAuditLog()
  const api = testApi({ access, audit: { log, required: true }, keys: new MemoryAccessStore() })
  const made = await api.call(
    'POST',
    '/admin/keys',
    { name: 'ops', grants: ['admin', 'viewer'], expires: '90d' },
    ADMIN,
  )
  await api.call('POST', '/admin/keys', { name: 'bad', grants: 'root' }, ADMIN)
  await api.call('DELETE', '/admin/keys/ops', undefined, ADMIN)
  assert.deepEqual(
    log.entries.map(({ who, action, path, about, status }) => [who, action, path, about, status]),
    [
      ['key:ci', 'POST /admin/keys', '/admin/keys', 'API key ops: admin,viewer; expires 90d', 201],
      ['key:ci', 'POST /admin/keys', '/admin/keys', 'API key bad: root; does not expire', 400],
      ['key:ci', 'DELETE /admin/keys/{key}', '/admin/keys/ops', undefined, 204],
    ],
  )
  assert.ok(!JSON.stringify(log.entries).includes((made.body as { key: string }).key.split('_').slice(2).join('_')))
})

test('a flood of guesses makes few entries', async () => {
  const { log, api } = scene()
  for (let i = 0; i < 300; i++) await api.call('GET', `/connectors/${i}`, undefined, { authorization: 'wrong' })
  assert.equal(log.entries.length, 5)
  const told: [item: string, count: number][] = []
  const flood = new Flood<string>((item, count) => told.push([item, count]))
  for (let i = 0; i < 100_000; i++) flood.add(`10.0.${i >> 8}.${i & 255}`, `guess ${i}`)
  const one = told.length
  flood.endMinute()
  assert.ok(one <= 100 && told.length <= 302, `${one}, ${told.length}`)
  assert.equal(
    told.reduce((sum, [, count]) => sum + count, 0),
    100_000,
    'every guess is counted',
  )
  assert.deepEqual(told.at(-1), ['guess 99999', 99_800])
  flood.add('a', 'next minute')
  assert.deepEqual(told.at(-1), ['next minute', 1])
})

test('GET /audit filters, and goes on where an answer ended', async () => {
  const { log, api } = scene()
  for (const name of ['a1', 'a2', 'b1'])
    await api.call('POST', '/connectors', { name, config }, { authorization: `key:${name} admin` })
  await api.call('DELETE', '/connectors/a1', undefined, ADMIN)
  await api.call('DELETE', '/connectors/zz', undefined, ADMIN)
  const ask = (query: string): Promise<Answer> => api.call('GET', `/audit?${query}`, undefined, ADMIN)
  const found = async (query: string): Promise<unknown[]> =>
    pageOf(await ask(query)).entries.map(({ who, connector }) => [who, connector].join(' '))
  assert.deepEqual(await found(''), ['key:ci zz', 'key:ci a1', 'key:b1 b1', 'key:a2 a2', 'key:a1 a1'])
  assert.deepEqual(await found('connector=a*'), ['key:ci a1', 'key:a2 a2', 'key:a1 a1'])
  assert.deepEqual(await found('who=key:a?&action=POST*'), ['key:a2 a2', 'key:a1 a1'])
  assert.deepEqual(await found('outcome=failed'), ['key:ci zz'])
  assert.deepEqual(await found(`to=${log.entries[0]!.time - 1000}`), [])
  assert.equal((await found('from=2000-01-01')).length, 5)
  const [today] = new Date(log.entries.at(-1)!.time).toISOString().split('T')
  assert.notEqual((await found(`from=${today}&to=${today}`)).length, 0, 'a date is its whole day')
  const page = pageOf(await ask('limit=2'))
  assert.deepEqual([page.entries.length, page.next], [2, '3'])
  assert.deepEqual(await found(`limit=3&cursor=${page.next}`), ['key:b1 b1', 'key:a2 a2', 'key:a1 a1'])
  for (const wrong of ['limit=0', 'limit=1001', 'cursor=x', 'from=yesterday', 'outcome=good']) {
    assert.equal((await ask(wrong)).status, 400, wrong)
  }
  const off = testApi()
  assert.equal((await off.call('GET', '/audit')).status, 404)
})
