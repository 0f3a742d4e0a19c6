import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineConfig } from '../spec/define.ts'
import { envName, fromEnv } from './env.ts'
import { kafkaConnection, kafkaRules, kafkaSettings, parseHostPort } from './kafka-settings.ts'
import { toMarkdown } from '../spec/markdown.ts'

const spec = defineConfig(
  {
    ...kafkaSettings,
    'admin.port': { type: 'int', default: 0, importance: 'low', doc: 'Port of the admin server.' },
    'parent.watch': { type: 'boolean', default: false, importance: 'low', doc: 'Watch.' },
  },
  { rules: kafkaRules },
)

test('settings are read from their variables, and an empty variable counts as unset', () => {
  const values = fromEnv(spec, { KAFKA_BROKERS: 'a:1, b:2', TRIBUTARY_ADMIN_PORT: '', TRIBUTARY_PARENT_WATCH: '1' })
  assert.deepEqual(values['kafka.brokers'], ['a:1', 'b:2'])
  assert.equal(values['admin.port'], 0)
  assert.equal(values['parent.watch'], true)
})

test('an error names the variable to change', () => {
  assert.throws(() => fromEnv(spec, { TRIBUTARY_ADMIN_PORT: 'x' }), {
    message:
      'The settings contain the following 2 error(s):\n' +
      'KAFKA_BROKERS: Missing required configuration "kafka.brokers" which has no default value.\n' +
      'TRIBUTARY_ADMIN_PORT: Invalid value x for configuration admin.port: Not a number of type INT',
  })
})

test('the variable of a key', () => {
  assert.equal(envName('admin.port'), 'TRIBUTARY_ADMIN_PORT')
  assert.equal(envName('kafka.brokers', kafkaSettings['kafka.brokers']), 'KAFKA_BROKERS')
})

test('brokers are host:port, an IPv6 address in brackets', () => {
  for (const brokers of ['', 'a', 'a:x', 'http://a:1', 'a:1,,b:2']) {
    assert.throws(() => fromEnv(spec, { KAFKA_BROKERS: brokers }), /kafka.brokers/, brokers)
  }
  assert.deepEqual(fromEnv(spec, { KAFKA_BROKERS: '[::1]:9092' })['kafka.brokers'], ['[::1]:9092'])
  assert.deepEqual(['a:1', '[::1]:2', 'a'].map(parseHostPort), [
    { host: 'a', port: 1 },
    { host: '::1', port: 2 },
    { host: 'a', port: 9092 },
  ])
})

test('a connection with TLS and a login', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nx'
  const connection = kafkaConnection(
    fromEnv(spec, {
      KAFKA_BROKERS: 'a:1',
      TRIBUTARY_KAFKA_TLS_ENABLED: 'true',
      TRIBUTARY_KAFKA_TLS_CA: pem,
      TRIBUTARY_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      TRIBUTARY_KAFKA_SASL_USERNAME: 'u',
      TRIBUTARY_KAFKA_SASL_PASSWORD: 'p',
    }),
  )
  assert.deepEqual(connection.tls, { ca: pem, rejectUnauthorized: true })
  assert.equal(connection.sasl?.mechanism, 'SCRAM-SHA-512')
  assert.equal(connection.sasl?.password.reveal(), 'p')
  assert.ok(!JSON.stringify(connection).includes('"p"'))
})

test('a mechanism without a name and password, and half a key pair, are errors', () => {
  const env = { KAFKA_BROKERS: 'a:1' }
  assert.throws(
    () => fromEnv(spec, { ...env, TRIBUTARY_KAFKA_SASL_MECHANISM: 'PLAIN' }),
    /needs kafka.sasl.username and/,
  )
  assert.throws(() => fromEnv(spec, { ...env, TRIBUTARY_KAFKA_TLS_CERT: 'c' }), /needs kafka.tls.key/)
  assert.throws(
    () => fromEnv(spec, { ...env, TRIBUTARY_KAFKA_SASL_MECHANISM: 'GSSAPI' }),
    /String must be one of: PLAIN/,
  )
})

test('a file that cannot be read is an error on its key', () => {
  const values = fromEnv(spec, {
    KAFKA_BROKERS: 'a:1',
    TRIBUTARY_KAFKA_TLS_ENABLED: 'true',
    TRIBUTARY_KAFKA_TLS_CA: '/none',
  })
  assert.throws(() => kafkaConnection(values), /kafka.tls.ca: cannot read the file/)
})

test('the reference page lists every key with its type, default and meaning', () => {
  const page = toMarkdown(
    defineConfig(
      {
        a: { type: 'string', importance: 'high', doc: 'A | b.\nSecond line.', example: 'x' },
        b: {
          type: 'int',
          default: 5,
          validator: { kind: 'range', min: 1 },
          importance: 'low',
          doc: 'B.',
          group: 'Flow',
        },
        d: {
          type: 'string',
          default: null,
          validator: { kind: 'pattern', regex: '^.$', message: 'one character', accepts: 'a character' },
          importance: 'low',
          doc: 'As <name>.',
          group: 'Flow',
        },
        c: { type: 'password', default: null, importance: 'low', doc: 'C.', group: 'Flow', deprecated: 'use b.' },
      },
      { prefixes: { 'm.': { importance: 'low', doc: 'M.' } } },
    ).data,
    'Settings',
  )
  assert.equal(
    page,
    `# Settings

| Key | Type | Default | Importance | Description |
| --- | --- | --- | --- | --- |
| \`a\` | string | *required* | high | A \\| b. Second line. Example: \`x\`. |

## Flow

| Key | Type | Default | Importance | Description |
| --- | --- | --- | --- | --- |
| \`b\` | int | \`5\` | low | B. Accepts 1 and above. |
| \`d\` | string |  | low | As \\<name>. Accepts a character. |
| \`c\` | password |  | low | *Deprecated: use b.* C. Hidden in logs, errors and validation; \`GET …/config\` shows it. |

## Families of keys

| Key | Type | Importance | Description |
| --- | --- | --- | --- |
| \`m.<name>\` | string | low | M. |
`,
  )
})
