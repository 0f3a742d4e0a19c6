import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { sharedElasticMq, sharedKafka } from '@tributary/harness'
import { sendTicks, startTicker, type Ticker } from '../../support/grpc-ticker.ts'
import { tickerProps } from '../../support/grpc-task.ts'
import { createTopic, readEndOffset, readPartition } from '../../support/kafka-topic.ts'
import { type Services, startServices } from '../../support/services.ts'
import { SqsFlow } from '../../support/sqs-flow.ts'
import { FeedServer } from '../websocket/feeds/feed-server.ts'
import { replayed, untilLetters } from './scene.ts'

type Config = Readonly<Record<string, string>>

const COUNT = 20
const TEXTS = Array.from({ length: COUNT }, (_, i) => `message ${i}`)
/** Texts are no bytes, so each message is poison. */
const POISON = { 'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter' }

/** Sends the texts to the first client. */
async function eventServer(): Promise<{ url: string; stop(): void }> {
  const open: ServerResponse[] = []
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    if (open.push(response) === 1) for (const text of TEXTS) response.write(`data: ${text}\n\n`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

describe('dead letters', { concurrency: true }, () => {
  let services: Services
  let brokers: readonly string[]
  let feed: FeedServer
  let events: Awaited<ReturnType<typeof eventServer>>
  let ticker: Ticker
  before(async () => {
    brokers = (await sharedKafka()).brokers
    const say = { onClient: ({ say, number }: { say: (text: string) => void; number: number }) => number === 1 && TEXTS.forEach(say) } // prettier-ignore
    feed = await FeedServer.start(say)
    events = await eventServer()
    ticker = await startTicker({ watch: (call, stream) => (stream === 1 ? sendTicks(call, 1, COUNT) : undefined) })
    services = await startServices(['ws-ingest', 'sse-ingest', 'grpc-ingest', 'sqs-ingest'])
  })
  after(async () => {
    await services?.stop()
    feed?.stop()
    events?.stop()
    ticker?.stop()
  })

  /** Poison becomes letters; once the configuration is mended, one replay by filter brings each in once. */
  async function mended(name: string, topic: string, config: Config): Promise<void> {
    const { rest } = services
    const dlq = await createTopic(brokers)
    const all = { ...config, 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': dlq }
    await services.create(name, { ...all, ...POISON })
    const letters = await untilLetters(rest, `connector=${name}`, COUNT)
    assert.equal(letters.length, COUNT)
    assert.equal(await readEndOffset(brokers, topic), 0n)
    const { status } = await rest('PUT', `/connectors/${name}/config`, all)
    assert.equal(status, 200)
    const { results, failed_events } = await replayed(rest, { connector: name, error_type: letters[0]!.error_type })
    assert.deepEqual([results, failed_events], [{ success: COUNT, failed: 0, skipped: 0 }, []])
    const records = await readPartition(brokers, topic, 0, { committed: true })
    assert.equal(new Set(records.map(({ value }) => String(value))).size, COUNT)
    assert.equal(records.length, COUNT)
    assert.equal(await readEndOffset(brokers, dlq), BigInt(COUNT), 'a replay makes no dead letter')
    assert.equal((await untilLetters(rest, `connector=${name}&status=RESOLVED`, COUNT)).length, COUNT)
  }

  test('of a WebSocket feed are quarantined by a fourth replay of poison, and brought in once each when it is mended', async () => {
    const { rest } = services
    const [topic, dlq] = await Promise.all([createTopic(brokers), createTopic(brokers)])
    const config = {
      'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
      ...{ 'websocket.url': feed.url, 'kafka.topic': topic },
      ...{ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': dlq },
    }
    await services.create('feed', { ...config, ...POISON })
    const letters = await untilLetters(rest, 'connector=feed', COUNT)
    const poison = letters.slice(0, 2).map(({ dlq_id }) => dlq_id)
    for (const retries of [1, 2, 3]) {
      const { status, results, failed_events } = await replayed(rest, { dlq_ids: poison })
      assert.deepEqual([status, results], ['failed', { success: 0, failed: 2, skipped: 0 }])
      assert.deepEqual(failed_events.map(({ dlq_id }) => dlq_id).sort(), poison.toSorted())
      const failed = await untilLetters(rest, `connector=feed&status=UNRESOLVED`, COUNT)
      assert.equal(failed.find(({ dlq_id }) => dlq_id === poison[0])!.retry_count, retries)
    }
    const fourth = await replayed(rest, { dlq_ids: poison })
    assert.deepEqual(fourth.results, { success: 0, failed: 0, skipped: 2 })
    assert.equal((await untilLetters(rest, 'connector=feed&status=QUARANTINED', 2)).length, 2)

    await rest('PUT', '/connectors/feed/config', config)
    const some = await replayed(rest, { connector: 'feed', error_type: letters[0]!.error_type })
    assert.deepEqual(some.results, { success: COUNT - 2, failed: 0, skipped: 0 })
    const forced = await replayed(rest, { status: 'QUARANTINED', connector: 'feed', force: true })
    assert.deepEqual(forced.results, { success: 2, failed: 0, skipped: 0 })
    const records = await readPartition(brokers, topic, 0, { committed: true })
    assert.deepEqual(records.map(({ value }) => String(value)).sort(), TEXTS.toSorted())
    assert.equal((await rest('POST', '/dlq/replay', { dlq_ids: poison })).status, 409)
  })

  test('of Server-Sent Events are brought in once each', async () => {
    const topic = await createTopic(brokers)
    const config = { 'connector.class': 'io.tributary.connect.sse.SseSourceConnector', 'sse.url': events.url }
    await mended('events', topic, { ...config, 'kafka.topic': topic })
  })

  test('of a gRPC stream are brought in once each', async () => {
    const topic = await createTopic(brokers)
    const config = { 'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector' }
    await mended('ticks', topic, { ...config, ...tickerProps(ticker.port, { 'kafka.topic': topic }) })
  })

  test('of an SQS queue are brought in once each', async () => {
    const flow = await SqsFlow.create(await sharedElasticMq(), brokers, await createTopic(brokers))
    await flow.send(COUNT)
    await mended('queue', flow.topic, flow.config())
    await flow.end()
  })
})
