import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { defineConfig } from '../spec/define.ts'
import { fromEnv, type WorkerProperties } from './env.ts'
import { kafkaSettings } from './kafka-settings.ts'
import { readWorkerProperties, unknownProperties } from './worker-properties.ts'

const spec = defineConfig({
  ...kafkaSettings,
  cluster: { type: 'string', default: 'tributary', importance: 'high', doc: 'Name.' },
  'config.storage.topic': { type: 'string', default: null, importance: 'low', doc: 'Topic.' },
  'config.storage.replication.factor': { type: 'int', default: null, importance: 'low', doc: 'Replicas.' },
  'session.timeout.ms': { type: 'int', default: 10_000, importance: 'low', doc: 'Session.' },
})

function read(t: TestContext, text: string): WorkerProperties {
  const folder = mkdtempSync(join(tmpdir(), 'properties-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'connect-distributed.properties')
  writeFileSync(path, text)
  return readWorkerProperties(path)
}

test('the file of a Kafka Connect worker sets its cluster, topics, replicas and session', (t) => {
  const file = read(
    t,
    `# Connect cluster configuration
bootstrap.servers=a:1,b:2
group.id=sqs-connect-cluster
config.storage.topic=sqs-connect-configs
config.storage.replication.factor=3
session.timeout.ms=30000
plugin.path=/opt/plugins
offset.flush.interval.ms=
`,
  )
  const values = fromEnv(spec, {}, file)
  assert.deepEqual(values['kafka.brokers'], ['a:1', 'b:2'])
  assert.equal(values.cluster, 'sqs-connect-cluster')
  assert.equal(values['config.storage.topic'], 'sqs-connect-configs')
  assert.equal(values['config.storage.replication.factor'], 3)
  assert.equal(values['session.timeout.ms'], 30_000)
  assert.deepEqual(unknownProperties(spec, file, {}), ['plugin.path'])
  assert.equal(fromEnv(spec, { TRIBUTARY_CLUSTER: 'other' }, file).cluster, 'other', 'a variable wins')
})

test('an error names what the user wrote: the name in the file, or the variable', (t) => {
  const file = read(t, 'bootstrap.servers=nonsense\nsession.timeout.ms=soon\n')
  assert.throws(
    () => fromEnv(spec, { TRIBUTARY_SESSION_TIMEOUT_MS: 'x' }, file),
    (error: Error) => {
      assert.match(error.message, /\nbootstrap\.servers in \S+connect-distributed\.properties: .*Expected host:port/)
      assert.match(error.message, /\nTRIBUTARY_SESSION_TIMEOUT_MS: Invalid value x/)
      return true
    },
  )
})

test('a secured connection is not made in plaintext because its keys have formats of Java', (t) => {
  const file = read(t, 'bootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\n')
  assert.throws(
    () => unknownProperties(spec, file, {}),
    /security\.protocol=SASL_SSL in .* needs TRIBUTARY_KAFKA_TLS_ENABLED and TRIBUTARY_KAFKA_SASL_USERNAME/,
  )
  const env = { TRIBUTARY_KAFKA_TLS_ENABLED: 'true', TRIBUTARY_KAFKA_SASL_USERNAME: 'u' }
  assert.deepEqual(unknownProperties(spec, file, env), ['security.protocol'])
})

const rest = defineConfig({
  'rest.host': { type: 'string', default: '127.0.0.1', importance: 'high', doc: 'Host.' },
  'rest.port': { type: 'int', default: 8083, importance: 'high', doc: 'Port.' },
  'tls.cert': { type: 'string', default: null, importance: 'high', doc: 'Certificate.' },
  'tls.key': { type: 'password', default: null, importance: 'high', doc: 'Key.' },
  'tls.key.password': { type: 'password', default: null, importance: 'high', doc: 'Password.' },
  'tls.ca': { type: 'string', default: null, importance: 'high', doc: 'CA.' },
  'tls.client.auth': { type: 'string', default: 'none', importance: 'high', doc: 'Clients.' },
})

test("a listener with TLS of Kafka Connect's file is ours, with its PEM files or texts", (t) => {
  const files = read(
    t,
    `listeners=http://:8082,https://rest.example:8443
listeners.https.ssl.keystore.type=PEM
listeners.https.ssl.keystore.location=/etc/connect/keystore.pem
listeners.https.ssl.truststore.type=PEM
listeners.https.ssl.truststore.location=/etc/connect/ca.pem
listeners.https.ssl.client.auth=required
ssl.client.auth=none
`,
  )
  const values = fromEnv(rest, {}, files)
  assert.deepEqual([values['rest.host'], values['rest.port']], ['rest.example', 8443])
  assert.equal(values['tls.cert'], '/etc/connect/keystore.pem')
  assert.equal(values['tls.key']?.reveal(), '/etc/connect/keystore.pem')
  assert.deepEqual([values['tls.ca'], values['tls.client.auth']], ['/etc/connect/ca.pem', 'required'])
  assert.deepEqual(unknownProperties(rest, files, {}), ['ssl.client.auth'])

  const pem = (what: string): string => `-----BEGIN ${what}-----\\n\\\nAAAA\\n\\\n-----END ${what}-----`
  const texts = read(
    t,
    `listeners=https://:8443
ssl.keystore.type=PEM
ssl.keystore.certificate.chain=${pem('CERTIFICATE')}
ssl.keystore.key=${pem('ENCRYPTED PRIVATE KEY')}
ssl.key.password=secret
ssl.client.auth=requested
`,
  )
  const own = fromEnv(rest, { TRIBUTARY_REST_PORT: '9443' }, texts)
  assert.deepEqual([own['rest.host'], own['rest.port'], own['tls.client.auth']], ['0.0.0.0', 9443, 'requested'])
  assert.equal(own['tls.cert'], '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')
  assert.match(own['tls.key']?.reveal() ?? '', /^-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n/)
  assert.equal(own['tls.key.password']?.reveal(), 'secret')
  assert.deepEqual(unknownProperties(rest, texts, {}), [])
})

test('without a listener with TLS the keys ssl are not ours, and a store of Java is refused with the way out', (t) => {
  const plain = read(t, 'listeners=http://:8083\nssl.truststore.location=/x.jks\n')
  assert.deepEqual(unknownProperties(rest, plain, {}), ['listeners', 'ssl.truststore.location'])
  assert.throws(
    () => read(t, 'listeners=https://:8443\nssl.keystore.location=/x.jks\nssl.keystore.password=p\n'),
    /ssl\.keystore\.location=\/x\.jks in .* is a store of Java, .* Set ssl\.keystore\.type=PEM .* keytool/,
  )
})

test('a file that asks for a login at the REST API is not used by a REST API without one', (t) => {
  const file = read(
    t,
    'rest.extension.classes=org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension\n',
  )
  const login = { type: 'list', default: [], importance: 'high', doc: 'Login.' } as const
  const withRest = defineConfig({ ...spec.data.keys, 'access.authentication': login })
  assert.throws(
    () => unknownProperties(withRest, file, {}),
    /needs TRIBUTARY_ACCESS_AUTHENTICATION=basic in the environment/,
  )
  const names = ['rest.extension.classes']
  assert.deepEqual(unknownProperties(withRest, file, { TRIBUTARY_ACCESS_AUTHENTICATION: 'keys' }), names)
  assert.deepEqual(unknownProperties(spec, file, {}), names, 'a worker has no REST API')
})
