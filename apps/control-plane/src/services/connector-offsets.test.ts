import assert from 'node:assert/strict'
import test from 'node:test'
import { silentLog } from '@tributary/telemetry/testing'
import { FILE_SOURCE } from '../testing/test-api.ts'
import { MemoryConfigStore, MemoryOffsetStore, MemoryPluginStore, MemoryStatusStore } from '../testing/memory-stores.ts'
import { ConnectorOffsets, EndedTasks } from './connector-offsets.ts'
import { ConnectorViews } from './connector-views.ts'
import { KeyedLock } from './keyed-lock.ts'
import { Workers } from './workers.ts'

async function offsetsOf(members: readonly { metadata: unknown }[]) {
  const [config, offsets] = [new MemoryConfigStore(), new MemoryOffsetStore()]
  const plugins = new MemoryPluginStore([FILE_SOURCE])
  await config.putConnectorConfig('a', { 'connector.class': FILE_SOURCE.class, topic: 't' }, 'STOPPED')
  const groups = { describeGroup: () => Promise.resolve({ members }) }
  const refused = new Error('refused')
  const client = { send: () => Promise.reject(refused), open: () => assert.fail(refused) }
  const workers = new Workers({ groups, cluster: 'test', client, log: silentLog })
  const views = new ConnectorViews({ config, status: new MemoryStatusStore(), plugins })
  const endedTasks = new EndedTasks({ config, views, workers, timeoutMs: 10 })
  const fencing = { fenceProducers: () => Promise.resolve() }
  const options = { config, offsets, views, workers, endedTasks, fencing, writes: new KeyedLock(), readTimeoutMs: 10 }
  return { store: offsets, offsets: new ConnectorOffsets(options) }
}

test('an offsets topic that cannot be read to its end is an error after a time, not an endless wait', async () => {
  const { store, offsets } = await offsetsOf([])
  store.held = true
  await assert.rejects(offsets.read('a'), {
    status: 500,
    message: /^The offsets topic could not be read .* within 0.01 s/,
  })
  await assert.rejects(offsets.reset('a'), { status: 500, message: /^The offsets topic could not be read/ })
})

test('a silent worker may still have tasks, so nothing is changed', async () => {
  const { offsets } = await offsetsOf([{ metadata: { worker: 'w:1' } }])
  await assert.rejects(offsets.reset('a'), {
    status: 500,
    message: /^The tasks of connector a have not ended yet \(on w:1\)/,
  })
})

test('while the group rebalances nobody knows who has tasks, so nothing is changed', async () => {
  const { offsets } = await offsetsOf([{ metadata: null }])
  await assert.rejects(offsets.reset('a'), {
    status: 500,
    message: /\(on the group test-file-ingest, which is rebalancing\)/,
  })
})
