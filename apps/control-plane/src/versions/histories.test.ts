import assert from 'node:assert/strict'
import test from 'node:test'
import { MemoryAuditLog } from '../testing/memory-audit.ts'
import { GRANTS_ACCESS } from '../testing/grants-access.ts'
import { FILE_SOURCE, testApi, type TestApiOptions } from '../testing/test-api.ts'

/** The file source with a password, and a URL to which it goes. */
const SECRET_SOURCE = {
  ...FILE_SOURCE,
  spec: {
    keys: {
      ...FILE_SOURCE.spec.keys,
      password: { type: 'password', default: null, importance: 'high', doc: 'The password' },
      url: { type: 'string', default: null, importance: 'high', doc: 'Where the password goes' },
    },
  },
} as const

interface Version {
  version: number
  author: string | null
  cause: string
  request_id: string | null
  changed: string[]
  rollback_to?: number
}

/** The fields of the answers. */
interface Body {
  versions: Version[]
  next: number | null
  version: number
  config: Record<string, string> | null
  hidden: string[]
  message: string
  rollback_to: number
  changed: unknown
  added: unknown[]
  removed: unknown[]
  info: { config: Record<string, string> }
}

function scene(options: TestApiOptions = {}) {
  const api = testApi({ plugins: [SECRET_SOURCE], access: GRANTS_ACCESS, ...options })
  const as =
    (grants: string) =>
    async (method: string, path: string, body?: unknown): Promise<{ status: number; body: Body }> =>
      (await api.call(method, `/connectors/c${path}`, body, { 'x-grants': grants })) as { status: number; body: Body }
  return { ...api, as, admin: as('admin') }
}

const base = { 'connector.class': FILE_SOURCE.class, topic: 'lines', 'tasks.max': '1' }
const summary = ({ versions }: Body): [number, string, string[]][] =>
  versions.map(({ version, cause, changed }) => [version, cause, changed])

test('each change is a version with its author and cause, and a configuration that is put again is none', async () => {
  const { as, admin } = scene()
  await admin('PUT', '/config', { ...base, password: 's3cret' })
  await admin('PUT', '/config', { ...base, password: 's3cret' })
  await as('admin:c')('PATCH', '/config', { url: 'https://a.example' })
  await admin('PATCH', '/config', { password: 'other' })
  await admin('DELETE', '')
  assert.equal((await admin('GET', '/config')).status, 404)
  await admin('PUT', '/config', base)
  const { body } = await admin('GET', '/config/history')
  assert.deepEqual(summary(body), [
    [5, 'create', ['connector.class', 'name', 'tasks.max', 'topic']],
    [4, 'delete', ['connector.class', 'name', 'password', 'tasks.max', 'topic', 'url']],
    [3, 'patch', ['password']],
    [2, 'patch', ['url']],
    [1, 'create', ['connector.class', 'name', 'password', 'tasks.max', 'topic']],
  ])
  const authors = new Set(body.versions.map(({ author }) => author))
  assert.equal(authors.size, 1)
  const paged = await admin('GET', '/config/history?limit=2&before=4')
  assert.deepEqual(summary(paged.body).map(([version]) => version), [3, 2]) // prettier-ignore
  assert.equal(paged.body.next, 2)
  const third = (await admin('GET', '/config/history/3')).body
  assert.deepEqual(third.config, { name: 'c', ...base, password: '[hidden]', url: 'https://a.example' })
  assert.deepEqual(third.hidden, ['password'])
  assert.equal((await admin('GET', '/config/history/4')).body.config, null)
  assert.equal((await admin('GET', '/config/history/9')).status, 404)
  assert.equal((await admin('GET', '/config/history/x')).status, 400)
  assert.equal(JSON.stringify((await admin('GET', '/config/history?limit=9')).body).includes('s3cret'), false)
})

test('a difference shows what was added, removed and changed, also a secret, whose values stay hidden', async () => {
  const { admin } = scene()
  await admin('PUT', '/config', { ...base, password: 'one', url: 'https://a.example' })
  await admin('PUT', '/config', { ...base, password: 'two', topic: 'more', file: '/x' })
  assert.deepEqual((await admin('GET', '/config/diff')).body, {
    ...{ connector: 'c', from: 1, to: 2 },
    added: [{ key: 'file', after: '/x' }],
    removed: [{ key: 'url', before: 'https://a.example' }],
    changed: [
      { key: 'password', before: '[hidden]', after: '[hidden]' },
      { key: 'topic', before: 'lines', after: 'more' },
    ],
  })
  const { body } = await admin('GET', '/config/diff?from=2&to=current')
  assert.deepEqual([body.added, body.removed, body.changed], [[], [], []])
  assert.equal((await admin('GET', '/config/diff?from=0&to=1')).body.added.length, 6)
  assert.equal((await admin('GET', '/config/diff?from=7')).status, 404)
  assert.equal((await admin('GET', '/config/diff?from=last')).status, 400)
})

test('after ten changes a rollback to the first is equal to it, but for the secret, which keeps its present value', async () => {
  const { admin, configs } = scene()
  for (let n = 1; n <= 10; n++)
    await admin('PUT', '/config', { ...base, topic: `t${n}`, password: `p${n}`, url: `u${n}` })
  const { status, body } = await admin('POST', '/config/rollback', { version: 1 })
  assert.equal(status, 200, JSON.stringify(body))
  assert.deepEqual(configs.snapshot.config('c'), { name: 'c', ...base, topic: 't1', password: 'p10', url: 'u1' })
  assert.deepEqual([body.rollback_to, body.version, body.changed], [1, 11, ['topic', 'url']])
  const listed = (await admin('GET', '/config/history')).body
  assert.deepEqual(
    listed.versions.map(({ version, cause, rollback_to }) => [version, cause, rollback_to]),
    [
      [11, 'rollback', 1],
      ...Array.from({ length: 9 }, (_, i) => [10 - i, 'update', undefined]),
      [1, 'create', undefined],
    ],
  )
  const again = await admin('POST', '/config/rollback', { version: 1 })
  assert.deepEqual([again.status, again.body.version, again.body.changed], [200, 11, []])
})

test('a secret that is not there any more is sent with the rollback, which makes a deleted connector anew', async () => {
  const { admin, configs } = scene()
  await admin('PUT', '/config', { ...base, password: 'p' })
  await admin('DELETE', '')
  const refused = await admin('POST', '/config/rollback', { version: 1 })
  assert.equal(refused.status, 409)
  assert.match(refused.body.message, /lacks password\. Send them: \{"version": 1, "config": \{"password": "…"\}\}/)
  assert.equal((await admin('POST', '/config/rollback', { version: 2 })).status, 400)
  assert.equal((await admin('POST', '/config/rollback', { version: 1, config: { topic: 'x' } })).status, 400)
  assert.equal((await admin('POST', '/config/rollback', { version: 3 })).status, 404)
  const { status, body } = await admin('POST', '/config/rollback', { version: 1, config: { password: 'new' } })
  assert.deepEqual([status, body.version], [201, 3])
  assert.deepEqual(configs.snapshot.config('c'), { name: 'c', ...base, password: 'new' })
  for (const wrong of [{}, { version: 0 }, { version: 'x' }, { version: 1, more: 1 }, [], null])
    assert.equal((await admin('POST', '/config/rollback', wrong)).status, 400)
})

test('who may alter but not see secrets does not send a present secret to an older URL', async () => {
  const { as, admin, configs } = scene()
  await admin('PUT', '/config', { ...base, password: 'p1', url: 'https://old.example' })
  await admin('PUT', '/config', { ...base, password: 'p2', url: 'https://new.example' })
  const blind = as('admin-configs')
  const refused = await blind('POST', '/config/rollback', { version: 1 })
  assert.equal(refused.status, 403)
  assert.match(refused.body.message, /password would be kept while url is sent/)
  assert.equal(configs.snapshot.config('c')!['url'], 'https://new.example')
  const sent = await blind('POST', '/config/rollback', { version: 1, config: { password: 'p3' } })
  assert.equal(sent.status, 200, JSON.stringify(sent.body))
  assert.equal(sent.body.info.config['password'], '[hidden]')
  assert.equal(configs.snapshot.config('c')!['password'], 'p3')
  assert.equal((await as('viewer')('GET', '/config/history')).status, 403)
  assert.equal((await as('viewer+configs')('GET', '/config/history')).status, 200)
})

test('while authentication is off the history hides secrets, and a rollback keeps them', async () => {
  const api = testApi({ plugins: [SECRET_SOURCE] })
  await api.call('PUT', '/connectors/c/config', { ...base, password: 'p1' })
  await api.call('PUT', '/connectors/c/config', { ...base, password: 'p2', topic: 'x' })
  const { body } = await api.call('GET', '/connectors/c/config/history/1')
  assert.equal((body as { config: Record<string, string> }).config['password'], '[hidden]')
  await api.call('POST', '/connectors/c/config/rollback', { version: 1 })
  assert.deepEqual(api.configs.snapshot.config('c'), { name: 'c', ...base, password: 'p2' })
  const { versions } = (await api.call('GET', '/connectors/c/config/history')).body as Body
  assert.deepEqual(versions.map(({ author }) => author), Array(3).fill('anonymous')) // prettier-ignore
})

test('a configuration that was there before, or that others have changed, is found with the next change', async () => {
  const { admin, configs } = scene()
  await configs.putConnectorConfig('c', { name: 'c', ...base, password: 'p' })
  await admin('PATCH', '/config', { topic: 'x' })
  await configs.putConnectorConfig('c', { name: 'c', ...base, url: 'u' })
  await admin('DELETE', '')
  const { body } = await admin('GET', '/config/history')
  assert.deepEqual(summary(body), [
    [4, 'delete', ['connector.class', 'name', 'tasks.max', 'topic', 'url']],
    [3, 'found', ['password', 'topic', 'url']],
    [2, 'patch', ['topic']],
    [1, 'found', ['connector.class', 'name', 'password', 'tasks.max', 'topic']],
  ])
  assert.deepEqual(body.versions.map(({ author }) => author !== null), [true, false, true, false]) // prettier-ignore
})

test('the request of a version is the one in the audit log, and changes in parallel are versions in the order of writing', async () => {
  const audit = new MemoryAuditLog()
  const { admin, configs } = scene({ audit: { log: audit, required: true } })
  await admin('PUT', '/config', base)
  const written: string[] = []
  configs.listen({ connectorConfigUpdated: () => void written.push(configs.snapshot.config('c')!['topic']!) })
  await Promise.all(['a', 'b', 'c', 'd'].map((topic) => admin('PUT', '/config', { ...base, topic })))
  const { versions } = (await admin('GET', '/config/history')).body
  assert.equal(versions.length, 5)
  const topics = await Promise.all(
    versions.map(async ({ version }) => (await admin('GET', `/config/history/${version}`)).body.config!['topic']!),
  )
  assert.deepEqual(topics.reverse(), ['lines', ...written])
  const ids = new Set(audit.entries.map(({ id }) => id))
  assert.ok(versions.every((version) => ids.has(version.request_id!)))
})

test('a configuration that is too large to be kept is listed, and can be neither compared nor brought back', async () => {
  const { admin } = scene()
  const file = 'x'.repeat(800_000)
  assert.equal((await admin('PUT', '/config', { ...base, file })).status, 201)
  await admin('PUT', '/config', base)
  const { body } = await admin('GET', '/config/history/1')
  assert.deepEqual(body.config, { name: 'c', 'connector.class': FILE_SOURCE.class })
  for (const answer of [await admin('GET', '/config/diff'), await admin('POST', '/config/rollback', { version: 1 })]) {
    assert.equal(answer.status, 400)
    assert.match(answer.body.message, /too large to be kept/)
  }
})
