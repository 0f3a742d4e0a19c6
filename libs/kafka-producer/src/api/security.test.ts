import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaConnection } from '@tributary/config'
import { secured, securityKey } from './security.ts'

const password = (text: string) => ({ reveal: () => text })
const plain: KafkaConnection = { brokers: ['k:9092'], clientId: 'c' }
const worker: KafkaConnection = {
  ...plain,
  tls: { ca: 'CA' },
  sasl: { mechanism: 'SCRAM-SHA-512', username: 'worker', password: password('w') },
}
const login = { username: 'own', password: password('o') }

test("a producer's own login and protocol lie over the connection's", () => {
  assert.deepEqual(secured(worker, {}), worker)
  assert.equal(secured(worker, { login })?.sasl?.username, 'own')
  assert.equal(secured(worker, { login })?.sasl?.mechanism, 'SCRAM-SHA-512')
  assert.equal(secured(worker, { mechanism: 'SCRAM-SHA-256' })?.sasl?.username, 'worker')
  assert.deepEqual(secured(worker, { protocol: 'PLAINTEXT', login }), plain)
  assert.deepEqual(secured(worker, { protocol: 'SASL_PLAINTEXT' })?.tls, undefined)
  assert.deepEqual(secured(worker, { protocol: 'SSL' }), { ...plain, tls: { ca: 'CA' } })
})

test('a login without a protocol is not used where the connection has none, as in Java', () => {
  assert.deepEqual(secured(plain, { login, mechanism: 'SCRAM-SHA-512' }), plain)
})

test('TLS without authorities trusts those of the system; SASL without a login cannot be', () => {
  assert.deepEqual(secured(plain, { protocol: 'SSL' })?.tls, {})
  assert.equal(secured(plain, { protocol: 'SASL_SSL', mechanism: 'SCRAM-SHA-512' }), null)
  assert.equal(secured(plain, { protocol: 'SASL_SSL', login }), null)
})

test('producers with other passwords share nothing', () => {
  assert.notEqual(securityKey({ login }), securityKey({ login: { ...login, password: password('p') } }))
  assert.equal(securityKey({ login }), securityKey({ login: { ...login } }))
  assert.equal(securityKey(), securityKey({}))
})
