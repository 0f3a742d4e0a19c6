import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrantsFile } from './grants-file.ts'
import { formatGrant } from './identity.ts'

const FILE = GrantsFile.parse(`
# people
user.alice=operator:orders-*, viewer
user.*=viewer:public-*
user.mallory = none
cert.DNS\\:stolen.example=none
cert.CN\\=ci=admin
cert.URI\\:spiffe\\://example.org/ci=viewer
oidc.a.b=viewer
`)
const of = (...args: Parameters<GrantsFile['of']>): string[] => FILE.of(...args).map(formatGrant)

test('a line gives a name its grants; * stands for the names without a line', () => {
  assert.deepEqual(of('user', ['alice']), ['operator:orders-*', 'viewer'])
  assert.deepEqual(of('user', ['bob']), ['viewer:public-*'])
  assert.deepEqual(of('oidc', ['a.b']), ['viewer'])
  assert.deepEqual(of('oidc', ['a']), [])
  for (const name of ['__proto__', 'constructor', '']) assert.deepEqual(of('oidc', [name]), [], name)
})

test('none takes the rights of a name, those for all others included', () => {
  assert.deepEqual(of('user', ['mallory']), [])
  assert.deepEqual(of('cert', ['CN=ci', 'DNS:stolen.example']), [])
})

test('a certificate has the grants of all its names', () => {
  assert.deepEqual(of('cert', ['CN=ci', 'URI:spiffe://example.org/ci']), ['admin', 'viewer'])
  assert.deepEqual(of('cert', ['CN=other']), [])
})

test('a line that is not understood is refused', () => {
  for (const [line, why] of [
    ['alice=viewer', /"alice" is not of the form kind\.name; kinds are user, cert, oidc, claim/],
    ['users.alice=viewer', /"users\.alice" is not of the form/],
    ['user.=viewer', /"user\." is not of the form/],
    ['user.alice', /user\.alice: no grant is given/],
    ['user.alice=viewer, none', /user\.alice: .*"none" is no role/],
    ['user.alice=viewer, root', /user\.alice: .*"root" is no role/],
  ] as const) {
    assert.throws(() => GrantsFile.parse(line), why, line)
  }
})
