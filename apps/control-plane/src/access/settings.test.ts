import { fromEnv } from '@tributary/config'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlPlaneSettings } from '../settings.ts'
import { checkAccessSettings, isTrustedUrl } from './settings.ts'

/** `AUTHENTICATION`: TRIBUTARY_ACCESS_AUTHENTICATION, and so on. */
function check(values: Readonly<Record<string, string>>, asksForCertificates = false): void {
  const env: Record<string, string> = { KAFKA_BROKERS: 'k:9092' }
  for (const [name, value] of Object.entries(values)) env[`TRIBUTARY_ACCESS_${name}`] = value
  checkAccessSettings(fromEnv(controlPlaneSettings, env), asksForCertificates)
}

const OIDC = { AUTHENTICATION: 'oidc', OIDC_ISSUER: 'https://login.example.org', OIDC_AUDIENCE: 'tributary' }

test('what belongs together is asked for at the start', () => {
  check({})
  check({ AUTHENTICATION: 'keys' })
  check({ AUTHENTICATION: 'certificate', GRANTS_FILE: 'grants' }, true)
  check({ ...OIDC, GRANTS_FILE: 'grants' })
  check({ ...OIDC, OIDC_GRANTS_CLAIM: 'groups' })
  check({ AUTHENTICATION: 'keys,basic', BASIC_FILE: 'users', GRANTS_FILE: 'grants' })
  for (const [values, why] of [
    [{ AUTHENTICATION: 'key' }, /must be among keys, oidc, certificate, basic/],
    [
      { AUTHENTICATION: 'basic', GRANTS_FILE: 'x' },
      /configuration access\.basic\.file: access\.authentication contains basic/,
    ],
    [{ AUTHENTICATION: 'basic', BASIC_FILE: 'x' }, /configuration access\.grants\.file: .*user\.\*=admin/],
    [{ AUTHENTICATION: 'certificate' }, /configuration access\.grants\.file/],
    [{ AUTHENTICATION: 'certificate', GRANTS_FILE: 'x' }, /no client is asked for one; set tls\.cert/],
    [{ AUTHENTICATION: 'oidc' }, /configuration access\.oidc\.issuer/],
    [{ ...OIDC, OIDC_AUDIENCE: '' }, /configuration access\.oidc\.audience: without it every token/],
    [OIDC, /configuration access\.grants\.file: oidc needs it, or access\.oidc\.grants\.claim/],
    [
      { ...OIDC, GRANTS_FILE: 'x', OIDC_ISSUER: 'http://login.example.org' },
      /access\.oidc\.issuer: it must be an https URL/,
    ],
    [
      { ...OIDC, GRANTS_FILE: 'x', OIDC_JWKS_URL: 'file:///etc/passwd' },
      /access\.oidc\.jwks\.url: it must be an https URL/,
    ],
    [{ ...OIDC, GRANTS_FILE: 'x', OIDC_ALGORITHMS: 'RS256,HS256' }, /must be among RS256/],
    [{ ...OIDC, GRANTS_FILE: 'x', OIDC_ALGORITHMS: 'none' }, /must be among RS256/],
  ] as const) {
    assert.throws(() => check(values), why, JSON.stringify(values))
  }
})

test('keys of an issuer are read by https only, except on this machine', () => {
  for (const url of ['https://a', 'http://localhost:1/x', 'http://127.0.0.1', 'http://[::1]:8080'])
    assert.ok(isTrustedUrl(url), url)
  for (const url of [
    'http://a',
    'http://localhost.evil.org',
    'http://127.0.0.1.evil.org',
    'https://u:p@a',
    'ftp://a',
    'a',
    '',
  ]) {
    assert.ok(!isTrustedUrl(url), url)
  }
})
