import { sharedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Services, startServices } from '../../../support/services.ts'
import { type KeptRecord, readPartition } from '../../../support/kafka-topic.ts'
import { until } from '../../../support/until.ts'
import { WsTicker } from '../../../support/ws-ticker.ts'

const run = randomUUID().slice(0, 8)
const { brokers } = await sharedKafka()
const admin = new KafkaAdmin({ brokers, clientId: 'ws-records' })
const topics = new Set<string>()

/** A topic of this run alone. */
const topic = (name: string): string => {
  const full = `ws-${run}.${name}`
  topics.add(full)
  return full
}
const keptIn = async (name: string, count: number): Promise<KeptRecord[]> =>
  until(`${count} records in ${name}`, async () => {
    const records = await readNew(name)
    return records.length >= count && records
  })
/** Reads a topic that a task has just created, or will create. At first the topic may have no leader. */
const readNew = async (name: string): Promise<KeptRecord[]> => {
  const described = await admin.describeTopics([name])
  if (!described.get(name)) return []
  try {
    return await readPartition(brokers, name)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'PLT_KFK_RESPONSE') return []
    throw error
  }
}
const textOf = ({ value }: KeptRecord): string => String(value)

describe('messages of a WebSocket feed in Kafka', () => {
  const feeds: WsTicker[] = []
  let services: Services
  let started: Services | undefined
  before(async () => {
    services = started = await startServices('ws-ingest')
  })
  after(async () => {
    for (const feed of feeds) feed.stop()
    await started?.stop()
    await admin.deleteTopics([...topics])
    await admin.close()
  })

  /** A feed that sends these messages on its first connection. */
  const start = async (messages: readonly (string | Buffer)[]): Promise<WsTicker> => {
    const feed = await WsTicker.start({
      message: (n) => messages[n - 1]!,
      onConnection: (ticker, nth) => nth === 1 && ticker.send(messages.length),
    })
    feeds.push(feed)
    return feed
  }
  const config = (props: Readonly<Record<string, string>>): Record<string, string> => ({
    'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
    ...props,
  })

  test('become records with key, timestamp, topic and headers from their fields, and are split', async () => {
    const feed = await start([
      '{"type":"heartbeat"}',
      '{"feed":"quotes","data":[{"s":"EUR/USD","t":1732190000.5,"p":1.10},{"s":"BTC","t":1732190001,"p":97512.100}]}',
    ])
    const props = {
      ...feed.props(),
      'kafka.topic': topic('rest'),
      'split.field': 'data',
      'record.skip.match': 'type == heartbeat',
      'key.field': 's',
      'timestamp.field': 't',
      'timestamp.unit': 's',
      'topic.template': `ws-${run}.{{$.feed}}.{{s}}`,
      'record.headers': 'connection,url',
    }
    await services.create(`fields-${run}`, config(props))
    const [euro] = await keptIn(topic('quotes.EUR_USD'), 1)
    const [bitcoin] = await keptIn(topic('quotes.BTC'), 1)
    assert.deepEqual(
      [textOf(euro!), String(euro!.key), euro!.timestamp],
      ['{"s":"EUR/USD","t":1732190000.5,"p":1.10}', 'EUR/USD', 1_732_190_000_500n],
    )
    assert.equal(textOf(bitcoin!), '{"s":"BTC","t":1732190001,"p":97512.100}')
    assert.deepEqual(
      euro!.headers.map(([name, value]) => [name, String(value)]).filter(([name]) => name!.startsWith('websocket.')),
      [
        ['websocket.url', `ws://127.0.0.1:${feed.port}`],
        ['websocket.connection', '1'],
      ],
    )
  })

  test('that are binary become bytes, or their decoded content', async () => {
    const bytes = Buffer.from([0, 1, 0xfe, 0xff])
    const plain = await start([bytes, 'text'])
    await services.create(`bytes-${run}`, config({ ...plain.props(), 'kafka.topic': topic('bytes') }))
    assert.deepEqual(
      (await keptIn(topic('bytes'), 2)).map(({ value }) => value),
      [bytes, Buffer.from('text')],
    )
    const zipped = await start([gzipSync('{"ping":1}'), gzipSync('{"k":"a"}')])
    const props = { 'websocket.binary.decode': 'gzip', 'record.skip.match': 'ping', 'key.field': 'k' }
    await services.create(`zipped-${run}`, config({ ...zipped.props(props), 'kafka.topic': topic('zipped') }))
    const [record] = await keptIn(topic('zipped'), 1)
    assert.deepEqual([textOf(record!), String(record!.key)], ['{"k":"a"}', 'a'])
  })

  test('that are bad become dead letters with their original bytes, and the others are delivered', async () => {
    const broken = Buffer.from('not compressed')
    const feed = await start([gzipSync('1'), broken, gzipSync('2')])
    const props = {
      'websocket.binary.decode': 'gzip',
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': topic('bad'),
      'errors.deadletterqueue.topic.replication.factor': '1',
      'kafka.topic': topic('good'),
    }
    await services.create(`bad-${run}`, config({ ...feed.props(), ...props }))
    assert.deepEqual((await keptIn(topic('good'), 2)).map(textOf), ['1', '2'])
    assert.deepEqual(
      (await keptIn(topic('bad'), 1)).map(({ value }) => value),
      [broken],
    )
  })

  test('of several URLs are read by one task for each URL', async () => {
    const [first, second] = [await start(['"a"']), await start(['"b"'])]
    const both = config({
      ...first.props(),
      'websocket.additional.urls': second.props()['websocket.url']!,
      'kafka.topic': topic('both'),
    })
    const name = `both-${run}`
    const refused = await services.rest('POST', '/connectors', { name, config: { ...both, 'tasks.max': '1' } })
    assert.equal(refused.status, 400)
    assert.match(
      (refused.body as { message: string }).message,
      /Invalid value 1 for configuration tasks\.max: each of the 2 URLs is a task, so it must be at least 2/,
    )
    await services.create(name, { ...both, 'tasks.max': '5' })
    const values = (await keptIn(topic('both'), 2)).map(textOf)
    assert.deepEqual(values.sort(), ['"a"', '"b"'])
    const status = await services.status(name)
    assert.deepEqual(
      status.tasks.map(({ state }) => state),
      ['RUNNING', 'RUNNING'],
    )
  })

  test('have offsets that can be altered while the connector is stopped, and only to valid offsets', async () => {
    const feed = await start(['1'])
    const name = `offsets-${run}`
    const url = feed.props()['websocket.url']
    await services.create(name, config({ ...feed.props(), 'kafka.topic': topic('offsets') }))
    await keptIn(topic('offsets'), 1)
    assert.equal((await services.rest('PUT', `/connectors/${name}/stop`)).status, 204)
    await until('it is stopped', async () => (await services.status(name)).connector.state === 'STOPPED')
    const alter = (partition: object, offset: object | null) =>
      services.rest('PATCH', `/connectors/${name}/offsets`, { offsets: [{ partition, offset }] })
    const wrong = await alter({ file: 'x' }, { sequence: 1 })
    assert.equal(wrong.status, 400)
    assert.match(JSON.stringify(wrong.body), /Invalid offset for a WebSocket source/)
    const right = await until('the tasks are gone', async () => {
      const answer = await alter({ websocket_url: url }, { session_id: 's', sequence: 41 })
      return answer.status === 200 && answer
    })
    assert.deepEqual(right.body, { message: 'The offsets for this connector have been altered successfully' })
  })
})
