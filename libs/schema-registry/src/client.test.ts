import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { DeniedNetworks, denyNetworks, errorKind } from '@tributary/connect-api'
import { createRegistryClient } from './client.ts'
import { fakeRegistry } from './testing.ts'

const { signal } = new AbortController()
const STRING = '"string"'
const DOWN = 'http://127.0.0.1:1'
const CANARY = 'canary-9a1f'

test('the next URL is asked when one does not answer or cannot serve, and the one that answered is asked first from then on', async (t) => {
  const busy = await fakeRegistry(t, () => ({ status: 503, body: 'busy' }))
  const good = await fakeRegistry(t, () => ({ body: { schema: STRING } }))
  const client = createRegistryClient({ 'schema.registry.url': `${DOWN},${busy.url},${good.url}` })
  assert.deepEqual(await client.byId(7, signal), { id: 7, format: 'AVRO', schema: STRING, references: [] })
  await client.byId(8, signal)
  assert.deepEqual(busy.requests.length, 1)
  assert.deepEqual(good.requests, ['GET /schemas/ids/7?fetchMaxId=false', 'GET /schemas/ids/8?fetchMaxId=false'])
})

test('when none answers the error is retriable, and has the words that runbooks look for', async (t) => {
  const busy = await fakeRegistry(t, () => ({ status: 500, body: { error_code: 50_002, message: 'timed out' } }))
  const client = createRegistryClient({ 'schema.registry.url': `http://u:${CANARY}@127.0.0.1:1,${busy.url}` })
  await assert.rejects(client.byId(7, signal), (error: Error) => {
    assert.equal(errorKind(error), 'retriable')
    assert.match(error.message, /^Failed to retrieve schema for id 7: Schema registry not available: 127\.0\.0\.1:1: /)
    assert.doesNotMatch(error.message, new RegExp(CANARY))
    return true
  })
})

test('a registry that does not answer in time is away', async (t) => {
  const silent = await fakeRegistry(t, () => new Promise(() => undefined))
  const client = createRegistryClient({ 'schema.registry.url': silent.url, 'http.read.timeout.ms': '50' })
  await assert.rejects(client.latest('s', signal), {
    kind: 'retriable',
    message: /Schema registry not available: \S+ no answer within 50 ms$/,
  })
})

const ENDLESS: readonly [name: string, answer: string][] = [
  ['an upgrade of the protocol', 'HTTP/1.1 101 x\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
  ['nothing but interim answers', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['an answer without an end', 'HTTP/1.1 200 OK\r\n\r\n{"schema":'],
]
for (const [name, answer] of ENDLESS) {
  test(`a registry that answers with ${name} is away`, async (t) => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.write(answer)))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    t.after(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = createRegistryClient({ 'schema.registry.url': url, 'http.read.timeout.ms': '50' })
    await assert.rejects(client.byId(1, signal), { kind: 'retriable', message: /no answer within 50 ms$/ })
  })
}

const ANSWERS: readonly [status: number, body: unknown, kind: string, text: RegExp][] = [
  [401, { error_code: 401, message: 'Unauthorized' }, 'config', /401, Unauthorized; see basic\.auth/],
  [403, '<html>', 'config', /answered 403; see/],
  [
    404,
    '<html>no such page',
    'config',
    /answered 404 and no JSON of a schema registry; is schema\.registry\.url right/,
  ],
  [404, { error_code: 404, message: 'HTTP 404 Not Found' }, 'config', /is schema\.registry\.url right/],
  [302, '', 'config', /answered 302 and no JSON/],
  [200, '<html>', 'config', /answered 200 and no JSON/],
  [200, '{"schema":"\\"str', 'retriable', /answered half a JSON object/],
  [200, { schema: STRING, schemaType: 'XML' }, 'data', /of the type "XML", and only AVRO, PROTOBUF, JSON are known/],
  [200, { hello: 1 }, 'config', /no id and schema/],
  [
    404,
    { error_code: 40_403, message: 'Schema not found' },
    'data',
    /^Failed to retrieve schema for id 1: Schema not found/,
  ],
  [409, { error_code: 409, message: 'Incompatible: a' }, 'data', /Incompatible: a \(error code 409\)$/],
  [422, { error_code: 42_201, message: 'Invalid schema' }, 'data', /Invalid schema/],
  [422, { error_code: 42_205, message: 'read-only' }, 'config', /answered 422: read-only/],
  [429, { error_code: 429, message: 'slow down' }, 'retriable', /Schema registry not available/],
]
for (const [status, body, kind, text] of ANSWERS) {
  test(`the answer ${status} ${JSON.stringify(body)} is a ${kind} error`, async (t) => {
    const { url } = await fakeRegistry(t, () => ({ status, body }))
    await assert.rejects(createRegistryClient({ 'schema.registry.url': url }).byId(1, signal), { kind, message: text })
  })
}

test('an id that no frame has room for is a config error', async (t) => {
  for (const id of [2 ** 31, -1, 1.5]) {
    const { url } = await fakeRegistry(t, () => ({ body: { id } }))
    const client = createRegistryClient({ 'schema.registry.url': url })
    await assert.rejects(client.register('s', { format: 'AVRO', schema: STRING }, { normalize: false }, signal), {
      kind: 'config',
      message: /no id and schema/,
    })
  }
})

test('an answer may say null where it has no type, which means Avro', async (t) => {
  const { url } = await fakeRegistry(t, () => ({ body: { id: 3, schema: STRING, schemaType: null, references: null } }))
  const client = createRegistryClient({ 'schema.registry.url': url })
  assert.deepEqual(await client.byId(3, signal), { id: 3, format: 'AVRO', schema: STRING, references: [] })
})

test('equal requests at the same time are one, and go on when one of those who wait gives up', async (t) => {
  const gate = Promise.withResolvers<void>()
  const registry = await fakeRegistry(t, async () => {
    await gate.promise
    return { body: { id: 3, subject: 's', version: 2, schema: STRING } }
  })
  const client = createRegistryClient({ 'schema.registry.url': registry.url })
  const impatient = new AbortController()
  const [first, second] = [client.latest('s', impatient.signal), client.latest('s', signal)]
  impatient.abort(new Error('enough'))
  await assert.rejects(first, { message: 'enough' })
  gate.resolve()
  assert.deepEqual(await second, { id: 3, format: 'AVRO', schema: STRING, references: [], version: 2 })
  assert.equal(registry.requests.length, 1)
})

test('a schema is registered and looked up with its format and references', async (t) => {
  const bodies: unknown[] = []
  const registry = await fakeRegistry(t, (_request, body) => {
    bodies.push(JSON.parse(body))
    return { body: { id: 5 } }
  })
  const client = createRegistryClient({ 'schema.registry.url': `${registry.url}/base/` })
  const references = [{ name: 'a.B', subject: 'b', version: 1 }]
  await client.register('a/b', { format: 'AVRO', schema: STRING, references }, { normalize: true }, signal)
  await client.lookUp('a/b', { format: 'JSON', schema: '{}' }, { normalize: false }, signal)
  assert.deepEqual(registry.requests, [
    'POST /base/subjects/a%2Fb/versions?normalize=true',
    'POST /base/subjects/a%2Fb?normalize=false&deleted=false',
  ])
  assert.deepEqual(bodies, [
    { schema: STRING, references },
    { schema: '{}', schemaType: 'JSON' },
  ])
})

const LOGINS: readonly [settings: Readonly<Record<string, string>>, user: string, authorization: string][] = [
  [{}, '', 'undefined'],
  [{}, `u%40:${CANARY}@`, `Basic ${btoa(`u@:${CANARY}`)}`],
  [{}, `u:100%${CANARY}@`, `Basic ${btoa(`u:100%${CANARY}`)}`],
  [{ 'basic.auth.credentials.source': 'USER_INFO', 'basic.auth.user.info': 'a:b' }, '', `Basic ${btoa('a:b')}`],
  [
    { 'basic.auth.credentials.source': 'USER_INFO', 'schema.registry.basic.auth.user.info': 'a:b' },
    '',
    `Basic ${btoa('a:b')}`,
  ],
  [{ 'bearer.auth.credentials.source': 'STATIC_TOKEN', 'bearer.auth.token': CANARY }, '', `Bearer ${CANARY}`],
  [{ 'request.header.authorization': 'Own x' }, '', 'Own x'],
]
for (const [settings, user, authorization] of LOGINS) {
  test(`${JSON.stringify(settings)} and the user "${user}" log in`, async (t) => {
    const registry = await fakeRegistry(t, () => ({ body: { schema: STRING } }))
    const url = registry.url.replace('//', `//${user}`)
    await createRegistryClient({ 'schema.registry.url': url, ...settings }).byId(1, signal)
    assert.equal(String(registry.headers[0]!.authorization), authorization)
  })
}

test('a token comes from the token endpoint, once, and a new one when the registry refuses it', async (t) => {
  let tokens = 0
  const issuer = await fakeRegistry(t, (_request, body) => {
    assert.equal(body, 'grant_type=client_credentials&scope=sr')
    return { body: { access_token: `t${++tokens}`, expires_in: 3600 } }
  })
  let refused = false
  const registry = await fakeRegistry(t, () => (refused ? { status: 401, body: '' } : { body: { schema: STRING } }))
  const client = createRegistryClient({
    'schema.registry.url': registry.url,
    'bearer.auth.credentials.source': 'OAUTHBEARER',
    'bearer.auth.issuer.endpoint.url': `${issuer.url}/token`,
    'bearer.auth.client.id': 'id',
    'bearer.auth.client.secret': CANARY,
    'bearer.auth.scope': 'sr',
  })
  await Promise.all([client.byId(1, signal), client.byId(2, signal)])
  refused = true
  await assert.rejects(client.byId(3, signal), { kind: 'config' })
  assert.deepEqual(
    registry.headers.map(({ authorization }) => authorization),
    ['Bearer t1', 'Bearer t1', 'Bearer t1', 'Bearer t2'],
  )
  assert.equal(issuer.headers[0]!.authorization, `Basic ${btoa(`id:${CANARY}`)}`)
})

const INVALID: readonly [settings: Readonly<Record<string, string>>, text: RegExp][] = [
  [{ 'schema.registry.url': '' }, /schema\.registry\.url: List may not be empty/],
  [{ 'schema.registry.url': 'mock://x' }, /must use http:\/\/ or https:\/\/ scheme/],
  [{ 'basic.auth.credentials.source': 'SASL_INHERIT' }, /SASL_INHERIT would take the login of the worker/],
  [{ 'basic.auth.credentials.source': 'USER_INFO' }, /basic\.auth\.user\.info: USER_INFO needs it/],
  [{ 'bearer.auth.credentials.source': 'STATIC_TOKEN' }, /bearer\.auth\.token: STATIC_TOKEN needs it/],
  [
    { 'schema.registry.ssl.truststore.type': 'JKS', 'schema.registry.ssl.truststore.location': '/x.jks' },
    /\/x\.jks is a store of Java, which is not read.*keytool/,
  ],
]
for (const [settings, text] of INVALID) {
  test(`${JSON.stringify(settings)} is refused`, () => {
    assert.throws(() => createRegistryClient({ 'schema.registry.url': DOWN, ...settings }), {
      kind: 'config',
      message: text,
    })
  })
}

test('a header that HTTP cannot send is a config error without its value', async () => {
  const bad: readonly Readonly<Record<string, string>>[] = [
    { 'request.header.x': `${CANARY}\n${CANARY}` },
    { 'request.header.x y': CANARY },
    { 'bearer.auth.credentials.source': 'STATIC_TOKEN', 'bearer.auth.token': `${CANARY}\n${CANARY}` },
  ]
  for (const header of bad) {
    const client = createRegistryClient({ 'schema.registry.url': DOWN, ...header })
    await assert.rejects(client.byId(1, signal), (error: Error) => {
      assert.equal(errorKind(error), 'config')
      assert.match(error.message, /HTTP cannot send a header of the request: .*see request\.header/)
      assert.doesNotMatch(error.message, new RegExp(CANARY))
      return true
    })
  }
})

test('a registry in a network that the worker denies is a config error', async (t) => {
  const registry = await fakeRegistry(t, () => ({ body: { schema: STRING } }))
  denyNetworks(new DeniedNetworks(['loopback']))
  t.after(() => denyNetworks(null))
  for (const host of ['127.0.0.1', 'localhost']) {
    const client = createRegistryClient({ 'schema.registry.url': registry.url.replace('127.0.0.1', host) })
    await assert.rejects(client.byId(1, signal), { kind: 'config', code: 'ADDRESS_DENIED' })
  }
  assert.deepEqual(registry.requests, [])
})
