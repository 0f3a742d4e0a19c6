import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { createStores, type PluginEntry, type Stores, type StoresOptions } from '@tributary/connect-storage'
import { sharedKafka } from '@tributary/harness'
import { createProducer } from '@tributary/kafka-producer'
import type { LogFields, Logger } from '@tributary/telemetry'
import { quietLogger } from '../../support/unit-worker.ts'

const { brokers } = await sharedKafka()
const connection = { brokers, clientId: 'test' }
const forever = new AbortController().signal

async function started(t: TestContext, cluster: string, options: Partial<StoresOptions> = {}): Promise<Stores> {
  const stores = createStores({
    connection,
    cluster,
    log: quietLogger,
    partitions: { offsets: 3, status: 2 },
    ...options,
  })
  const all = Object.values(stores) as { start(signal: AbortSignal): Promise<void>; stop(): Promise<void> }[]
  t.after(() => Promise.all(all.map((store) => store.stop())))
  await Promise.all(all.map((store) => store.start(forever)))
  return stores
}
const newCluster = (): string => `stores-${randomUUID()}`

test('a process reads its own writes at once, another process reads them after a refresh, a third one from the beginning', async (t) => {
  const cluster = newCluster()
  const [writer, reader] = [await started(t, cluster), await started(t, cluster)]
  await writer.configs.putConnectorConfig('c', { name: 'c' }, 'PAUSED')
  await writer.configs.putTaskConfigs('c', [{ n: '0' }, { n: '1' }], 4)
  assert.deepEqual(writer.configs.snapshot.tasks('c'), [{ n: '0' }, { n: '1' }])
  await reader.configs.refresh()
  const third = await started(t, cluster)
  for (const { configs } of [reader, third]) {
    assert.deepEqual(configs.snapshot.config('c'), { name: 'c' })
    assert.equal(configs.snapshot.targetState('c'), 'PAUSED')
    assert.deepEqual(configs.snapshot.tasks('c'), [{ n: '0' }, { n: '1' }])
    assert.equal(configs.snapshot.appliedOffset, writer.configs.snapshot.appliedOffset)
  }
  await writer.configs.removeConnector('c')
  assert.deepEqual(writer.configs.snapshot.connectors(), [])
})

test('a connector that is created as paused is never seen without its target state', async (t) => {
  const { configs } = await started(t, newCluster())
  const seen: string[] = []
  configs.listen({ connectorConfigUpdated: (name) => seen.push(configs.snapshot.targetState(name)) })
  await configs.putConnectorConfig('c', {}, 'STOPPED')
  assert.deepEqual(seen, ['STOPPED'])
})

test('listeners are called for changes after the start, until they are removed', async (t) => {
  const cluster = newCluster()
  const writer = await started(t, cluster)
  await writer.configs.putConnectorConfig('old', {})
  await writer.configs.putRestart({ connector: 'old', includeTasks: true, onlyFailed: false })
  const calls: string[] = []
  const { configs } = createStores({ connection, cluster, log: quietLogger })
  t.after(() => configs.stop())
  const remove = configs.listen({
    connectorConfigUpdated: (name) => calls.push(name),
    restartRequested: () => calls.push('restart'),
    targetStateUpdated: () => calls.push('target'),
  })
  await configs.start(forever)
  await configs.putConnectorConfig('new', {})
  await configs.putTargetState('new', 'PAUSED')
  remove()
  await configs.putConnectorConfig('later', {})
  assert.deepEqual(calls, ['new', 'target'])
})

test('a leader that claims the config topic fences its predecessor, and reads its last writes', async (t) => {
  const cluster = newCluster()
  const transactionalId = `${cluster}-leader`
  const first = await started(t, cluster, { transactionalId })
  const next = await started(t, cluster, { transactionalId })
  await first.configs.claim(forever)
  await first.configs.putConnectorConfig('c', { by: 'first' })
  await next.configs.claim(forever)
  assert.deepEqual(next.configs.snapshot.config('c'), { by: 'first' })
  await assert.rejects(first.configs.putConnectorConfig('c', { by: 'zombie' }), { code: 'PRODUCER_FENCED' })
  await assert.rejects(first.configs.putTargetState('c', 'PAUSED'), { code: 'PRODUCER_FENCED' })
  await Promise.all([next.configs.putTargetState('c', 'STOPPED'), next.configs.putConnectorConfig('c', { by: 'next' })])
  assert.deepEqual(next.configs.snapshot.config('c'), { by: 'next' })
  assert.equal(next.configs.snapshot.targetState('c'), 'STOPPED')
})

test('an owner in a group that counts its generations from 1 again is not mistaken for a zombie', async (t) => {
  const cluster = newCluster()
  const { configs } = await started(t, cluster)
  await configs.putConnectorConfig('c', {})
  await configs.putTaskConfigs('c', [{ by: 'old group' }], 57)
  const { configs: later } = await started(t, cluster)
  await later.putTaskConfigs('c', [{ by: 'new group' }], 1)
  assert.deepEqual(later.snapshot.tasks('c'), [{ by: 'new group' }])
})

test('a final status of a lower generation does not hide the status of the new owner, whose own final status is written', async (t) => {
  const cluster = newCluster()
  const [lost, owner] = [(await started(t, cluster)).status, (await started(t, cluster)).status]
  await lost.putTask('c', 0, { state: 'RUNNING', workerId: 'lost:1', generation: 4 })
  await owner.putTask('c', 0, { state: 'RUNNING', workerId: 'owner:1', generation: 5 })
  // The store reads this write back, and with it the owner's status before it in the partition.
  await lost.putTask('c', 0, { state: 'RUNNING', workerId: 'owner:1', generation: 5 })
  await lost.putTask('c', 0, { state: 'UNASSIGNED', workerId: 'lost:1', generation: 4 })
  assert.equal(lost.task('c', 0)?.workerId, 'owner:1')
  await owner.putTask('c', 0, { state: 'FAILED', trace: 'why', workerId: 'owner:1', generation: 5 })
  assert.equal(owner.task('c', 0)?.trace, 'why')
})

test('a status from before the start is overwritten, whatever its generation', async (t) => {
  const cluster = newCluster()
  const { status: earlier } = await started(t, cluster)
  await earlier.putConnector('c', { state: 'RUNNING', workerId: 'gone:1', generation: 57 })
  const { status } = await started(t, cluster)
  await status.putConnector('c', { state: 'FAILED', trace: 'at the start', workerId: 'new:1', generation: 1 })
  assert.equal(status.connector('c')?.workerId, 'new:1')
})

test('statuses and topics of a connector are listed, reported to listeners, and deleted', async (t) => {
  const { status } = await started(t, newCluster())
  const calls: string[] = []
  status.listen((connector, task) => calls.push(`${connector}/${task}`))
  const running = { state: 'RUNNING', workerId: 'w:1', generation: 1 } as const
  await status.putConnector('c', running)
  await status.putTask('c', 1, running)
  await status.putTask('c', 0, running)
  await status.putTopic('c', 0, 'b-topic')
  await status.putTopic('c', 1, 'a-topic')
  assert.deepEqual([...status.tasks('c').keys()], [0, 1])
  assert.deepEqual(status.topics('c'), ['a-topic', 'b-topic'])
  assert.deepEqual(calls, ['c/null', 'c/1', 'c/0'])
  await status.deleteTask('c', 1)
  await status.deleteTopics('c')
  assert.deepEqual([[...status.tasks('c').keys()], status.topics('c')], [[0], []])
  await status.deleteConnector('c')
  assert.deepEqual([status.connectors(), status.connector('c'), status.task('c', 0)], [[], null, null])
})

test('offsets are found by value, merged by partition, removed by null, and exact above 2^53', async (t) => {
  const cluster = newCluster()
  const { offsets } = await started(t, cluster)
  const [a, b] = [
    { server: 'h', method: 'a' },
    { server: 'h', method: 'b' },
  ]
  await offsets.write('c', [
    { partition: a, offset: { sequence: 9007199254740993n } },
    { partition: b, offset: { sequence: 1 } },
  ])
  await offsets.write('c', [{ partition: { method: 'b', server: 'h' }, offset: { sequence: 2 } }])
  const { offsets: other } = await started(t, cluster)
  assert.deepEqual(other.offset('c', { method: 'a', server: 'h' }), { sequence: 9007199254740993n })
  assert.deepEqual(other.offset('c', b), { sequence: 2 })
  assert.equal(other.offset('other', b), null)
  await other.write('c', [{ partition: a, offset: null }])
  assert.deepEqual(other.offsets('c'), [{ partition: { method: 'b', server: 'h' }, offset: { sequence: 2 } }])
})

test('a partition whose key was written in another order keeps that key, and two such keys are removed together', async (t) => {
  const cluster = newCluster()
  const { offsets } = await started(t, cluster)
  const producer = createProducer(connection, { driver: 'tributary' })
  t.after(() => producer.close())
  await producer.start(forever)
  const write = (key: string, partition: number, timestamp: number): Promise<unknown> =>
    producer.send(
      [
        {
          topic: `${cluster}-connect-offsets`,
          partition,
          key: Buffer.from(key),
          value: Buffer.from(`{"at":${timestamp}}`),
          timestamp,
        },
      ],
      forever,
    )
  const [newer, older] = ['["c",{"z":1,"a":2}]', '["c",{"a":2,"z":1}]']
  await write(newer, 0, 2000)
  await write(older, 1, 1000)
  await offsets.refresh()
  assert.deepEqual(offsets.offset('c', { a: 2, z: 1 }), { at: 2000 })
  const keysOf = (offset: { at: number } | null): string[] =>
    offsets.encode('c', [{ partition: { a: 2, z: 1 }, offset }]).map((record) => Buffer.from(record.key).toString())
  assert.deepEqual(keysOf({ at: 3 }), [newer])
  assert.deepEqual(keysOf(null).sort(), [newer, older].sort())
})

test('the next owner reads offsets that were committed in a transaction', async (t) => {
  const cluster = newCluster()
  const { offsets } = await started(t, cluster)
  const producer = createProducer(connection, { driver: 'tributary', transactionalId: cluster })
  t.after(() => producer.close())
  await producer.start(forever)
  const write = async (at: number): Promise<void> => {
    producer.beginTransaction()
    const records = offsets.encode('c', [{ partition: { p: 1 }, offset: { at } }])
    await producer.send(records.map((record) => ({ ...record, timestamp: Date.now() })), forever) // prettier-ignore
  }
  await write(1)
  await producer.commitTransaction(forever)
  await write(2)
  await producer.abortTransaction(forever)
  await offsets.refresh()
  assert.deepEqual(offsets.offset('c', { p: 1 }), { at: 1 })
})

test('thousands of unreadable records are skipped with one warning, and the following records are read', async (t) => {
  const cluster = newCluster()
  await started(t, cluster)
  const producer = createProducer(connection, { driver: 'tributary' })
  t.after(() => producer.close())
  await producer.start(forever)
  const record = (key: string, value: string) => {
    return {
      topic: `${cluster}-connect-configs`,
      partition: 0,
      key: Buffer.from(key),
      value: Buffer.from(value),
      timestamp: 1,
    }
  }
  const good = record('connector-good', '{"properties":{"a":"b"}}')
  const bad = [
    record('connector-bad', '{"properties":'),
    record('connector-', '{"properties":{"connector.class":"x"}}'),
    record('task--0', '{"properties":{}}'),
    record('commit-good', '{"tasks":9007199254740991}'),
    ...Array.from({ length: 5000 }, (_, i) => record(`garbage-${i}`, '[]')),
  ]
  await producer.send([...bad, good], forever)
  const warnings: [string, LogFields | undefined][] = []
  const log: Logger = { ...quietLogger, warn: (event, fields) => void warnings.push([event, fields]) }
  const { configs } = await started(t, cluster, { log })
  assert.deepEqual(configs.snapshot.connectors(), ['good'])
  assert.deepEqual(
    warnings.map(([event, fields]) => [event, fields?.['records'], fields?.['key']]),
    [['records_skipped', bad.length, 'connector-bad']],
  )
  await assert.rejects(configs.putConnectorConfig('', {}), { code: 'INTERNAL_RECORD_REFUSED' })
  const beyond = Object.fromEntries(Array.from({ length: 20_001 }, (_, i) => [`key-${i}`, '']))
  await assert.rejects(configs.putConnectorConfig('good', beyond), { code: 'INTERNAL_RECORD_REFUSED' })
  assert.deepEqual(configs.snapshot.config('good'), { a: 'b' })
})

test('a plugin is published once, and its highest version is found by class, alias and short name', async (t) => {
  const cluster = newCluster()
  const { plugins } = await started(t, cluster)
  let calls = 0
  plugins.listen(() => calls++)
  const plugin: PluginEntry = {
    class: 'io.x.GrpcSourceConnector',
    aliases: ['io.other.GrpcSourceConnector'],
    type: 'source',
    version: '1.10.0',
    spec: { keys: { 'k.a': { type: 'long', default: '9007199254740991', importance: 'low', doc: 'd' } } },
    service: 'grpc-ingest',
  }
  await plugins.publish(plugin)
  await plugins.publish({ ...plugin, version: '1.9.0' })
  await plugins.publish({ ...plugin })
  assert.equal(calls, 2)
  const { plugins: other } = await started(t, cluster)
  for (const name of [plugin.class, ...plugin.aliases, 'GrpcSourceConnector', 'GrpcSource']) {
    assert.deepEqual(other.find(name), plugin)
  }
  assert.equal(other.find('Grpc'), null)
  assert.deepEqual(other.plugins(), [plugin])
})

test('one class may be a converter and a header converter; a connector with a short name comes before both', async (t) => {
  const { plugins } = await started(t, newCluster())
  const converter: PluginEntry = {
    class: 'io.x.Json',
    aliases: [],
    type: 'converter',
    version: '1.0.0',
    spec: { keys: {} },
    service: '*',
  }
  const header: PluginEntry = { ...converter, type: 'header_converter' }
  const connector: PluginEntry = { ...converter, class: 'io.y.JsonConnector', type: 'source', service: 'json-ingest' }
  for (const plugin of [converter, header, connector]) await plugins.publish(plugin)
  assert.deepEqual(new Set(plugins.plugins()), new Set([converter, header, connector]))
  assert.deepEqual(plugins.find('Json'), connector)
  assert.deepEqual(plugins.find('io.x.Json'), converter)
})

test("the names of the topics contain connect, as Kafka Connect's do, and topics of the earlier names go on being used", async (t) => {
  const cluster = newCluster()
  const { status } = await started(t, cluster)
  assert.equal(status.topic, `${cluster}-connect-status`)
  const earlier = newCluster()
  const names = { configs: `${earlier}-configs`, status: `${earlier}-status` }
  const before = await started(t, earlier, { names })
  await before.configs.putConnectorConfig('c', { name: 'c' })
  const now = await started(t, earlier)
  assert.equal(now.status.topic, names.status)
  assert.deepEqual(now.configs.snapshot.config('c'), { name: 'c' })
  await now.configs.putConnectorConfig('d', {})
  await before.configs.refresh()
  assert.deepEqual(before.configs.snapshot.connectors(), ['c', 'd'], 'both read and write one topic')
})

test('a config topic of several partitions is refused', async (t) => {
  const cluster = newCluster()
  const { configs } = createStores({ connection, log: quietLogger, names: { configs: `${cluster}-connect-status` } })
  t.after(() => configs.stop())
  await started(t, cluster)
  await assert.rejects(configs.start(forever), /must have one/)
})

test('a start without a broker waits, and ends with the reason of its signal', async () => {
  const { configs } = createStores({ connection: { brokers: ['127.0.0.1:1'], clientId: 'test' }, log: quietLogger })
  const controller = new AbortController()
  const starting = configs.start(controller.signal)
  controller.abort(new Error('stopped'))
  await assert.rejects(starting, /stopped/)
  await configs.stop()
})
