import assert from 'node:assert/strict'
import test from 'node:test'
import { ConfigError } from '@tributary/connect-api'
import { storageErrors } from '@tributary/connect-storage'
import { type Answer, testApi } from '../testing/test-api.ts'

const config = { 'connector.class': 'FileStreamSource', topic: 't' }

test('unmatched requests get the JSON errors of the HTTP layer', async () => {
  const { call } = testApi()
  const cases: [string, string, unknown, Record<string, string>, number, string][] = [
    ['GET', '/nope', undefined, {}, 404, 'HTTP 404 Not Found'],
    ['GET', '//connectors', undefined, {}, 404, 'HTTP 404 Not Found'],
    ['DELETE', '/connectors', undefined, {}, 405, 'HTTP 405 Method Not Allowed'],
    ['POST', '/connectors/x', undefined, {}, 405, 'HTTP 405 Method Not Allowed'],
    ['GET', '/connectors', undefined, { accept: 'text/plain' }, 406, 'HTTP 406 Not Acceptable'],
    ['POST', '/connectors', 'name=a', { 'content-type': 'text/plain' }, 415, 'HTTP 415 Unsupported Media Type'],
    ['GET', '/connectors/%zz', undefined, {}, 400, 'HTTP 400 Bad Request'],
  ]
  for (const [method, path, body, headers, status, message] of cases) {
    const answer = await call(method, path, body, headers)
    assert.deepEqual(answer.body, { error_code: status, message }, `${method} ${path}`)
    assert.equal(answer.status, status)
  }
})

test('JSON answers name no charset, and answers without a body name no content type', async () => {
  const { call } = testApi()
  assert.equal((await call('GET', '/connectors')).headers['content-type'], 'application/json')
  assert.equal((await call('GET', '/connectors/x')).headers['content-type'], 'application/json')
  await call('PUT', '/connectors/x/config', config)
  const paused = await call('PUT', '/connectors/x/pause')
  assert.deepEqual([paused.status, paused.headers['content-type'], paused.body], [202, undefined, undefined])
  const removed = await call('DELETE', '/connectors/x')
  assert.deepEqual([removed.status, removed.headers['content-type'], removed.body], [204, undefined, undefined])
})

test('an Accept header that includes JSON is satisfied', async () => {
  const { call } = testApi()
  for (const accept of [
    '*/*',
    'application/*',
    'text/plain, */*;q=0.1',
    'application/json;q=0',
    'APPLICATION/JSON; charset=utf-8',
  ]) {
    assert.equal((await call('GET', '/connectors', undefined, { accept })).status, 200, accept)
  }
})

test('an empty body with a JSON content type is not an error', async () => {
  const { call } = testApi()
  await call('PUT', '/connectors/x/config', config)
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  assert.equal((await call('PUT', '/connectors/x/pause', '', headers)).status, 202)
  assert.equal((await call('DELETE', '/connectors/x', '', headers)).status, 204)
})

test('a trailing slash makes no difference', async () => {
  const { call } = testApi()
  for (const path of ['/connectors/', '/connector-plugins/', '/admin/loggers/']) {
    assert.equal((await call('GET', path)).status, 200, path)
  }
})

test('HEAD answers like GET without a body, OPTIONS lists the methods', async () => {
  const { call } = testApi()
  assert.deepEqual((await call('HEAD', '/connectors')).body, undefined)
  const options = await call('OPTIONS', '/connectors')
  assert.equal(options.status, 200)
  assert.deepEqual(String(options.headers['allow']).split(',').sort(), ['GET', 'HEAD', 'OPTIONS', 'POST'])
})

test('a connector name may hold any characters and have any length', async () => {
  const { call } = testApi()
  for (const name of ['a/b', 'ü + %25', 'q?h#a&', ' sp ace ', '__proto__', 'x'.repeat(3000)]) {
    const path = `/connectors/${encodeURIComponent(name)}`
    assert.equal((await call('PUT', `${path}/config`, config)).status, 201, name)
    assert.equal(((await call('GET', path)).body as { name: string }).name, name)
    assert.ok(Object.hasOwn((await call('GET', '/connectors?expand=info')).body as object, name), name)
    assert.equal((await call('DELETE', path)).status, 204, name)
  }
})

test('a name that no later request could address is refused, with a sentence', async () => {
  const { call } = testApi()
  const cases: [string, RegExp][] = [
    ['x'.repeat(200_000), /^Invalid value x{200}… for .* must take at most 6000 bytes in a path/m],
    ['é'.repeat(1001), /at most 6000 bytes/],
    ['lone \ud800', /may not contain half of a surrogate pair/],
    ['..', /leave it out/],
    ['a\u0007b', /may not contain control sequences but had the following ASCII chars: 7$/m],
  ]
  for (const [name, message] of cases) {
    const answer = await call('POST', '/connectors', { name, config })
    const text = (answer.body as { message: string }).message
    assert.equal(answer.status, 400, text)
    assert.match(text, message)
    assert.ok(text.length < 1000)
  }
  const path = await call('PUT', '/connectors/%0Aa/config', config)
  assert.match((path.body as { message: string }).message, /"\\na" for configuration name: .* ASCII chars: 10$/m)
  assert.deepEqual((await call('GET', '/connectors')).body, [])
  assert.equal((await call('POST', '/connectors', { name: 'é'.repeat(1000), config })).status, 201)
  assert.equal((await call('DELETE', `/connectors/${'%C3%A9'.repeat(1000)}`)).status, 204)
})

test('a body of too many values is refused before it is parsed', async () => {
  const { call } = testApi()
  const many = (count: number): string => Array.from({ length: count }, (_, i) => `"k,${i}":1`).join(',')
  const path = '/connectors/a/config'
  const json = { 'content-type': 'application/json' }
  const answer = await call('PUT', path, `{${many(6000)}}`, json)
  assert.deepEqual(answer.body, { error_code: 400, message: 'The body has too many values; at most 5000 are allowed' })
  const quoted = JSON.stringify({ ...config, a: ',"'.repeat(6000) })
  assert.equal((await call('PUT', path, quoted, json)).status, 201)
})

test('an invalid body is answered with 400 and the mistake', async () => {
  const { call } = testApi()
  const cases: [string, RegExp][] = [
    ['{', /^The body is not JSON: /],
    ['', /^The body must be a JSON object, not empty$/],
    ['[]', /not an array$/],
    ['{"name":"a"}', /^The field "config" is missing/],
    ['{"name":"a","config":{"a":{}}}', /^The field "config": the value of a must be .* not an object/],
    ['{"name":"a","foo":1,"config":{}}', /^Unrecognized field "foo"; known are name, config, initial_state$/],
    ['{"name":"a","initial_state":"nope","config":{}}', /^Unknown initial_state nope; /],
  ]
  for (const [body, message] of cases) {
    const answer = await call('POST', '/connectors', body, { 'content-type': 'application/json' })
    assert.equal(answer.status, 400, body)
    assert.match((answer.body as { message: string }).message, message)
  }
})

test('matrix parameters are removed like in JAX-RS; an encoded semicolon belongs to the name', async () => {
  const { call } = testApi()
  await call('PUT', '/connectors/a/config', config)
  await call('PUT', '/connectors/a%3Bx=1/config', config)
  const nameAt = async (path: string): Promise<unknown> => ((await call('GET', path)).body as { name?: string }).name
  assert.equal(await nameAt('/connectors/a;x=1'), 'a')
  assert.equal(await nameAt('/connectors;y/a;x=1;z/?expand=a;b'), 'a')
  assert.equal(await nameAt('/connectors/a%3Bx=1'), 'a;x=1')
})

test('every write without a required body accepts an empty JSON body; every other write answers it with 400', async () => {
  const { call } = testApi()
  const json = { 'content-type': 'application/json' }
  await call('PUT', '/connectors/a/config', config)
  await call('PUT', '/connectors/a/stop')
  const cases: [string, string, number][] = [
    ['PUT', '/connectors/a/pause', 202],
    ['PUT', '/connectors/a/resume', 202],
    ['PUT', '/connectors/a/stop', 204],
    ['POST', '/connectors/a/restart', 204],
    ['PUT', '/connectors/a/topics/reset', 202],
    ['DELETE', '/connectors/a/offsets', 200],
    ['PUT', '/cluster/connectors/pause?pattern=x', 200],
    ['PATCH', '/connectors/a/offsets', 400],
    ['PATCH', '/connectors/a/config', 400],
    ['PUT', '/connectors/a/config', 400],
    ['POST', '/connectors', 400],
    ['PUT', '/connector-plugins/FileStreamSource/config/validate', 400],
    ['PUT', '/admin/loggers/a', 400],
    ['DELETE', '/connectors/a', 204],
  ]
  for (const [method, path, status] of cases) {
    assert.equal((await call(method, path, '', json)).status, status, `${method} ${path}`)
  }
})

test('a request that takes no body ignores the one that was sent', async () => {
  const { call } = testApi()
  await call('PUT', '/connectors/a/config', config)
  const json = { 'content-type': 'application/json' }
  assert.equal((await call('PUT', '/connectors/a/pause', '{bad', json)).status, 202)
  assert.equal((await call('DELETE', '/connectors/a', 'x', json)).status, 204)
})

test('a path with an empty name is answered with 404', async () => {
  const { call } = testApi()
  for (const [method, path] of [
    ['GET', '/connectors//config'],
    ['POST', '/connectors//config'],
    ['GET', '/connectors//'],
    ['GET', '/admin/loggers//'],
  ] as const) {
    assert.deepEqual((await call(method, path)).body, { error_code: 404, message: 'HTTP 404 Not Found' }, path)
  }
})

test('a body above the limit is answered with 413', async () => {
  const { call } = testApi()
  const answer = await call('PUT', '/connectors/a/config', { ...config, x: 'x'.repeat(2 * 1024 * 1024) })
  assert.deepEqual(answer.body, { error_code: 413, message: 'HTTP 413 Payload Too Large' })
})

test('unknown query parameters are ignored', async () => {
  const { call } = testApi()
  await call('PUT', '/connectors/a/config?x=1&x=2', config)
  assert.deepEqual((await call('GET', '/connectors?forward=true&x')).body, ['a'])
  assert.deepEqual((await call('GET', '/connectors?expand=foo')).body, { a: {} })
})

test('Location is absolute and encoded like JAX-RS', async () => {
  const { call } = testApi()
  const cases = [
    ['c1', 'c1'],
    ['b/ü+ %25c', 'b/%C3%BC+%20%25c'],
    ['sp ace?q#h&a', 'sp%20ace%3Fq%23h&a'],
    ['100%', '100%25'],
  ]
  for (const [name, encoded] of cases) {
    const config = { 'connector.class': 'FileStreamSource', topic: 't' }
    const answer = await call('POST', '/connectors', { name, config })
    assert.equal(answer.headers['location'], `http://rest:8083/connectors/${encoded}`)
  }
})

test('what is wrong in Kafka is no mistake of the client: a deleted internal topic is 503, missing rights are 500', async () => {
  const { call, configs } = testApi()
  configs.refusal = storageErrors.INTERNAL_TOPIC_DELETED('The internal topic was deleted.')
  const put = (): Promise<Answer> => call('PUT', '/connectors/x/config', config)
  assert.deepEqual((await put()).body, { error_code: 503, message: 'The internal topic was deleted.' })
  for (const code of ['UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED']) {
    configs.refusal = new ConfigError(code, 'produce failed')
    assert.deepEqual((await put()).body, { error_code: 500, message: 'produce failed' })
  }
})
