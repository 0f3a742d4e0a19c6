import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  consoleConsume,
  kafkaAnswers,
  kafkaTool,
  sharedKafka,
  kafkaVersions,
  startKafka,
  startKafkaConnect,
  temporaryFolder,
  type KafkaAddresses,
  type KafkaBroker,
} from '@tributary/harness'
import { until } from '../../support/until.ts'

const listTopics = async (broker: string, ...more: string[]): Promise<string[]> =>
  (await kafkaTool('kafka-topics', ['--bootstrap-server', broker, '--list', ...more])).trim().split('\n')

for (const version of kafkaVersions) {
  describe(`a broker of Kafka ${version}`, () => {
    let broker: KafkaBroker
    before(async () => {
      broker = await startKafka({ version })
    })
    after(() => broker.stop())

    test('keeps its address and its topics through a kill and a start', async () => {
      const [address = ''] = broker.brokers
      await kafkaTool('kafka-topics', ['--bootstrap-server', address, '--create', '--topic', 'kept'])
      const pid = broker.pid
      await broker.kill()
      assert.equal(broker.pid, undefined)
      assert.equal(await kafkaAnswers(address), false)
      await broker.start()
      assert.notEqual(broker.pid, pid)
      assert.ok((await listTopics(address)).includes('kept'))
    })
  })
}

describe('secure listeners', () => {
  let kafka: KafkaAddresses
  let folder: string
  before(async () => {
    kafka = await sharedKafka({ secure: true })
    folder = temporaryFolder('clients')
  })

  const listWith = async (broker: string, properties: Readonly<Record<string, string>>): Promise<string[]> => {
    const file = join(folder, 'client.properties')
    const all = { 'default.api.timeout.ms': '5000', 'request.timeout.ms': '4000', ...properties }
    await writeFile(
      file,
      Object.entries(all)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    )
    return await listTopics(broker, '--command-config', file)
  }
  const jaas = (module: string, password: string): string =>
    `org.apache.kafka.common.security.${module} required username="${kafka.sasl?.username}" password="${password}";`
  const trust = (): Record<string, string> => ({
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': kafka.tls?.ca ?? '',
  })

  for (const [mechanism, module] of [
    ['PLAIN', 'plain.PlainLoginModule'],
    ['SCRAM-SHA-256', 'scram.ScramLoginModule'],
    ['SCRAM-SHA-512', 'scram.ScramLoginModule'],
  ] as const) {
    test(`${mechanism} accepts the password, over TLS too, and refuses another password`, async () => {
      assert.ok(kafka.sasl)
      const settings = (password: string): Record<string, string> => ({
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': mechanism,
        'sasl.jaas.config': jaas(module, password),
      })
      const { brokers, tlsBrokers, password } = kafka.sasl
      await listWith(brokers[0] ?? '', settings(password))
      await listWith(tlsBrokers[0] ?? '', { ...settings(password), 'security.protocol': 'SASL_SSL', ...trust() })
      await assert.rejects(listWith(brokers[0] ?? '', settings('wrong')), /Authentication failed/)
    })
  }

  test('TLS demands a client certificate', async () => {
    assert.ok(kafka.tls)
    const [broker = ''] = kafka.tls.brokers
    const store = join(folder, 'client.store.pem')
    await writeFile(store, (await readFile(kafka.tls.key, 'utf8')) + (await readFile(kafka.tls.cert, 'utf8')))
    const withoutKey = { 'security.protocol': 'SSL', ...trust() }
    await listWith(broker, { ...withoutKey, 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': store })
    await assert.rejects(
      listWith(broker, withoutKey),
      /SSL handshake failed|Timed out|TimeoutException|bad_certificate|certificate_required/,
    )
  })
})

test('a real Kafka Connect copies a file into a topic, which the console consumer reads', async () => {
  const { brokers } = await sharedKafka()
  const connect = await startKafkaConnect({ brokers })
  try {
    const file = join(temporaryFolder('lines'), 'lines.txt')
    await writeFile(file, 'one\ntwo\nthree\n')
    const topic = `${connect.group}-lines`
    const config = {
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      file,
      topic,
    }
    const created = await fetch(`${connect.url}/connectors/lines/config`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(config),
    })
    assert.equal(created.status, 201)
    await until('the topic is there', async () => (await listTopics(brokers[0] ?? '')).includes(topic))
    assert.deepEqual(await consoleConsume({ brokers, topic, maxMessages: 3 }), ['one', 'two', 'three'])
  } finally {
    await connect.stop()
  }
})
