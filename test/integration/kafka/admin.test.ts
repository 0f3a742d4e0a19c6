import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { Secret, type KafkaConnection } from '@tributary/config'
import { sharedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { untilKnown } from '../../support/kafka-topic.ts'

const kafka = await sharedKafka({ secure: true })

function admin(t: TestContext, connection: Partial<KafkaConnection> = {}, timeoutMs?: number): KafkaAdmin {
  const options = timeoutMs === undefined ? {} : { timeoutMs }
  const made = new KafkaAdmin({ brokers: kafka.brokers, clientId: 'test', ...connection }, options)
  t.after(() => made.close())
  return made
}

test('a topic is created once, described with its settings and offsets, and deleted', async (t) => {
  const a = admin(t)
  const name = `admin-${randomUUID()}`
  const topic = { name, partitions: 3, replicationFactor: -1, configs: { 'retention.ms': '60000' } }
  await a.createTopic(topic)
  await a.createTopic(topic)
  await untilKnown(kafka.brokers, name, 3)
  assert.deepEqual(
    (await a.describeTopics([name])).get(name)?.partitions.map((p) => p.partition),
    [0, 1, 2],
  )
  assert.equal((await a.topicConfig(name, ['retention.ms'])).get('retention.ms'), '60000')
  assert.deepEqual([...(await a.listOffsets(name, 'latest')).values()], [0n, 0n, 0n])
  await a.deleteTopics([name])
  await a.deleteTopics([name])
  await untilKnown(kafka.brokers, name, 0)
  assert.equal((await a.describeTopics([name])).get(name), null)
})

test('a request that can never succeed is refused at once, with the text of the broker', async (t) => {
  const bad = admin(t).createTopic({ name: 'no/slash', partitions: 1, replicationFactor: -1 })
  await assert.rejects(bad, { code: 'INVALID_TOPIC_EXCEPTION', message: /create topic no\/slash: .*slash/ })
  const greedy = admin(t).createTopic({ name: `admin-${randomUUID()}`, partitions: 1, replicationFactor: 30 })
  await assert.rejects(greedy, { code: 'INVALID_REPLICATION_FACTOR' })
})

test('the cluster is described, and a group that does not exist is Dead', async (t) => {
  const { clusterId, brokers } = await admin(t).describeCluster()
  assert.notEqual(clusterId, '')
  assert.ok(brokers.length > 0)
  assert.deepEqual(
    await admin(t)
      .describeGroup(`none-${randomUUID()}`)
      .then((g) => [g.state, g.members]),
    ['Dead', []],
  )
})

test('a cluster that does not answer gives an error with its address, after the given time', async (t) => {
  const lost = admin(t, { brokers: ['127.0.0.1:1'] }, 300)
  await assert.rejects(lost.describeCluster(), { code: 'NETWORK', message: /127\.0\.0\.1:1.*ECONNREFUSED/ })
})

test('SASL PLAIN and SCRAM, over plaintext and TLS, and client certificates work', async (t) => {
  const { sasl, tls } = kafka
  assert.ok(sasl && tls)
  const ca = readFileSync(tls.ca, 'utf8')
  const { username } = sasl
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    const user = { mechanism, username, password: new Secret(sasl.password) }
    for (const way of [{ brokers: sasl.brokers }, { brokers: sasl.tlsBrokers, tls: { ca } }]) {
      await admin(t, { ...way, sasl: user }).describeCluster()
    }
  }
  const pair = { ca, cert: readFileSync(tls.cert, 'utf8'), key: readFileSync(tls.key, 'utf8') }
  await admin(t, { brokers: tls.brokers, tls: pair }).describeCluster()
})

test('a wrong password is refused at once and says so', async (t) => {
  const { sasl } = kafka
  assert.ok(sasl)
  const user = { mechanism: 'SCRAM-SHA-512', username: sasl.username, password: new Secret('wrong') } as const
  const refused = admin(t, { brokers: sasl.brokers, sasl: user }).describeCluster()
  await assert.rejects(refused, { code: 'AUTHENTICATION', message: /user and password/ })
})
