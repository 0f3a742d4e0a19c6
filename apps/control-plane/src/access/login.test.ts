import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '@tributary/telemetry'
import { testApi } from '../testing/test-api.ts'
import type { Authenticator, Identity } from './identity.ts'
import { type FailedLogin, LoginError } from './login.ts'

const ADMIN: Identity = { name: 'key:ci', grants: [{ role: 'admin', configs: true, records: true, connectors: '*' }] }

/** Takes the header `x-test`: `right` is let in, `away` cannot be judged. */
const authenticator: Authenticator = {
  challenge: 'Test realm="tributary"',
  authenticate: async ({ headers: { 'x-test': credentials } }) => {
    if (credentials === undefined) return null
    if (credentials === 'right') return ADMIN
    if (credentials === 'away') throw LoginError.unavailable('The keys of the issuer cannot be read.')
    throw LoginError.refused('unknown key', 'key:x')
  },
}

test('everybody may do everything while no authentication is configured', async () => {
  const { status } = await testApi().call('GET', '/connectors')
  assert.equal(status, 200)
})

test('a request is let in with right credentials, and refused with wrong ones or none', async () => {
  const failed: FailedLogin[] = []
  const api = testApi({
    access: { authenticators: [authenticator], onFailedLogin: (login) => void failed.push(login) },
  })
  const right = await api.call('GET', '/connectors', undefined, { 'x-test': 'right' })
  assert.equal(right.status, 200)

  const none = await api.call('GET', '/connectors')
  assert.equal(none.status, 401)
  assert.deepEqual(none.body, { error_code: 401, message: 'This API needs credentials, and the request has none.' })
  assert.deepEqual(none.headers['www-authenticate'], ['Test realm="tributary"'])

  const wrong = await api.call('GET', '/connectors?expand=info', undefined, { 'x-test': 'wrong' })
  assert.equal(wrong.status, 401)
  assert.deepEqual(wrong.body, { error_code: 401, message: 'The credentials are wrong, expired or revoked.' })
  assert.deepEqual(failed, [
    { reason: 'unknown key', claimed: 'key:x', address: '127.0.0.1', method: 'GET', path: '/connectors' },
  ])

  const other = await api.call('GET', '/connectors', undefined, { authorization: 'Negotiate abc' })
  assert.equal(other.status, 401)
  assert.match(String(failed.map(({ reason }) => reason)), /,no authentication of this kind is configured$/)
})

test('credentials that cannot be judged now are answered with 503 and the reason, and are no failed login', async () => {
  const failed: FailedLogin[] = []
  const api = testApi({ access: { authenticators: [authenticator], onFailedLogin: (login) => failed.push(login) } })
  const { status, body } = await api.call('GET', '/connectors', undefined, { 'x-test': 'away' })
  assert.deepEqual([status, body], [503, { error_code: 503, message: 'The keys of the issuer cannot be read.' }])
  assert.deepEqual(failed, [])
})

test('unknown paths and methods are refused before they tell what exists', async () => {
  const api = testApi({ access: { authenticators: [authenticator] } })
  for (const [method, path] of [
    ['GET', '/nothing'],
    ['TRACE', '/connectors'],
    ['OPTIONS', '/connectors'],
  ] as const) {
    assert.equal((await api.call(method, path)).status, 401, `${method} ${path}`)
  }
})

test('a preflight of CORS passes without credentials, and a page of an allowed origin can read a refusal', async () => {
  const crossOrigin = { origins: 'https://ops.example', methods: 'GET,PUT' }
  const api = testApi({ access: { authenticators: [authenticator] }, crossOrigin })
  const origin = { origin: 'https://ops.example' }
  const preflight = await api.call('OPTIONS', '/connectors', undefined, {
    ...origin,
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization,x-api-key,content-type',
  })
  assert.equal(preflight.status, 200)
  assert.equal(preflight.headers['access-control-allow-methods'], 'GET,PUT')
  assert.match(String(preflight.headers['access-control-allow-headers']), /,Authorization,X-API-Key$/)
  const refused = await api.call('GET', '/connectors', undefined, origin)
  assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [401, 'https://ops.example'])
})

test('logins that cannot be judged do not fill the log, and no query gets there', async () => {
  const lines: string[] = []
  const log = createLogger({ name: 'test', stream: { write: (line) => lines.push(line) } })
  const api = testApi({ access: { authenticators: [authenticator] }, log })
  for (let i = 0; i < 5; i++) await api.call('GET', `/connectors?secret=${i}`, undefined, { 'x-test': 'away' })
  assert.equal(lines.length, 1, lines.join(''))
  assert.doesNotMatch(lines.join(''), /secret/)
})
