import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { createProducer, type KafkaProducer, type ProducerRecord } from '@tributary/kafka-producer'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const forever = new AbortController().signal

function admin(t: TestContext, at: readonly string[] = brokers): KafkaAdmin {
  const made = new KafkaAdmin({ brokers: [...at], clientId: 'fence-test' })
  t.after(() => made.close())
  return made
}

async function producer(t: TestContext, transactionalId: string): Promise<KafkaProducer> {
  const made = createProducer({ brokers, clientId: 'fence-test' }, { driver: 'tributary', transactionalId })
  t.after(() => made.close())
  await made.start(forever)
  return made
}

const record = (topic: string, text: string): ProducerRecord => {
  return { topic, partition: 0, key: null, value: Buffer.from(text), timestamp: Date.now() }
}

async function texts(topic: string, committed: boolean): Promise<string[]> {
  return (await readPartition(brokers, topic, 0, { committed })).map(({ value }) => String(value))
}

test('a fenced producer with an open transaction commits no record of it, and its next send fails', async (t) => {
  const topic = await createTopic(brokers)
  const [zombie, bystander] = [await producer(t, `zombie-${topic}`), await producer(t, `bystander-${topic}`)]
  for (const each of [zombie, bystander]) each.beginTransaction()
  await zombie.send([record(topic, 'zombie')], forever)
  await bystander.send([record(topic, 'kept')], forever)

  await admin(t).fenceProducers([`zombie-${topic}`])

  await assert.rejects(zombie.send([record(topic, 'after the fence')], forever), { code: 'PRODUCER_FENCED' })
  await assert.rejects(zombie.commitTransaction(forever), { code: 'PRODUCER_FENCED' })
  await bystander.commitTransaction(forever)
  const successor = await producer(t, `zombie-${topic}`)
  successor.beginTransaction()
  await successor.send([record(topic, 'successor')], forever)
  await successor.commitTransaction(forever)
  // A commit is answered before its markers are written.
  await until('the successor is committed', async () => (await texts(topic, true)).includes('successor'))
  assert.deepEqual(await texts(topic, true), ['kept', 'successor'])
  assert.deepEqual(await texts(topic, false), ['zombie', 'kept', 'successor'])
})

test('one call fences many ids, including unused ids and ids that are named twice', async (t) => {
  const topic = await createTopic(brokers)
  const ids = Array.from({ length: 200 }, (_, i) => `many-${topic}-${i}`)
  const holders = await Promise.all(ids.slice(0, 20).map((id) => producer(t, id)))
  await admin(t).fenceProducers([...ids, ...ids.slice(0, 5)])
  await admin(t).fenceProducers([])
  for (const holder of holders) {
    holder.beginTransaction()
    await assert.rejects(holder.send([record(topic, 'after the fence')], forever), { code: 'PRODUCER_FENCED' })
  }
  assert.deepEqual(await texts(topic, false), [])
})

test('fenceProducers waits for a cluster that does not answer until the signal aborts', async (t) => {
  const reason = new Error('enough')
  const ends = new AbortController()
  const fencing = admin(t, ['127.0.0.1:1']).fenceProducers([`none-${randomUUID()}`], ends.signal)
  setTimeout(() => ends.abort(reason), 300)
  await assert.rejects(fencing, reason)
})
