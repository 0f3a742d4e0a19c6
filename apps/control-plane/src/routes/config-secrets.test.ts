import assert from 'node:assert/strict'
import test from 'node:test'
import type { PluginEntry } from '@tributary/connect-storage'
import { GRANTS_ACCESS } from '../testing/grants-access.ts'
import { type Answer, testApi } from '../testing/test-api.ts'
import { fakeWorker } from '../testing/fake-worker.ts'

const FEED: PluginEntry = {
  class: 'FeedSource',
  aliases: [],
  type: 'source',
  version: '1',
  service: 'feed-ingest',
  spec: {
    keys: {
      topic: { type: 'string', importance: 'high', doc: '' },
      'feed.url': { type: 'string', importance: 'high', doc: '' },
      'feed.token': { type: 'password', default: null, importance: 'high', doc: '' },
      'feed.message': { type: 'string', default: null, importance: 'high', doc: '', sensitive: true },
    },
  },
}

const PLAIN = { 'connector.class': 'FeedSource', topic: 'ticks', name: 'a' }
const SECRETS = {
  'feed.url': 'wss://user:url-secret@feed.example/ws',
  'feed.token': 'token-secret',
  'feed.message': 'message-secret',
  'value.converter.basic.auth.user.info': 'me:registry-secret',
  'feed.tokn': 'misspelt-secret',
}
const CONFIG = { ...PLAIN, ...SECRETS }
const MASKED = { ...PLAIN, ...Object.fromEntries(Object.keys(SECRETS).map((key) => [key, '[hidden]'])) }

type Api = (method: string, path: string, grants: string, body?: unknown) => Promise<Answer>

async function withConnector(): Promise<{ call: Api; stored: () => unknown; api: ReturnType<typeof testApi> }> {
  const api = testApi({ access: GRANTS_ACCESS, plugins: [FEED] })
  const call: Api = (method, path, grants, body) => api.call(method, path, body, { 'x-grants': grants })
  assert.equal((await call('POST', '/connectors', 'admin', { name: 'a', config: CONFIG })).status, 201)
  await api.configs.putTaskConfigs('a', [{ ...CONFIG, 'task.class': 'T' }])
  await api.status.putConnector('a', { state: 'RUNNING', workerId: 'w', generation: 1 })
  return { call, api, stored: () => api.configs.snapshot.config('a') }
}

const messageOf = ({ body }: Answer): string => (body as { message: string }).message

test('who may read configurations sees them, who may only alter them sees masks, others the class alone', async () => {
  const { call } = await withConnector()
  const read = async (path: string, grants: string): Promise<unknown> => {
    const { status, body } = await call('GET', path, grants)
    return status === 200 ? body : status
  }
  const shown: [grants: string, config: unknown, ownPath: boolean][] = [
    ['admin', CONFIG, true],
    ['viewer+configs:a', CONFIG, true],
    ['admin-configs', MASKED, true],
    ['viewer, admin-configs:b', { 'connector.class': 'FeedSource', name: 'a' }, false],
    ['operator', { 'connector.class': 'FeedSource', name: 'a' }, false],
  ]
  for (const [grants, config, ownPath] of shown) {
    const info = { name: 'a', config, tasks: [{ connector: 'a', task: 0 }], type: 'source' }
    const task = grants === 'admin-configs' ? { 'task.class': '[hidden]' } : ownPath ? { 'task.class': 'T' } : {}
    const taskConfig = { ...(config as object), ...task }
    assert.deepEqual(await read('/connectors/a', grants), info, grants)
    assert.deepEqual(await read('/connectors?expand=info', grants), { a: { info } }, grants)
    assert.deepEqual(await read('/connectors/a/tasks', grants), [
      { id: { connector: 'a', task: 0 }, config: taskConfig },
    ])
    assert.deepEqual(await read('/connectors/a/config', grants), ownPath ? config : 403, grants)
    assert.deepEqual(await read('/connectors/a/tasks-config', grants), ownPath ? { 'a-0': taskConfig } : 403, grants)
  }
})

test('offsets show the secret of a source partition only to who sees the secrets', async () => {
  const { call, api } = await withConnector()
  const partition = { url: SECRETS['feed.url'], token: 'x', channel: 'c' }
  await api.offsets.write('a', [{ partition, offset: { at: 7n, page: 'p?api_key=abc' } }])
  const read = async (grants: string) => (await call('GET', '/connectors/a/offsets', grants)).body
  assert.deepEqual(await read('viewer+configs'), { offsets: [{ partition, offset: { at: 7, page: 'p?api_key=abc' } }] })
  const masks = { partition: { url: '[hidden]', token: '[hidden]', channel: 'c' }, offset: { at: 7, page: '[hidden]' } }
  assert.deepEqual(await read('admin-configs'), { offsets: [masks] })
})

test('offsets that a source refuses tell its secret only to who sees the secrets', async (t) => {
  const { call, api } = await withConnector()
  const message = `this connector reads ${JSON.stringify({ url: CONFIG['feed.url'] })} only`
  const worker = await fakeWorker(t, (path) =>
    path.endsWith('/check') ? { errors: [{ field: '', message }] } : { tasks: [] },
  )
  api.groups.set('test-feed-ingest', [worker.address])
  await api.configs.putTargetState('a', 'STOPPED')
  await api.configs.putTaskConfigs('a', [])
  const body = { offsets: [{ partition: { url: 'x' }, offset: { position: 1 } }] }
  const told = async (grants: string): Promise<string> => {
    const answer = await call('PATCH', '/connectors/a/offsets', grants, body)
    assert.equal(answer.status, 400)
    return messageOf(answer)
  }
  assert.match(await told('admin'), /url-secret/)
  assert.doesNotMatch(await told('admin-configs'), /url-secret/)
})

test('a configuration that was read with masks can be sent back as it is, and nothing changes', async () => {
  const { call, stored } = await withConnector()
  for (const grants of ['admin', 'admin-configs']) {
    for (const [method, path, body] of [
      ['PUT', '/connectors/a/config', MASKED],
      ['PUT', '/connectors/a/config', { name: 'a', config: MASKED }],
      ['PATCH', '/connectors/a/config', { 'feed.token': '[hidden]', topic: 'ticks' }],
      ['PATCH', '/connectors/a/config', {}],
    ] as const) {
      const { status, body: answered } = await call(method, path, grants, body)
      assert.equal(status, 200, JSON.stringify(answered))
      assert.deepEqual((answered as { config: unknown }).config, grants === 'admin' ? CONFIG : MASKED)
      assert.deepEqual(stored(), CONFIG)
    }
  }
})

test('who sees the secrets may send masks beside changes; who does not may keep no secret beside a change', async () => {
  const { call, stored } = await withConnector()
  const elsewhere = { ...MASKED, 'feed.url': 'wss://evil.example' }
  for (const [method, body] of [
    ['PUT', elsewhere],
    ['PUT', { 'feed.url': 'wss://evil.example' }],
    ['PUT', { ...MASKED, 'producer.override.client.id': 'x' }],
    ['PUT', { ...MASKED, 'feed.message': undefined }],
    ['PUT', { ...MASKED, transforms: 'a' }],
    ['PATCH', { 'feed.url': 'wss://evil.example' }],
    ['PATCH', { topic: 'other' }],
    ['PATCH', { 'feed.message': null }],
    ['PATCH', { 'connector.class': null }],
  ] as const) {
    const refused = await call(method, '/connectors/a/config', 'admin-configs', body)
    assert.equal(refused.status, 403, JSON.stringify([method, body, refused.body]))
    assert.match(messageOf(refused), /a change must bring its own: .*viewer\+configs:a/)
    assert.deepEqual(stored(), CONFIG)
  }
  const own = { ...CONFIG, ...Object.fromEntries(Object.keys(SECRETS).map((key) => [key, 'own'])) }
  assert.equal((await call('PUT', '/connectors/a/config', 'admin-configs', own)).status, 200)
  assert.deepEqual(stored(), own)
  await call('PUT', '/connectors/a/config', 'admin', CONFIG)
  assert.equal((await call('PUT', '/connectors/a/config', 'admin', elsewhere)).status, 200)
  assert.deepEqual(stored(), { ...CONFIG, 'feed.url': 'wss://evil.example' })
})

test('kcctl lists as a viewer, applies files without seeing secrets, and patches with them', async () => {
  const { call, stored } = await withConnector()
  const listed = await call('GET', '/connectors?expand=info&expand=status', 'viewer')
  assert.deepEqual(Object.keys((listed.body as { a: object }).a).sort(), ['info', 'status'])
  const patch = async (grants: string): Promise<Answer> => {
    const { body } = await call('GET', '/connectors/a/config', grants)
    return call('PUT', '/connectors/a/config', grants, { ...(body as object), topic: 'patched' })
  }
  const refused = await patch('admin-configs')
  assert.equal(refused.status, 403)
  assert.match(messageOf(refused), /feed\.token.* would be kept while topic is sent/)
  assert.equal((await patch('admin')).status, 200)
  assert.deepEqual(stored(), { ...CONFIG, topic: 'patched' })
  assert.equal((await call('PUT', '/connectors/a/config', 'admin-configs', CONFIG)).status, 200)
  assert.deepEqual(stored(), CONFIG)
})

test('nobody learns whether a guessed secret is right', async () => {
  const { call } = await withConnector()
  const guess = (token: string) =>
    call('PUT', '/connectors/a/config', 'admin-configs', { ...MASKED, 'feed.token': token })
  assert.deepEqual(await guess('token-secret'), await guess('wrong'))
})

test('a mask without a stored value is refused', async () => {
  const { call } = await withConnector()
  for (const [method, path, body] of [
    ['POST', '/connectors', { name: 'b', config: { ...MASKED, name: 'b' } }],
    ['POST', '/connectors', { name: 'a', config: MASKED }],
    ['PUT', '/connectors/b/config', { ...MASKED, name: 'b' }],
    ['PATCH', '/connectors/a/config', { 'feed.other': '[hidden]' }],
    ['PUT', '/connector-plugins/FeedSource/config/validate', { ...MASKED, name: 'b' }],
  ] as const) {
    const { status, body: answered } = await call(method, path, 'admin', body)
    assert.equal(status, 400, `${method} ${path} ${JSON.stringify(answered)}`)
    assert.match(JSON.stringify(answered), /is \[hidden\], which stands for a stored secret/)
  }
})

test('while authentication is off the text [hidden] is a value like any other, as in Kafka Connect', async () => {
  const { call, configs } = testApi({ plugins: [FEED] })
  assert.equal((await call('POST', '/connectors', { name: 'a', config: MASKED })).status, 201)
  assert.deepEqual(configs.snapshot.config('a'), MASKED)
})

test('validate uses a stored secret only for who sees it, or where nothing changes, and shows it to nobody else', async (t) => {
  const { call, api } = await withConnector()
  const quoting = { field: 'feed.url', message: `cannot reach ${SECRETS['feed.url']} with ${SECRETS['feed.token']}` }
  const worker = await fakeWorker(t, () => ({ errors: [quoting] }))
  api.groups.set('test-feed-ingest', [worker.address])
  const validate = (grants: string, config: unknown) =>
    call('PUT', '/connector-plugins/FeedSource/config/validate', grants, config)
  const elsewhere = { ...MASKED, 'feed.url': 'wss://evil.example' }

  assert.equal((await validate('admin-configs', elsewhere)).status, 403)
  assert.equal(worker.asked.length, 0)

  const blind = await validate('admin-configs', MASKED)
  assert.equal(blind.status, 200)
  assert.deepEqual(JSON.parse(worker.asked[0]!.body), CONFIG)
  const text = JSON.stringify(blind.body)
  for (const secret of ['url-secret', 'token-secret', 'message-secret']) assert.ok(!text.includes(secret), text)
  assert.match(text, /cannot reach \[hidden\] with \[hidden\]/)

  const refused = await call('PUT', '/connectors/a/config', 'admin-configs', MASKED)
  assert.equal(refused.status, 400)
  assert.match(messageOf(refused), /cannot reach \[hidden\] with \[hidden\]/)

  assert.equal((await validate('admin', elsewhere)).status, 200)
  assert.equal((JSON.parse(worker.asked.at(-1)!.body) as Record<string, string>)['feed.token'], 'token-secret')
})
