import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type Child, freePort, sharedKafka, startChild, temporaryFolder } from '@tributary/harness'
import { createProducer } from '@tributary/kafka-producer'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { send } from '../../support/rest-call.ts'
import { until } from '../../support/until.ts'
import { FeedServer } from '../../integration/websocket/feeds/feed-server.ts'
import { begin, stateOf, untilEnded, untilLetters } from '../../integration/dead-letters/scene.ts'
import { long } from '../ingest/rig.ts'

const LETTERS = long ? 200_000 : 20_000
/** Letters of two batches: one that is under way, and one whose end is not written yet. */
const IN_FLIGHT = 2000

interface Fleet {
  /** URLs of the replicas' REST API. */
  readonly planes: readonly string[]
  /** Kills the leader; the other one goes on. */
  killLeader(): Promise<string>
  /** Kills the worker, and starts another one. */
  killWorker(): Promise<void>
}

async function startFleet(t: TestContext, brokers: readonly string[]): Promise<Fleet> {
  const folder = temporaryFolder('replay-crash')
  const cluster = `replay-${randomUUID().slice(0, 8)}`
  const main = (app: string): string => new URL(`../../../apps/${app}/src/main.ts`, import.meta.url).pathname
  const start = async (app: string, name: string, env: Readonly<Record<string, string>>): Promise<Child> => {
    const child = await startChild({
      command: process.execPath,
      args: [main(app)],
      logFile: join(folder, `${name}.log`),
      env: {
        ...{ KAFKA_BROKERS: brokers.join(','), TRIBUTARY_CLUSTER: cluster, TRIBUTARY_INTERNAL_KEY: cluster },
        ...{ TRIBUTARY_ADMIN_PORT: '0', TRIBUTARY_OPERATORS_PORT: '0', TRIBUTARY_SESSION_TIMEOUT_MS: '6000' },
        ...env,
      },
    })
    t.after(() => child.kill())
    return child
  }
  const ports = [await freePort(), await freePort()]
  const planes = ports.map((port) => `http://127.0.0.1:${port}`)
  const starting = ports.map((port, i) => start('control-plane', `plane-${i}`, { TRIBUTARY_REST_PORT: String(port) }))
  const children = await Promise.all(starting)
  let worker = await start('ws-ingest', 'worker-0', {})
  for (const url of planes) {
    await until('the plugin is listed', async () => {
      const { body } = await send(url, { method: 'GET', path: '/connector-plugins' }).catch(() => ({ body: [] }))
      return (body as unknown[]).length > 0
    })
  }
  const leader = async (): Promise<string> =>
    until('a replica leads', async () => {
      const { body } = await send(planes[0]!, { method: 'GET', path: '/cluster' })
      const { control_planes: all } = body as { control_planes: { address: string; leader: boolean }[] }
      return all.find((replica) => replica.leader)?.address
    })
  return {
    planes,
    killLeader: async () => {
      const address = await leader()
      const at = planes.findIndex((url) => url.endsWith(address))
      await children[at]!.kill()
      return planes[1 - at]!
    },
    killWorker: async () => {
      await worker.kill()
      worker = await start('ws-ingest', 'worker-1', {})
    },
  }
}

async function writeLetters(brokers: readonly string[], dlq: string, topic: string): Promise<void> {
  const producer = createProducer({ brokers: [...brokers], clientId: 'test' }, { driver: 'tributary' })
  const { signal } = new AbortController()
  const headers = Object.entries({
    '__connect.errors.topic': topic,
    '__connect.errors.connector.name': 'feed',
    '__connect.errors.task.id': '0',
    '__connect.errors.stage': 'VALUE_CONVERTER',
    error_type: 'POISON_PILL',
  }).map(([name, value]) => [name, Buffer.from(value)] as const)
  await producer.start(signal)
  for (let from = 0; from < LETTERS; from += 5000) {
    const records = Array.from({ length: Math.min(5000, LETTERS - from) }, (_, i) => {
      const value = Buffer.from(`letter ${from + i}`)
      return { topic: dlq, partition: 0, key: null, value, headers, timestamp: Date.now() }
    })
    const { failures } = await producer.send(records, signal)
    assert.deepEqual(failures, [])
  }
  await producer.close()
}

test('the leader and the worker are killed in the middle of a replay: it goes on, no letter is lost, and none is twice beyond what was in flight', async (t) => {
  const { brokers } = await sharedKafka()
  const feed = await FeedServer.start({})
  t.after(() => feed.stop())
  const [topic, dlq] = await Promise.all([createTopic(brokers), createTopic(brokers)])
  const fleet = await startFleet(t, brokers)
  let [plane] = fleet.planes as [string, string]
  const rest = (method: string, path: string, body?: unknown) => send(plane, { method, path, body })
  const config = {
    'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
    ...{ 'websocket.url': feed.url, 'kafka.topic': topic },
    ...{ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': dlq },
  }
  await writeLetters(brokers, dlq, topic)
  assert.equal((await rest('POST', '/connectors', { name: 'feed', config })).status, 201)
  await untilLetters(rest, 'status=UNRESOLVED', LETTERS)
  const startedAt = performance.now()
  const id = await begin(rest, { connector: 'feed', limit: 1_000_000 })
  const processed = async (): Promise<number> => (await stateOf(rest, id)).progress.processed
  await until('a tenth is replayed', async () => (await processed()) > LETTERS / 10)
  await fleet.killWorker()
  await until('a third is replayed', async () => (await processed()) > LETTERS / 3, 60_000)
  plane = await fleet.killLeader()
  // A replica that cannot reach the leader removes it from the group at once, instead of at the end of its session.
  await rest('PUT', '/connectors/feed/resume')
  const before = await processed()
  await until('the successor goes on', async () => (await processed()) > before, 60_000)
  const ended = await untilEnded(rest, id, 120_000)
  const seconds = (performance.now() - startedAt) / 1000
  assert.deepEqual([ended.status, ended.results], ['completed', { success: LETTERS, failed: 0, skipped: 0 }])
  const records = await readPartition(brokers, topic, 0, { committed: true })
  const counts = new Map<string, number>()
  for (const { value } of records) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1)
  assert.equal(counts.size, LETTERS, 'none is lost')
  const twice = records.length - LETTERS
  t.diagnostic(`${LETTERS} letters in ${seconds.toFixed(1)} s with both kills, ${twice} of them written twice`)
  assert.ok(twice <= 2 * IN_FLIGHT, `${twice} letters were written twice`)
  assert.equal((await untilLetters(rest, 'status=RESOLVED', LETTERS)).length, 1000)
})
