import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { createStores, type StoreName, type Stores, type StoresOptions, troubleOf } from '@tributary/connect-storage'
import { sharedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { createLogger } from '@tributary/telemetry'
import { untilKnown } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const log = createLogger({ name: 'test', stream: { write: () => true } })
const connection = { brokers, clientId: 'test' }
const forever = new AbortController().signal
const admin = new KafkaAdmin(connection)
test.after(() => admin.close())

type Started = { start(signal: AbortSignal): Promise<void>; stop(): Promise<void> }
const all = ({ configs, offsets, status, plugins }: Stores): Started[] => [configs, offsets, status, plugins]

async function started(t: TestContext, cluster: string, options: Partial<StoresOptions> = {}): Promise<Stores> {
  const partitions = { offsets: 3, status: 2 }
  const stores = createStores({ connection, cluster, log, partitions, ...options })
  t.after(() => Promise.all(all(stores).map((store) => store.stop())))
  await Promise.all(all(stores).map((store) => store.start(forever)))
  return stores
}

const running = { state: 'RUNNING', workerId: 'w:1', generation: 3 } as const
const plugin = {
  class: 'io.x.Source',
  aliases: [],
  type: 'source',
  version: '1',
  spec: { keys: {} },
  service: 'x',
} as const

/** Content of all four topics, of which some was changed and some removed. */
async function fill({ configs, offsets, status, plugins }: Stores): Promise<void> {
  for (const name of ['a', 'b', 'gone']) await configs.putConnectorConfig(name, { name, v: '1' }, 'PAUSED')
  await configs.putTaskConfigs('a', [{ n: '0' }, { n: '1' }], 4)
  await configs.putTargetState('a', 'STARTED')
  await configs.putConnectorConfig('a', { name: 'a', v: '2' })
  await configs.removeConnector('gone')
  await configs.putRestart({ connector: 'a', includeTasks: true, onlyFailed: false })
  await offsets.write(
    'a',
    [1, 2, 3].map((p) => ({ partition: { p }, offset: { at: 9007199254740993n } })),
  )
  await offsets.write('a', [{ partition: { p: 2 }, offset: null }])
  await status.putConnector('a', running)
  await status.putTask('a', 0, { ...running, handOver: 'left' })
  await status.putTopic('a', 0, 'topic')
  await plugins.publish(plugin)
}

function content({ configs, offsets, status, plugins }: Stores): unknown {
  const { snapshot } = configs
  const entries = offsets.offsets('a').map(({ partition, offset }) => [partition['p'], offset?.['at']])
  return {
    connectors: snapshot.connectors().toSorted(),
    configs: ['a', 'b', 'gone'].map((name) => [
      snapshot.config(name),
      snapshot.targetState(name),
      snapshot.tasks(name),
    ]),
    numbers: [...snapshot.taskNumbers('a')],
    offsets: entries.toSorted(([a], [b]) => Number(a) - Number(b)),
    status: [status.connector('a'), status.task('a', 0), status.topics('a')],
    plugins: plugins.plugins(),
  }
}

const topicOf = (cluster: string, store: StoreName): string => `${cluster}-connect-${store}`
const replaced = async (topic: string, id: string): Promise<boolean> => {
  const found = (await admin.describeTopics([topic])).get(topic)
  return found !== null && found!.id !== id
}

for (const store of ['configs', 'offsets', 'status', 'plugins'] as const) {
  test(`deleted while two processes run, the topic of ${store} comes back complete, and writes go on`, async (t) => {
    const cluster = `deleted-${randomUUID()}`
    const leader = await started(t, cluster, { transactionalId: `${cluster}-leader` })
    const worker = await started(t, cluster)
    await leader.configs.claim(forever)
    await fill(leader)
    await Promise.all([worker.configs.refresh(), worker.offsets.refresh(), worker.status.refresh()])
    const before = content(leader)
    const restarts: string[] = []
    worker.configs.listen({ restartRequested: ({ connector }) => restarts.push(connector) })
    const topic = topicOf(cluster, store)
    const { id } = (await admin.describeTopics([topic])).get(topic)!
    await admin.deleteTopics([topic])
    const began = performance.now()
    // Writes under way while the topic is away, of both processes.
    const [one, two] = [
      { partition: { p: 3 }, offset: { at: 7n } },
      { partition: { p: 4 }, offset: { at: 8n } },
    ]
    await Promise.all([
      leader.configs.putConnectorConfig('c', { name: 'c' }),
      leader.offsets.write('a', [one]),
      worker.offsets.write('a', [two]),
      worker.status.putTask('a', 1, running),
      worker.plugins.publish({ ...plugin, version: '2' }),
    ])
    await until('the topic is new', () => replaced(topic, id))
    t.diagnostic(`back after ${Math.round(performance.now() - began)} ms`)
    await until('no trouble', () => troubleOf(leader) === null && troubleOf(worker) === null)
    const config = await admin.topicConfig(topic, ['cleanup.policy'])
    assert.equal(config.get('cleanup.policy'), 'compact')
    const fresh = await started(t, cluster)
    await worker.configs.refresh()
    const expected = before as { connectors: string[]; offsets: unknown[]; plugins: unknown[] }
    expected.connectors.push('c')
    expected.offsets = [
      [1n, 9007199254740993n],
      [3n, 7n],
      [4n, 8n],
    ]
    expected.plugins = [{ ...plugin, version: '2' }]
    assert.deepEqual(normal(content(fresh)), normal(expected))
    // What the worker wrote reaches the leader a moment after the worker knows.
    await until('the leader shows it too', () => isDeepStrictEqual(normal(content(leader)), normal(expected)))
    assert.deepEqual(fresh.status.task('a', 1), running)
    assert.deepEqual(restarts, [])
  })
}

test('topics without records, deleted right after the start and again once they are back, are made again', async (t) => {
  const cluster = `empty-${randomUUID()}`
  const stores = await started(t, cluster)
  const topic = topicOf(cluster, 'offsets')
  for (let deletion = 0; deletion < 2; deletion++) {
    await admin.deleteTopics([topic])
    await until('the deletion is noticed', () => troubleOf(stores) !== null)
    await until('no trouble', () => troubleOf(stores) === null)
  }
})

/** Deletes a topic and creates another one before the services have noticed. Returns its id. */
async function replace(topic: string, partitions: number, policy = 'delete'): Promise<string> {
  const configs = { 'cleanup.policy': policy }
  const look = async () => (await admin.describeTopics([topic])).get(topic)
  // A broker may still show the deleted topic.
  const former = new Set([(await look())!.id])
  for (;;) {
    await admin.deleteTopics([topic])
    await admin.createTopic({ name: topic, partitions, replicationFactor: -1, configs })
    const made = await until('another topic is there', async () => {
      const found = await look()
      return found != null && !former.has(found.id) && found
    })
    if (made.partitions.length === partitions) return made.id
    former.add(made.id)
  }
}

for (const policy of ['delete', 'compact']) {
  test(`a topic that a broker creates by itself (auto.create.topics.enable, ${policy}) is compacted, and gets everything back`, async (t) => {
    const cluster = `replaced-${randomUUID()}`
    const stores = await started(t, cluster)
    await fill(stores)
    const before = content(stores)
    const topic = topicOf(cluster, 'offsets')
    await replace(topic, 5, policy)
    await until('the deletion is noticed', () => troubleOf(stores) !== null)
    await until('no trouble', () => troubleOf(stores) === null)
    const settings = await admin.topicConfig(topic, ['cleanup.policy', 'min.compaction.lag.ms'])
    assert.deepEqual([...settings.values()].toSorted(), ['0', 'compact'])
    assert.equal((await admin.describeTopics([topic])).get(topic)?.partitions.length, 5)
    assert.deepEqual(content(await started(t, cluster)), before)
  })
}

test('a config topic with more than one partition is not written: writes say why, until it is deleted', async (t) => {
  const cluster = `replaced-${randomUUID()}`
  const stores = await started(t, cluster, { deletedWaitMs: 100 })
  await fill(stores)
  const before = content(stores)
  const topic = topicOf(cluster, 'configs')
  await replace(topic, 3)
  await until('the trouble is known', () => troubleOf(stores)?.includes('has 3 partitions') === true)
  await assert.rejects(stores.configs.putTargetState('a', 'PAUSED'), {
    code: 'INTERNAL_TOPIC_DELETED',
    kind: 'retriable',
    message: /was deleted, and cannot be made again at present: the config topic .* has 3 partitions; it must have one/,
  })
  await admin.deleteTopics([topic])
  await until('no trouble', () => troubleOf(stores) === null)
  assert.deepEqual(content(await started(t, cluster)), before)
})

test('a start without the offsets refuses while the configs are there, and goes on once they are created empty', async (t) => {
  const cluster = `missing-${randomUUID()}`
  const stores = await started(t, cluster)
  await fill(stores)
  await Promise.all(all(stores).map((store) => store.stop()))
  const topic = topicOf(cluster, 'offsets')
  const plugins = topicOf(cluster, 'plugins')
  await admin.deleteTopics([topic, plugins])
  for (const name of [topic, plugins]) await untilKnown(brokers, name, 0)
  await assert.rejects(started(t, cluster), {
    code: 'INTERNAL_TOPIC_MISSING',
    message: new RegExp(`--topic ${topic} `),
  })
  const configs = { 'cleanup.policy': 'compact' }
  await admin.createTopic({ name: topic, partitions: 3, replicationFactor: -1, configs })
  await untilKnown(brokers, topic, 3)
  const now = await started(t, cluster)
  const { configs: kept, offsets } = now
  assert.deepEqual([kept.snapshot.config('a')?.['v'], offsets.offsets('a'), now.plugins.plugins()], ['2', [], []])
})

const normal = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? Number(each) : each)))
