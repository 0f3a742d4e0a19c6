import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test, type TestContext } from 'node:test'
import { createStores } from '@tributary/connect-storage'
import { type KafkaBroker, startKafka } from '@tributary/harness'
import { CompactedLog, type LogRecord } from '@tributary/kafka'
import { createProducer } from '@tributary/kafka-producer'
import { readPartition } from '../../support/kafka-topic.ts'
import { overlaps, quietLogger, type Tick, UnitWorker } from '../../support/unit-worker.ts'
import { until } from '../../support/until.ts'

const forever = new AbortController().signal
const units = ['u0', 'u1', 'u2', 'u3']

describe('an outage of Kafka', () => {
  let broker: KafkaBroker
  before(async () => {
    broker = await startKafka()
  })
  after(() => broker.stop())

  function members(t: TestContext, onTick: (tick: Tick) => void): [UnitWorker, UnitWorker] {
    const groupId = `group-${randomUUID()}`
    const member = (name: string): UnitWorker => {
      const worker = new UnitWorker({ brokers: broker.brokers, groupId, name, units: () => units, onTick })
      t.after(() => worker.close())
      return worker
    }
    return [member('a'), member('b')]
  }

  function compactedLog(t: TestContext): { log: CompactedLog; topic: string; records: LogRecord[] } {
    const topic = `log-${randomUUID()}`
    const records: LogRecord[] = []
    const log = new CompactedLog({
      connection: { brokers: broker.brokers, clientId: 'test' },
      topic: { name: topic, partitions: 2, replicationFactor: -1 },
      log: quietLogger,
      onRecord: (record) => void records.push(record),
    })
    t.after(() => log.stop())
    return { log, topic, records }
  }

  test('members of a group continue under their leases, then do nothing, and continue when the broker is back', async (t) => {
    const ticks: Tick[] = []
    const workers = members(t, (tick) => void ticks.push(tick))
    for (const worker of workers) await worker.start()
    const share = (): boolean => workers.every((worker) => worker.running.size === 2 && worker.member.leaseValid())
    await until('each runs its share', share)

    await broker.kill()
    assert.ok(share(), 'the lease outlives the connection')
    await until('no lease is left', () => workers.every((worker) => !worker.member.leaseValid()))
    const silence = ticks.length
    const waited = workers[0].member.waitForLease(AbortSignal.timeout(60_000))
    await broker.start()
    await waited
    await until('each runs its share again', share)
    await until('all tick', () => new Set(ticks.slice(silence).map((tick) => tick.unit)).size === units.length)
    assert.deepEqual(overlaps(ticks), [])
  })

  test('a compacted log continues when the broker is back, and passes on no record twice', async (t) => {
    const { log, topic, records } = compactedLog(t)
    await log.start(forever)
    const writer = createProducer({ brokers: broker.brokers, clientId: 'test' }, { driver: 'tributary' })
    t.after(() => writer.close())
    await writer.start(forever)
    const write = (key: string): Promise<unknown> => {
      const value = { topic, key: Buffer.from(key), value: Buffer.from('v'), timestamp: Date.now() }
      return writer.send([0, 1].map((partition) => ({ ...value, partition })), forever) // prettier-ignore
    }
    await write('before')
    await log.refresh()
    await broker.kill()
    const refresh = log.refresh()
    await broker.start()
    await refresh
    await write('after')
    await log.refresh()
    assert.deepEqual(records.map(({ key }) => String(key)).sort(), ['after', 'after', 'before', 'before'])
  })

  test('the stores write each record of the outage once, and read it back', async (t) => {
    const { brokers } = broker
    const stores = createStores({ connection: { brokers, clientId: 'test' }, cluster: 'outage', log: quietLogger })
    const { configs, status, offsets } = stores
    t.after(() => Promise.all([configs.stop(), status.stop(), offsets.stop()]))
    await Promise.all([configs.start(forever), status.start(forever), offsets.start(forever)])
    await configs.putConnectorConfig('c', { n: '0' })

    await broker.kill()
    const partition = { p: 1 }
    const writes = Promise.all([
      configs.putConnectorConfig('c', { n: '1' }),
      configs.putTargetState('c', 'PAUSED'),
      status.putTask('c', 0, { state: 'RUNNING', workerId: 'w:1', generation: 1 }),
      offsets.write('c', [{ partition, offset: { at: 5 } }]),
    ])
    const enough = new AbortController()
    const givenUp = offsets.write('given-up', [{ partition, offset: { at: 1 } }], enough.signal)
    enough.abort(new Error('enough'))
    await assert.rejects(givenUp, /enough/)
    await broker.start()
    await writes

    assert.deepEqual(configs.snapshot.config('c'), { n: '1' })
    assert.equal(configs.snapshot.targetState('c'), 'PAUSED')
    assert.equal(status.task('c', 0)?.state, 'RUNNING')
    assert.deepEqual(offsets.offset('c', partition), { at: 5 })
    const kept = await readPartition(brokers, 'outage-connect-configs')
    assert.deepEqual(kept.map((record) => String(record.value)), [
      '{"properties":{"n":"0"}}',
      '{"properties":{"n":"1"}}',
      '{"state":"PAUSED","state.v2":"PAUSED"}',
    ]) // prettier-ignore
  })

  test('a compacted log and the members of a group that start before the broker wait for it', async (t) => {
    await broker.kill()
    const workers = members(t, () => undefined)
    const starts = Promise.all([compactedLog(t).log.start(forever), ...workers.map((worker) => worker.start())])
    await broker.start()
    await starts
    await until('each member runs its share', () => workers.every((worker) => worker.running.size === 2))
  })
})
