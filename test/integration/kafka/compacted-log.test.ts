import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { CompactedLog, KafkaAdmin, type LogRecord } from '@tributary/kafka'
import { createProducer, type KafkaProducer, type ProducerOptions } from '@tributary/kafka-producer'
import { quietLogger } from '../../support/unit-worker.ts'
import { untilKnown } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const forever = new AbortController().signal

interface Tail {
  readonly log: CompactedLog
  readonly records: LogRecord[]
}

async function tail(t: TestContext, topic: string, partitions = 1): Promise<Tail> {
  const records: LogRecord[] = []
  const log = new CompactedLog({
    connection: { brokers, clientId: 'test' },
    topic: { name: topic, partitions, replicationFactor: -1 },
    log: quietLogger,
    onRecord: (record) => void records.push(record),
  })
  t.after(() => log.stop())
  await log.start(forever)
  return { log, records }
}

async function producer(t: TestContext, options: ProducerOptions = {}): Promise<KafkaProducer> {
  const made = createProducer({ brokers, clientId: 'test' }, { driver: 'tributary', ...options })
  t.after(() => made.close())
  await made.start(forever)
  return made
}

const record = (topic: string, key: string, value: string | null, partition = 0) => ({
  topic,
  partition,
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  timestamp: 1_700_000_000_123,
})
const keys = (records: readonly LogRecord[]): string[] => records.map((r) => String(r.key))
const newTopic = (): string => `log-${randomUUID()}`

test('a missing topic is created as compacted, with the requested partitions', async (t) => {
  const topic = newTopic()
  await tail(t, topic, 3)
  const admin = new KafkaAdmin({ brokers, clientId: 'test' })
  t.after(() => admin.close())
  const settings = ['cleanup.policy', 'max.compaction.lag.ms']
  const config = await admin.topicConfig(topic, settings)
  assert.deepEqual(
    settings.map((name) => config.get(name)),
    ['compact', '3600000'],
  )
  assert.equal((await admin.describeTopics([topic])).get(topic)?.partitions.length, 3)
})

test('a topic that is not compacted is refused, and the error contains the command that changes this', async (t) => {
  const topic = newTopic()
  const admin = new KafkaAdmin({ brokers, clientId: 'test' })
  t.after(() => admin.close())
  const configs = { 'cleanup.policy': 'delete' }
  await admin.createTopic({ name: topic, partitions: 1, replicationFactor: -1, configs })
  await untilKnown(brokers, topic, 1)
  await assert.rejects(tail(t, topic), {
    code: 'INVALID_CONFIG',
    message: new RegExp(`--entity-name ${topic} --add-config`),
  })
})

test('the start passes on every record in the topic, compressed or not, in order, with tombstones and headers', async (t) => {
  const topic = newTopic()
  await (await tail(t, topic, 2)).log.stop()
  const plain = await producer(t)
  const many = Array.from({ length: 5000 }, (_, n) => record(topic, `k${n}`, 'x'.repeat(300), n % 2))
  await plain.send(many, forever)
  const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const
  for (const compression of codecs) {
    const zipping = await producer(t, { compression })
    await zipping.send([{ ...record(topic, compression, 'z'), headers: [['h', Buffer.from('1')]] }], forever)
  }
  await plain.send([record(topic, 'gone', null, 1)], forever)
  const { records } = await tail(t, topic, 2)
  for (const partition of [0, 1]) {
    const own = records.filter((r) => r.partition === partition)
    const sent = many.filter((r) => r.partition === partition).map((r) => String(r.key))
    assert.deepEqual(keys(own), [...sent, ...(partition === 0 ? codecs : ['gone'])])
    assert.deepEqual(own.map((r) => r.offset), own.map((_, n) => BigInt(n))) // prettier-ignore
  }
  for (const compression of codecs) {
    const zipped = records.find((r) => String(r.key) === compression)
    assert.equal(String(zipped?.value), 'z')
    assert.equal(zipped?.timestamp, 1_700_000_000_123)
    const headers = zipped?.headers.map(([name, value]) => [String(name), String(value)])
    assert.deepEqual(headers, [['h', '1']])
  }
  assert.equal(records.find((r) => String(r.key) === 'gone')?.value, null)
})

test('a long log is passed on in parts, with turns of the event loop in between', async (t) => {
  const topic = newTopic()
  await (await tail(t, topic)).log.stop()
  const writer = await producer(t)
  const part = Array.from({ length: 16 }, (_, n) => record(topic, `k${n}`, 'x'.repeat(1024)))
  for (let n = 0; n < 128; n++) await writer.send(part, forever)
  let turns = 0
  let turning = setImmediate(function turn() {
    turns++
    turning = setImmediate(turn)
  })
  t.after(() => clearImmediate(turning))
  const bytesByTurn = new Map<number, number>()
  const log = new CompactedLog({
    connection: { brokers, clientId: 'test' },
    topic: { name: topic, partitions: 1, replicationFactor: -1 },
    log: quietLogger,
    onRecord: ({ value }) => bytesByTurn.set(turns, (bytesByTurn.get(turns) ?? 0) + value!.length),
  })
  t.after(() => log.stop())
  await log.start(forever)
  const bytes = [...bytesByTurn.values()]
  assert.equal(
    bytes.reduce((sum, n) => sum + n, 0),
    128 * 16 * 1024,
  )
  assert.ok(Math.max(...bytes) <= 256 * 1024, `${bytes.join()} bytes`)
})

test('after a refresh every record that was acknowledged before has been passed on', async (t) => {
  const topic = newTopic()
  const { log, records } = await tail(t, topic, 3)
  const writer = await producer(t)
  for (let n = 0; n < 30; n++) {
    await writer.send([record(topic, `k${n}`, 'v', n % 3)], forever)
    await log.refresh()
    assert.equal(records.length, n + 1)
  }
})

test('aborted records are never passed on, and a refresh waits for an open transaction', async (t) => {
  const topic = newTopic()
  const { log, records } = await tail(t, topic)
  const writer = await producer(t, { transactionalId: topic })
  writer.beginTransaction()
  await writer.send([record(topic, 'aborted', 'v')], forever)
  await writer.abortTransaction(forever)
  writer.beginTransaction()
  await writer.send([record(topic, 'committed', 'v')], forever)
  let refreshed = false
  const refresh = log.refresh().then(() => (refreshed = true))
  const other = await producer(t)
  await other.send([record(topic, 'behind', 'v')], forever)
  assert.deepEqual([refreshed, keys(records)], [false, []])
  await writer.commitTransaction(forever)
  await refresh
  await until('the record behind', () => records.length === 2)
  assert.deepEqual(keys(records), ['committed', 'behind'])
})

test('a start does not wait for an open transaction, because nobody may be left to end it', async (t) => {
  const topic = newTopic()
  const writer = await producer(t, { transactionalId: topic })
  const { records: seen } = await tail(t, topic)
  const plain = await producer(t)
  await plain.send([record(topic, 'before', 'v')], forever)
  writer.beginTransaction()
  await writer.send([record(topic, 'open', 'v')], forever)
  const { records } = await tail(t, topic)
  assert.deepEqual(keys(records), ['before'])
  await writer.commitTransaction(forever)
  await until('both see what was open', () => records.length === 2 && seen.length === 2)
})

test('a log is complete while an answer to a recent request says so; the answer to an old one, after a standstill, does not', async (t) => {
  const topic = newTopic()
  const { log, records } = await tail(t, topic)
  const writer = await producer(t)
  const write = async (key: string): Promise<void> => {
    const { length } = records
    await writer.send([record(topic, key, 'v')], forever)
    await until(`${key} is read`, () => records.length > length)
  }
  await write('before')
  await until('it is complete', () => log.complete)
  // The broker now holds the next request for up to five seconds.
  const { now } = Date
  t.mock.method(Date, 'now', () => now() + 31_000)
  assert.equal(log.complete, false)
  await write('answers the request from before')
  assert.equal(log.complete, false)
  await write('answers a new request')
  assert.equal(log.complete, true)
})

test('a wait ends with the reason of its signal, and when the log stops', async (t) => {
  const { log } = await tail(t, newTopic())
  const controller = new AbortController()
  const first = log.readTo(0, 1000n, log.topicId, controller.signal)
  const second = log.readTo(0, 1000n, log.topicId)
  controller.abort(new Error('enough'))
  await assert.rejects(first, /enough/)
  const rejected = assert.rejects(second, { code: 'CLOSED' })
  await log.stop()
  await rejected
})
