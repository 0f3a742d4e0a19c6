import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStores } from '@tributary/connect-storage'
import { startKafka } from '@tributary/harness'
import { readPartition } from '../../support/kafka-topic.ts'
import { quietLogger } from '../../support/unit-worker.ts'

const forever = new AbortController().signal

test('writes that meet an outage are done once, and read back, when the broker is there again', async (t) => {
  const broker = await startKafka()
  t.after(() => broker.stop())
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
  const kept = await readPartition(brokers, 'outage-configs')
  assert.deepEqual(kept.map((record) => String(record.value)), [
    '{"properties":{"n":"0"}}',
    '{"properties":{"n":"1"}}',
    '{"state":"PAUSED","state.v2":"PAUSED"}',
  ]) // prettier-ignore
})

test('a start without a broker waits, and ends with the reason of its signal', async () => {
  const { configs } = createStores({ connection: { brokers: ['127.0.0.1:1'], clientId: 'test' }, log: quietLogger })
  const controller = new AbortController()
  const starting = configs.start(controller.signal)
  controller.abort(new Error('stopped'))
  await assert.rejects(starting, /stopped/)
  await configs.stop()
})
