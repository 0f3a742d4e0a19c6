import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../values/secret.ts'
import type { KafkaConnection } from './kafka-settings.ts'
import { packConnection, unpackConnection } from './packed-connection.ts'

test('packConnection and unpackConnection keep a connection with its secrets', () => {
  const secure: KafkaConnection = {
    brokers: ['a:1'],
    clientId: 'c',
    tls: { ca: 'PEM', passphrase: new Secret('phrase'), rejectUnauthorized: true },
    sasl: { mechanism: 'PLAIN', username: 'u', password: new Secret('word') },
  }
  const { tls, sasl, ...rest } = unpackConnection(packConnection(secure))
  assert.deepEqual(rest, { brokers: ['a:1'], clientId: 'c' })
  assert.equal(tls?.passphrase?.reveal(), 'phrase')
  assert.equal(tls?.ca, 'PEM')
  assert.equal(sasl?.password.reveal(), 'word')
  assert.equal(JSON.stringify(sasl), '{"mechanism":"PLAIN","username":"u","password":"[hidden]"}')
  const plain: KafkaConnection = { brokers: ['a:1'], clientId: 'c' }
  assert.deepEqual(unpackConnection(packConnection(plain)), plain)
})
