import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createStores } from '@tributary/connect-storage'
import { type KafkaBroker, startKafka, temporaryFolder } from '@tributary/harness'
import { NODE_FLAGS } from '@tributary/service/boot'
import { createLogger } from '@tributary/telemetry'
import { samplePeakRss } from '../../bench/process-usage.ts'
import { builtGoProgram, startForeignServer } from '../../support/foreign-server.ts'
import { startIngest } from '../../support/ingest.ts'
import { createTopic, readEndOffset, readPartition } from '../../support/kafka-topic.ts'
import { limitMemory } from '../../support/memory-limit.ts'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'
import { until } from '../../support/until.ts'
import { long } from './rig.ts'

const FEEDS = long ? 500 : 50
const OUTAGE_MS = long ? 60_000 : 5000
const MIB = 1024 * 1024
const LIMIT = 512 * MIB
/** Messages a second of each feed before the outage; then as many as ws-ingest takes. */
const RATE = 10
const PAD_BYTES = 2000
const quiet = createLogger({ name: 'crash', level: 'error' })

const mib = (bytes: number): number => Math.round(bytes / MIB)

async function putConnectors(t: TestContext, kafka: KafkaBroker, cluster: string, url: string): Promise<string> {
  const topic = await createTopic(kafka.brokers)
  const { configs } = createStores({ connection: { brokers: kafka.brokers, clientId: cluster }, log: quiet, cluster })
  await configs.start(t.signal)
  const put = (_: unknown, i: number): Promise<unknown> =>
    configs.putConnectorConfig(`feed-${i}`, {
      name: `feed-${i}`,
      'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
      'tasks.max': '1',
      // Each message then has its size in memory on the wire too.
      'websocket.compression.enabled': 'false',
      'websocket.url': `${url}?feed=${i}&rate=${RATE}&bytes=${PAD_BYTES}`,
      'kafka.topic': topic,
    })
  await Promise.all(Array.from({ length: FEEDS }, put))
  await configs.stop()
  return topic
}

/** The numbers of each feed in the topic, in its order. */
async function numbersOf(brokers: readonly string[], topic: string): Promise<Map<string, number[]>> {
  const feeds = new Map<string, number[]>()
  for (const { value } of await readPartition(brokers, topic)) {
    const { feed, n } = JSON.parse(String(value)) as { feed: string; n: number }
    const numbers = feeds.get(feed)
    if (numbers === undefined) feeds.set(feed, [n])
    else numbers.push(n)
  }
  return feeds
}

test(`${FEEDS} feeds at full speed and Kafka away for ${OUTAGE_MS / 1000} s, in ${mib(LIMIT)} MiB: alive, and nothing is lost`, async (t) => {
  const kafka = await startKafka({ properties: SHORT_SESSIONS })
  t.after(() => kafka.stop())
  const server = await startForeignServer({ command: await builtGoProgram('ws-gorilla'), args: [] })
  t.after(() => server.stop())
  const cluster = `crash-${randomUUID().slice(0, 8)}`
  const topic = await putConnectors(t, kafka, cluster, `ws://127.0.0.1:${server.port}/numbers`)

  const folder = temporaryFolder('crash')
  const memory = limitMemory(t, LIMIT)
  const env = {
    KAFKA_BROKERS: kafka.brokers.join(','),
    TRIBUTARY_CLUSTER: cluster,
    TRIBUTARY_DATA_DIR: join(folder, 'data'),
    TRIBUTARY_LOG_LEVEL: 'info',
  }
  const log = join(folder, 'ws-ingest.log')
  const ingest = await startIngest(log, env, 'ws-ingest', (args) => memory.command([...NODE_FLAGS, ...args]))
  t.after(() => ingest.child.kill())
  const rss = samplePeakRss(ingest.child.pid)
  const alive = (): void => assert.equal(ingest.child.exit, undefined, `ws-ingest ended:\n${ingest.log.tail()}`)
  const kept = async (): Promise<number> => {
    alive()
    return Number(await readEndOffset(kafka.brokers, topic))
  }
  await until(
    'all feeds flow',
    async () => {
      const connected = ingest.log.events().filter(({ name }) => name === 'session_initialized').length
      return connected >= FEEDS && (await kept()) > FEEDS * RATE
    },
    300_000,
  )
  const before = rss.stop()

  const during = samplePeakRss(ingest.child.pid)
  await kafka.kill()
  await fetch(`http://127.0.0.1:${server.port}/numbers/full`)
  await sleep(OUTAGE_MS)
  alive()
  const away = during.stop()

  const after = samplePeakRss(ingest.child.pid)
  // Answered once each feed has passed on the message that it is writing.
  const ended = fetch(`http://127.0.0.1:${server.port}/numbers/end`)
  await kafka.start()
  const given = (await (await ended).json()) as Readonly<Record<string, readonly number[]>>
  const total = Object.values(given)
    .flat()
    .reduce((sum, count) => sum + count, 0)
  await until(`the topic has ${total} records`, async () => (await kept()) >= total, 300_000)
  alive()
  const peaks = { before: mib(before), away: mib(away), after: mib(after.stop()), cgroup: mib(memory.peak() ?? 0) }
  t.diagnostic(`limit by ${memory.by}, ${total} messages, peaks in MiB: ${JSON.stringify(peaks)}`)
  if (memory.by === 'heap') assert.ok(Math.max(peaks.away, peaks.after) < mib(LIMIT), 'the resident set')

  const found = await numbersOf(kafka.brokers, topic)
  assert.equal(found.size, FEEDS)
  for (const [feed, numbers] of found) {
    assert.equal(given[feed]?.length, 1, `feed ${feed} has kept its connection`)
    const all = Array.from({ length: given[feed][0]! }, (_, i) => i + 1)
    assert.deepEqual(numbers, all, `feed ${feed}: each message once, in order`)
  }
  await ingest.child.stop()
  assert.deepEqual(ingest.child.exit, { code: 0, signal: null })
})
