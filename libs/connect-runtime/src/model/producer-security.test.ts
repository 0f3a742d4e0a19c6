import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Props } from '@tributary/connect-api'
import { producerSecurity, SECURITY_NAMES } from './producer-security.ts'
import { producerSettings } from './producer-settings.ts'

const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule'
const JAAS = `${SCRAM} required username="u" password="p";`

const login = (props: Props, ownKeys: readonly string[] = SECURITY_NAMES) => {
  const { settings, errors } = producerSecurity(props, ownKeys)
  assert.deepEqual(errors, [])
  return settings?.login && [settings.login.username, settings.login.password.reveal()]
}

test("a connector's own protocol and login reach its producer, and nothing that is not there", () => {
  const props = { 'security.protocol': 'sasl_ssl', 'sasl.mechanism': 'SCRAM-SHA-256', 'sasl.jaas.config': JAAS }
  const { settings } = producerSecurity(props, SECURITY_NAMES)
  assert.deepEqual([settings?.protocol, settings?.mechanism], ['SASL_SSL', 'SCRAM-SHA-256'])
  assert.deepEqual(login(props), ['u', 'p'])
  assert.equal(producerSecurity({ 'sasl.jaas.config': ' ' }, SECURITY_NAMES).settings, undefined)
  assert.deepEqual(producerSettings({}, SECURITY_NAMES).options, {})
})

test("the keys count only for a plugin that has them; producer.override.* counts for all, and goes first; the worker's do not", () => {
  assert.equal(login({ 'sasl.jaas.config': JAAS }, []), undefined)
  assert.equal(login({ 'producer.sasl.jaas.config': JAAS }), undefined)
  const other = `${SCRAM} required username="o" password="p";`
  assert.deepEqual(login({ 'sasl.jaas.config': JAAS, 'producer.override.sasl.jaas.config': other }), ['o', 'p'])
  assert.deepEqual(producerSettings({ 'producer.override.security.protocol': 'SSL' }).options.security, { protocol: 'SSL' }) // prettier-ignore
})

test('a login is read as Java reads it', () => {
  assert.deepEqual(login({ 'sasl.jaas.config': `${SCRAM} required\n username="a \\"b\\"" password="c;d\\\\" ; ` }), ['a "b"', 'c;d\\']) // prettier-ignore
  assert.deepEqual(login({ 'sasl.jaas.config': `${SCRAM.replace('scram.Scram', 'plain.Plain')} required username=u password=p;` }), ['u', 'p']) // prettier-ignore
})

test('what is wrong is said on its key, without the secret', () => {
  const messages = (props: Props) => producerSecurity(props, SECURITY_NAMES).errors.map(({ field, message }) => [field, message]) // prettier-ignore
  const of = (text: string) => messages({ 'sasl.jaas.config': text })
  const head = 'Invalid value [hidden] for configuration sasl.jaas.config: '
  assert.deepEqual(of('secret'), [['sasl.jaas.config', `${head}it has the form <login module> required username="…" password="…";`]]) // prettier-ignore
  assert.deepEqual(of(`${SCRAM} required username="u";`), [['sasl.jaas.config', `${head}username and password are needed`]]) // prettier-ignore
  assert.match(
    of('software.amazon.msk.auth.iam.IAMLoginModule required awsDebugCreds=true;')[0]![1]!,
    /must be ScramLoginModule/,
  )
  assert.deepEqual(messages({ 'producer.override.sasl.mechanism': 'GSSAPI' }), [
    ['producer.override.sasl.mechanism', 'Invalid value GSSAPI for configuration producer.override.sasl.mechanism: String must be one of: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512'], // prettier-ignore
  ])
})
