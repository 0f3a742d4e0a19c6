import assert from 'node:assert/strict'
import test from 'node:test'
import type { ConfigSpecData } from '@tributary/config'
import { holdsSecret, looksSecret, masked, secretKeys } from './mask.ts'

test('a name looks like a secret by its words, wherever they mean one', () => {
  const secret =
    'password db.password ssl.keystore.password passwd passphrase client.secret aws.secret.access.key credentials ' +
    'gcs.credentials.json sasl.jaas.config basic.auth.user.info auth.token apiKey x-api-key X-Amz-Signature ' +
    'access_token refreshToken tls.client.key ssl.keystore.key Authorization Cookie Set-Cookie sig session pwd ' +
    'consumerSecret DB_PASSWORD private.key.pem connection.password'
  for (const name of secret.split(' ')) assert.ok(looksSecret(name), name)
  const plain =
    'name topic topics key.converter value.converter aws.access.key.id oauth.token.url token.endpoint ' +
    'monkey tasks.max batch.size author compass websocket.url keys.enabled'
  for (const name of plain.split(' ')) assert.ok(!looksSecret(name), name)
})

test('a value holds a secret in the user of a URL, in a query, in a list of headers, in JSON', () => {
  const secret = [
    'wss://user:pa:ss@feed.example/ws',
    'https://TOKEN@feed.example',
    'jdbc:postgresql://db/x?user=u&password=p',
    'wss://feed.example/ws?channel=a&access_token=abc',
    'X-Feed:a,Authorization:Bearer abc',
    'X-Feed: a, "x-api-key": abc',
    '{"op":"login","args":{"apiKey": "abc"}}',
    '{\\"token\\":\\"abc\\"}',
    "login token='abc'",
    'password=abc',
  ]
  for (const value of secret) assert.ok(holdsSecret(value), value)
  const plain = ['wss://feed.example:443/ws?channel=a', 'a@b.example', '{"op":"subscribe"}', 'User-Agent:x', 'key', '']
  for (const value of plain) assert.ok(!holdsSecret(value), value)
})

const SPEC: ConfigSpecData = {
  keys: {
    url: { type: 'string', importance: 'high', doc: '' },
    token: { type: 'password', importance: 'high', doc: '' },
    message: { type: 'string', importance: 'high', doc: '', sensitive: true },
    'token.key': { type: 'int', importance: 'high', doc: '' },
    'db.password': { type: 'string', importance: 'high', doc: '' },
  },
  prefixes: {
    'header.': { importance: 'low', doc: '', sensitive: true },
    'query.': { importance: 'low', doc: '' },
  },
}

test('a secret is found in time that grows with the length of the value', () => {
  for (const unit of ['a', ' ', '//', 'a=', 'a:"', '\\', 'a.', '"a":', '//x', '${a:', '${a:b} ']) {
    secretKeys({ url: unit.repeat((1 << 20) / unit.length) + '\n' }, [SPEC])
  }
})

test('shown is what a spec knows and declares no secret, and what does not look like one', () => {
  const config = {
    url: 'wss://feed.example',
    token: 't',
    message: 'm',
    'token.key': '1',
    'db.password': 'p',
    'header.x': 'h',
    'query.channel': 'c',
    'query.token': 'q',
    'auth.tokn': 'misspelt',
    constructor: 'x',
  }
  assert.deepEqual(masked(config, secretKeys(config, [SPEC])), {
    ...Object.fromEntries(Object.keys(config).map((key) => [key, '[hidden]'])),
    url: 'wss://feed.example',
    'token.key': '1',
    'query.channel': 'c',
  })
  const references = {
    token: '${file:/etc/feed.properties:token}',
    'auth.tokn': '${env:A}${env:B}',
    message: '${env:A}x',
  }
  assert.deepEqual(masked(references, secretKeys(references, [SPEC])), { ...references, message: '[hidden]' })
  const withUser = { url: 'wss://u:p@feed.example' }
  assert.deepEqual(masked(withUser, secretKeys(withUser, [SPEC])), { url: '[hidden]' })
})
