import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrantsFile } from '../grants-file.ts'
import { formatGrant } from '../identity.ts'
import { CertificateAuthenticator, namesOf } from './certificates.ts'

type Request = Parameters<CertificateAuthenticator['authenticate']>[0]

const GRANTS = GrantsFile.parse('cert.CN\\=ci=viewer\ncert.DNS\\:ci.example.org=operator:orders-*')

function request(authorized: boolean, certificate: Readonly<Record<string, unknown>>): Request {
  return {
    raw: { socket: { authorized, authorizationError: 'CERT_UNTRUSTED', getPeerCertificate: () => certificate } },
  } as unknown as Request
}

const CERTIFICATE = {
  subject: { CN: 'ci', O: 'Example' },
  subjectaltname: 'DNS:ci.example.org, IP Address:127.0.0.1',
  valid_to: 'Nov 14 22:13:20 2030 GMT',
}

test('a certificate that TLS has checked names the caller, who has the grants of all its names', async () => {
  const certificates = new CertificateAuthenticator(
    () => Promise.resolve(GRANTS),
    () => Date.UTC(2030, 10, 14),
  )
  const identity = await certificates.authenticate(request(true, CERTIFICATE))
  assert.equal(identity?.name, 'cert:CN=ci')
  assert.deepEqual(identity.grants.map(formatGrant), ['viewer', 'operator:orders-*'])
})

test('a certificate that nobody vouches for, and a connection without TLS, name nobody', async () => {
  const certificates = new CertificateAuthenticator(
    () => Promise.resolve(GRANTS),
    () => 0,
  )
  await assert.rejects(certificates.authenticate(request(false, CERTIFICATE)), {
    reason: 'the client certificate is not accepted: CERT_UNTRUSTED',
    claimed: 'cert:CN=ci',
  })
  assert.equal(await certificates.authenticate(request(false, {})), null)
  assert.equal(await certificates.authenticate(request(true, {})), null)
  assert.equal(await certificates.authenticate({ raw: { socket: {} } } as unknown as Request), null)
})

test('a certificate ends while its connection goes on', async () => {
  let now = Date.UTC(2030, 10, 14)
  const certificates = new CertificateAuthenticator(
    () => Promise.resolve(GRANTS),
    () => now,
  )
  const sent = request(true, CERTIFICATE)
  assert.equal((await certificates.authenticate(sent))?.name, 'cert:CN=ci')
  now = Date.UTC(2030, 10, 15)
  await assert.rejects(certificates.authenticate(sent), {
    reason: 'the client certificate has expired',
    claimed: 'cert:CN=ci',
  })
})

test('no name can pretend to be two', () => {
  const of = (subjectaltname: string): string[] => namesOf({ subjectaltname })
  assert.deepEqual(of('DNS:a, URI:spiffe://x/y, email:c@x.org, IP Address:::1'), [
    'DNS:a',
    'URI:spiffe://x/y',
    'email:c@x.org',
  ])
  // Node's form of one URI with a comma.
  assert.deepEqual(of('URI:"http://x/, DNS:admin"'), ['URI:http://x/, DNS:admin'])
  assert.deepEqual(of('DNS:"a\\", DNS:admin"'), ['DNS:a", DNS:admin'])
  assert.deepEqual(of('othername:<unsupported>, DNS:a'), ['DNS:a'])
  assert.deepEqual(of('nonsense, DNS:admin'), [])
  assert.deepEqual(namesOf({ subject: { CN: ['a', 'b'] } }), ['CN=a', 'CN=b'])
  assert.deepEqual(namesOf({}), [])
})
