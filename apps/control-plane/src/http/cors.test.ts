import assert from 'node:assert/strict'
import test from 'node:test'
import { GRANTS_ACCESS } from '../testing/grants-access.ts'
import { testApi } from '../testing/test-api.ts'
import { changesMatcher } from './cors.ts'

const crossOrigin = { origins: 'https://ui.example.org, https://*.intern', methods: 'GET, PUT' }
const corsHeaders = (headers: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'))

test('without the setting a page of another origin may read nothing', async () => {
  const { call } = testApi()
  const answer = await call('GET', '/connectors', undefined, { origin: 'https://ui.example.org' })
  assert.deepEqual([answer.status, corsHeaders(answer.headers), answer.headers['vary']], [200, [], undefined])
})

test('named origins are allowed, others are not', async () => {
  const { call } = testApi({ crossOrigin })
  for (const origin of ['https://ui.example.org', 'https://a.b.intern']) {
    const { headers } = await call('GET', '/connectors', undefined, { origin })
    assert.equal(headers['access-control-allow-origin'], origin)
    assert.equal(headers['access-control-allow-credentials'], 'true')
    assert.equal(headers['vary'], 'Origin')
  }
  for (const origin of ['https://ui.example.org.evil.org', 'http://ui.example.org', 'https://uixexample.org']) {
    const { status, headers } = await call('GET', '/connectors', undefined, { origin })
    assert.deepEqual([status, corsHeaders(headers), headers['vary']], [200, [], 'Origin'])
  }
})

test('error answers carry the CORS headers, too', async () => {
  const { call } = testApi({ crossOrigin: { origins: '*', methods: '' } })
  const { status, headers } = await call('GET', '/nope', undefined, { origin: 'https://anywhere' })
  assert.deepEqual(
    [status, headers['access-control-allow-origin'], headers['vary']],
    [404, 'https://anywhere', undefined],
  )
})

test('a preflight request is answered with the allowed methods and headers', async () => {
  const { call } = testApi({ crossOrigin })
  const ask = async (method: string, asked = 'content-type'): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await call('OPTIONS', '/connectors/a/pause', undefined, {
      origin: 'https://ui.example.org',
      'access-control-request-method': method,
      'access-control-request-headers': asked,
    })
    assert.equal(answer.status, 200)
    return answer.headers
  }
  const headers = await ask('PUT')
  assert.equal(headers['access-control-allow-methods'], 'GET,PUT')
  assert.equal(headers['access-control-allow-headers'], 'X-Requested-With,Content-Type,Accept,Origin')
  assert.equal(headers['access-control-max-age'], '1800')
  assert.deepEqual(corsHeaders(await ask('DELETE')), [])
  assert.deepEqual(corsHeaders(await ask('PUT', 'content-type, x-mine')), [])
})

test('where callers log in, * lets no page use credentials that a browser adds by itself', async () => {
  const crossOrigin = { origins: '*, https://ui.example.org', methods: '' }
  const { call } = testApi({ crossOrigin, access: GRANTS_ACCESS })
  const credentialsFor = async (origin: string): Promise<unknown> => {
    const { headers } = await call('GET', '/connectors', undefined, { origin, 'x-grants': 'viewer' })
    assert.equal(headers['access-control-allow-origin'], origin)
    return headers['access-control-allow-credentials']
  }
  assert.equal(await credentialsFor('https://anywhere.example'), undefined)
  assert.equal(await credentialsFor('https://ui.example.org'), 'true')

  const may = changesMatcher({ ...crossOrigin, authenticates: true })
  const basic = { authorization: 'Basic YTpi' }
  assert.equal(may('https://ui.example.org', basic), true)
  assert.equal(may('https://anywhere.example', basic), false)
  assert.equal(may('https://anywhere.example', {}), false, 'a client certificate')
  for (const added of [{ authorization: 'Bearer t' }, { 'x-api-key': 'trib_k' }]) {
    assert.equal(may('https://anywhere.example', added), true, 'the page itself has added the credentials')
  }
  assert.equal(changesMatcher(crossOrigin)('https://anywhere.example', {}), true)
})
