import { sharedKafka, temporaryFolder } from '@tributary/harness'
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { after, before, type TestContext } from 'node:test'
import { clusterProps, type Props, startPlane } from '../../support/control-plane.ts'
import { type OidcIssuer, startOidcIssuer } from '../../support/oidc-issuer.ts'
import { type Answer, send } from '../../support/rest-call.ts'

const { brokers } = await sharedKafka()
const AUDIENCE = 'tributary'

let issuer: OidcIssuer
before(async () => (issuer = await startOidcIssuer()))
after(() => issuer.stop())

async function plane(t: TestContext, more: Props = {}): Promise<(token: string) => Promise<Answer>> {
  const grants = join(temporaryFolder('grants'), 'grants.properties')
  await writeFile(grants, 'oidc.alice=viewer\nclaim.kafka-admins=admin\n')
  const { url } = await startPlane(t, {
    ...clusterProps(brokers),
    'access.authentication': 'oidc',
    'access.oidc.issuer': issuer.url,
    'access.oidc.audience': AUDIENCE,
    'access.grants.file': grants,
    ...more,
  })
  return (token) => send(url, { method: 'GET', path: '/connectors', headers: { authorization: `Bearer ${token}` } })
}

const seconds = (fromNow: number): number => Math.floor(Date.now() / 1000) + fromNow
const claims = (more: Readonly<Record<string, unknown>> = {}) => ({
  iss: issuer.url,
  aud: AUDIENCE,
  sub: 'alice',
  iat: seconds(0),
  exp: seconds(300),
  ...more,
})

test('tokens of the issuer are accepted, and no others', async (t) => {
  const get = await plane(t)
  const status = async (alg: string, more?: Readonly<Record<string, unknown>>): Promise<number> =>
    (await get(await issuer.token(alg, claims(more)))).status

  for (const alg of ['RS256', 'ES256', 'Ed25519']) assert.equal(await status(alg), 200, alg)
  assert.equal(await status('RS256', { aud: ['other', AUDIENCE] }), 200)
  assert.equal(await status('RS256', { exp: seconds(-10), nbf: seconds(10) }), 200, 'within the clock skew')

  const refused: [string, string, Readonly<Record<string, unknown>>][] = [
    ['of another audience', 'RS256', { aud: 'other' }],
    ['without an audience', 'RS256', { aud: undefined }],
    ['of another issuer', 'RS256', { iss: `${issuer.url}/` }],
    ['expired', 'RS256', { exp: seconds(-60) }],
    ['without an end', 'RS256', { exp: undefined }],
    ['not valid yet', 'RS256', { nbf: seconds(60) }],
    ['made in the future', 'RS256', { iat: seconds(60) }],
    ['without a name', 'RS256', { sub: undefined }],
    ['with a name that is no text', 'RS256', { sub: ['alice'] }],
    ['unsigned', 'none', {}],
    ['signed with the public key as a secret', 'confused', {}],
    ['signed with another key under the id of a known one', 'foreign', {}],
  ]
  for (const [what, alg, more] of refused) assert.equal(await status(alg, more), 401, what)
  const [header, body] = (await issuer.token('RS256', claims())).split('.')
  for (const token of [`${header}.${body}.`, `${header}.${body}`, '', 'x', 'a.b.c']) {
    assert.equal((await get(token)).status, 401, token)
  }
  assert.equal(await issuer.reads(), 1)
})

test('while the issuer was never reached the answer is 503 with the reason; later the keys that were read go on to count', async (t) => {
  const other = await startOidcIssuer()
  const get = await plane(t, { 'access.oidc.issuer': other.url })
  const token = await other.token('RS256', claims({ iss: other.url }))
  const late = await plane(t, { 'access.oidc.issuer': other.url })
  assert.equal((await get(token)).status, 200)
  await other.stop()
  assert.equal((await get(token)).status, 200)
  const { status, body } = await late(token)
  assert.equal(status, 503)
  assert.match((body as { message: string }).message, /keys of the issuer \S+ cannot be read: .*ECONNREFUSED/)
})

test('a rotated key is found by its id', async (t) => {
  const get = await plane(t)
  const old = await issuer.token('RS256', claims())
  assert.equal((await get(old)).status, 200)
  await issuer.rotate()
  const rotated = await issuer.token('RS256', claims())
  assert.equal((await get(rotated)).status, 200)
  assert.equal((await get(old)).status, 401)
})
