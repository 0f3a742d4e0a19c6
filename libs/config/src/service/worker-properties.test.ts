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
