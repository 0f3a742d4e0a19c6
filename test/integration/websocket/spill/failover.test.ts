import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createStores } from '@tributary/connect-storage'
import { startKafka, temporaryFolder } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import { numbersIn } from '../../../support/delivered.ts'
import { type Ingest, startIngest } from '../../../support/ingest.ts'
import { SHORT_SESSIONS } from '../../../support/own-broker.ts'
import { LiveNumbers } from '../../../support/live-numbers.ts'
import { createTopic, readPartition } from '../../../support/kafka-topic.ts'
import { until } from '../../../support/until.ts'

const quiet = createLogger({ name: 'failover', level: 'error' })
const SPILLED = 3000

/** A host, whose disk outlives its processes. */
interface Host {
  readonly dataDir: string
  start(): Promise<Ingest>
  /** The numbers of the messages on the host's disk, in order. */
  onDisk(): Promise<number[]>
}

function hostOf(t: TestContext, name: string, env: Readonly<Record<string, string>>): Host {
  const folder = temporaryFolder(`failover-${name}`)
  const dataDir = join(folder, 'data')
  const task = join(dataDir, 'feed', '0')
  let starts = 0
  return {
    dataDir,
    start: async () => {
      const log = join(folder, `ws-ingest-${++starts}.log`)
      const own = { TRIBUTARY_DATA_DIR: dataDir, TRIBUTARY_ADMIN_PORT: '0', TRIBUTARY_LOG_LEVEL: 'info' }
      const ingest = await startIngest(log, { ...env, ...own }, 'ws-ingest')
      t.after(() => ingest.child.kill())
      return ingest
    },
    onDisk: async () => {
      const names = (await readdir(task).catch(() => [])).filter((file) => file.endsWith('.spill')).sort()
      const segments = await Promise.all(names.map((file) => readFile(join(task, file), 'latin1')))
      return segments.flatMap((text) => [...text.matchAll(/"sequence":"(\d+)"\}/g)].map(([, number]) => Number(number)))
    },
  }
}

async function metric(ingest: Ingest, name: string): Promise<number> {
  const { line } = ingest.log.events().find((event) => event.name === 'service_started')!
  const text = await (await fetch(`http://${/ address=(\S+)/.exec(line)![1]!}/metrics`)).text()
  return Number(new RegExp(`^${name}\\{.*connector="feed".*\\} (\\S+)`, 'm').exec(text)?.[1] ?? NaN)
}

test('a host delivers and counts its spilled messages although their task has moved to another host', async (t) => {
  const broker = await startKafka({ properties: SHORT_SESSIONS })
  t.after(() => broker.stop())
  const source = await LiveNumbers.listen({ rate: 1000, payloadBytes: 100 })
  t.after(() => source.close())
  const { brokers } = broker
  const cluster = `failover-${randomUUID().slice(0, 8)}`
  const topic = await createTopic(brokers)
  const { configs, status } = createStores({ connection: { brokers, clientId: cluster }, log: quiet, cluster })
  t.after(() => Promise.all([configs.stop(), status.stop()]))
  await Promise.all([configs.start(t.signal), status.start(t.signal)])
  await configs.putConnectorConfig('feed', {
    name: 'feed',
    'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
    'tasks.max': '1',
    'websocket.url': `ws://127.0.0.1:${source.port}/`,
    'websocket.message.queue.size': '500',
    'max.poll.records': '100',
    'max.in.flight.records': '200',
    'overflow.policy': 'spill',
    'kafka.topic': topic,
  })
  const env = {
    KAFKA_BROKERS: brokers.join(','),
    TRIBUTARY_CLUSTER: cluster,
    TRIBUTARY_SESSION_TIMEOUT_MS: '2000',
    TRIBUTARY_HEARTBEAT_INTERVAL_MS: '200',
  }
  const [here, there] = [hostOf(t, 'here', env), hostOf(t, 'there', env)]
  const inTopic = async (): Promise<number[]> => numbersIn(await readPartition(brokers, topic))

  const first = await here.start()
  await until('the feed is in the topic', async () => (await inTopic()).length > 500, 60_000)
  await broker.kill()
  await until('messages are on disk', async () => (await here.onDisk()).length >= SPILLED, 60_000)
  await first.child.kill()
  const left = await here.onDisk()
  assert.ok(left.length >= SPILLED)

  await broker.start()
  const owner = await there.start()
  await owner.logged('websocket_opened')
  const resumed = source.given.at(-1)!.from
  await until('the other host delivers', async () => (await inTopic()).some((number) => number > resumed), 60_000)
  const restarted = await here.start()
  await restarted.logged('spill_drained')

  const numbers = new Set(await inTopic())
  assert.deepEqual(
    left.filter((number) => !numbers.has(number)),
    [],
    'all that was on disk is in the topic',
  )
  const spilled = (await inTopic()).filter((number) => number >= left[0]! && number <= left.at(-1)!)
  assert.deepEqual(
    spilled,
    spilled.toSorted((a, b) => a - b),
    'in order among each other',
  )
  assert.match(restarted.log.events().find(({ name }) => name === 'spill_left_behind')!.line, /action=drain/)
  assert.equal(await metric(restarted, 'tributary_late_records'), left.length)
  assert.equal(await metric(restarted, 'tributary_left_behind_bytes'), 0)
  assert.deepEqual(await here.onDisk(), [])
  assert.equal(status.task('feed', 0)?.state, 'RUNNING')
  assert.ok(!restarted.log.has('websocket_opened'), 'the task itself stays where it is')
})
