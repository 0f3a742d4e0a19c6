import { silentLog } from '@tributary/telemetry/testing'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { testApi } from '../../testing/test-api.ts'
import { GrantsFile } from '../grants-file.ts'
import { formatGrant, type Identity } from '../identity.ts'
import type { FailedLogin } from '../login.ts'
import { BearerTokenAuthenticator, type BearerTokenOptions } from './bearer-tokens.ts'
import { IssuerKeys } from './issuer-keys.ts'

const START = 1_700_000_000_000

/** The documents of an issuer, which a test changes. `away` closes connections. */
interface Documents {
  discovery: unknown
  jwks: unknown
  away: boolean
  reads: number
}

async function issuerOf(t: TestContext): Promise<{ url: string; documents: Documents }> {
  const documents: Documents = { discovery: null, jwks: { keys: [] }, away: false, reads: 0 }
  const server = createServer((request, response) => {
    if (documents.away) return void request.socket.destroy()
    if (request.url === '/jwks') documents.reads++
    const body = request.url === '/jwks' ? documents.jwks : documents.discovery
    response.setHeader('connection', 'close')
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  documents.discovery = { issuer: url, jwks_uri: `${url}/jwks` }
  return { url, documents }
}

interface Key {
  readonly jwk: JWK
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>
}

async function scene(t: TestContext, more: Partial<BearerTokenOptions> = {}) {
  const { url: issuer, documents } = await issuerOf(t)
  const clock = { ms: START }
  const failed: FailedLogin[] = []
  const bearer = new BearerTokenAuthenticator({
    keys: new IssuerKeys({ issuer, jwksUrl: null, log: silentLog, now: () => clock.ms }),
    issuer,
    audience: ['tributary'],
    algorithms: ['ES256'],
    clockSkewMs: 30_000,
    nameClaim: 'sub',
    grantsClaim: null,
    grants: () =>
      Promise.resolve(
        GrantsFile.parse(
          'oidc.alice=viewer\noidc.*=viewer:public-*\nclaim.ops=admin\noidc.mallory=none\nclaim.operator=none',
        ),
      ),
    now: () => clock.ms,
    ...more,
  })
  const api = testApi({ access: { authenticators: [bearer], onFailedLogin: (login) => void failed.push(login) } })
  const newKey = async (kid: string): Promise<Key> => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const claims = { iss: issuer, aud: 'tributary', sub: 'alice', exp: START / 1000 + 86_400 }
    return {
      jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' },
      token: (changed) =>
        new SignJWT({ ...claims, ...changed }).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey),
    }
  }
  const identity = async (token: string): Promise<Identity | null> =>
    bearer.authenticate({ headers: { authorization: `Bearer ${token}` } } as Parameters<typeof bearer.authenticate>[0])
  return {
    documents,
    clock,
    failed,
    newKey,
    grants: async (token: string): Promise<string[]> => ((await identity(token))?.grants ?? []).map(formatGrant),
    get: async (token: string): Promise<{ status: number; message: string }> => {
      const { status, body } = await api.call('GET', '/connectors', undefined, { authorization: `Bearer ${token}` })
      return { status, message: (body as { message?: string }).message ?? '' }
    },
  }
}

test('an unknown key is asked for once, and not again within five seconds', async (t) => {
  const { documents, clock, newKey, get } = await scene(t)
  const [first, second, third] = [await newKey('1'), await newKey('2'), await newKey('3')]
  documents.jwks = { keys: [first.jwk] }
  assert.equal((await get(await first.token())).status, 200)
  documents.jwks = { keys: [second.jwk] }
  assert.equal((await get(await second.token())).status, 200)
  assert.equal((await get(await first.token())).status, 401, 'withdrawn')
  documents.jwks = { keys: [third.jwk] }
  clock.ms += 4999
  const guesses = await Promise.all(Array.from({ length: 20 }, async () => (await get(await third.token())).status))
  assert.deepEqual([[...new Set(guesses)], documents.reads], [[401], 2])
  clock.ms += 1
  const answers = await Promise.all(Array.from({ length: 20 }, async () => (await get(await third.token())).status))
  assert.deepEqual([[...new Set(answers)], documents.reads], [[200], 3])
})

test('a key that the issuer has withdrawn ends within ten minutes; while the issuer is away the known keys count', async (t) => {
  const { documents, clock, newKey, get } = await scene(t)
  const [key, other] = [await newKey('1'), await newKey('2')]
  documents.jwks = { keys: [key.jwk] }
  assert.equal((await get(await key.token())).status, 200)
  documents.away = true
  clock.ms += 3_600_000
  assert.equal((await get(await key.token())).status, 200)
  documents.away = false
  documents.jwks = { keys: [other.jwk] }
  clock.ms += 5000
  assert.equal((await get(await key.token())).status, 401)
})

test('without any key the answer is 503 with what is wrong at the issuer, and is no failed login', async (t) => {
  const { documents, clock, newKey, get, failed } = await scene(t)
  const key = await newKey('1')
  const { discovery } = documents
  const wrong: [Partial<Documents>, RegExp][] = [
    [{ away: true }, /cannot be read/],
    [
      { discovery: { issuer: 'https://evil.example', jwks_uri: 'https://evil.example/jwks' } },
      /is of the issuer "https:\/\/evil/,
    ],
    [
      { discovery: { ...(discovery as object), jwks_uri: 'http://evil.example/jwks' } },
      /has no jwks_uri that is an https URL/,
    ],
    [{ discovery: 'x' }, /not valid JSON/],
    [{ discovery: [] }, /answers no JSON object/],
    [{ jwks: {} }, /no list "keys"/],
    [{ jwks: { keys: [] } }, /no public key/],
    [
      { jwks: { keys: [null, { kty: 'oct', k: 'c2VjcmV0' }, { ...key.jwk, use: 'enc' }, { ...key.jwk, d: 'x' }] } },
      /no public key/,
    ],
    [{ jwks: `{"keys":[],"x":"${'x'.repeat(600_000)}"}` }, /more than 524288 bytes/],
  ]
  for (const [change, why] of wrong) {
    Object.assign(documents, { discovery, jwks: { keys: [key.jwk] }, away: false }, change)
    clock.ms += 5000
    const { status, message } = await get(await key.token())
    assert.equal(status, 503, String(why))
    assert.match(message, why)
  }
  assert.deepEqual(failed, [])
  Object.assign(documents, { discovery, jwks: { keys: [key.jwk] } })
  assert.equal((await get(await key.token())).status, 503, 'not asked again at once')
  clock.ms += 5000
  assert.equal((await get(await key.token())).status, 200)
})

test('an algorithm that is not listed is refused, and the audit learns who a refused token says it is', async (t) => {
  const { documents, newKey, get, failed } = await scene(t, { algorithms: ['RS256'] })
  const key = await newKey('1')
  documents.jwks = { keys: [key.jwk] }
  assert.equal((await get(await key.token())).status, 401)
  assert.equal((await get(await key.token({ sub: 'a\nb' }))).status, 401)
  assert.equal((await get('x')).status, 401)
  assert.deepEqual(
    failed.map(({ claimed }) => claimed),
    ['oidc:alice', null, null],
  )
})

test('grants come from the line of the subject and from the claim, of which groups that are no grants are left out', async (t) => {
  const { documents, newKey, grants } = await scene(t, { grantsClaim: 'realm_access.roles' })
  const key = await newKey('1')
  documents.jwks = { keys: [key.jwk] }
  const of = async (sub: string, roles?: unknown): Promise<string[]> =>
    grants(await key.token({ sub, ...(roles === undefined ? {} : { realm_access: { roles } }) }))
  assert.deepEqual(await of('alice', ['ops', 'staff', 'operator:orders-*']), ['viewer', 'admin', 'operator:orders-*'])
  assert.deepEqual(await of('alice', 'offline ops'), ['viewer', 'admin'])
  assert.deepEqual(await of('bob', ['staff']), ['viewer:public-*'])
  assert.deepEqual(await of('bob', ['ops']), ['admin'])
  for (const roles of [undefined, null, 5, {}, [['admin']], ['__proto__'], ['Admin']]) {
    assert.deepEqual(await of('bob', roles), ['viewer:public-*'], JSON.stringify(roles))
  }
})

test('none takes every right of a subject, and lets a group of a role name be only a group', async (t) => {
  const { documents, newKey, grants } = await scene(t, { grantsClaim: 'roles' })
  const key = await newKey('1')
  documents.jwks = { keys: [key.jwk] }
  assert.deepEqual(await grants(await key.token({ sub: 'mallory', roles: ['ops', 'viewer'] })), [])
  assert.deepEqual(await grants(await key.token({ sub: 'alice', roles: ['operator'] })), ['viewer'])
})
