import assert from 'node:assert/strict'
import test from 'node:test'
import { MemoryConfigStore, MemoryStatusStore } from '../testing/memory-stores.ts'
import { silentLog } from '@tributary/telemetry/testing'
import { StatusCleaner } from './status-cleaner.ts'

const running = { state: 'RUNNING', workerId: 'w:1', generation: 1 } as const

async function cleaned(prepare: (config: MemoryConfigStore, status: MemoryStatusStore) => Promise<void>) {
  const config = new MemoryConfigStore()
  const status = new MemoryStatusStore()
  const cleaner = new StatusCleaner({ config, status, log: silentLog })
  cleaner.start(new AbortController().signal)
  await prepare(config, status)
  await cleaner.settled()
  return { config, status, cleaner }
}

test('the statuses and topics of a removed connector are deleted, those of other connectors stay', async () => {
  const { status } = await cleaned(async (config, status) => {
    for (const connector of ['gone', 'here']) {
      await config.putConnectorConfig(connector, {})
      await config.putTaskConfigs(connector, [{}])
      await status.putConnector(connector, running)
      await status.putTask(connector, 0, running)
      await status.putTopic(connector, 0, 't')
    }
    await config.removeConnector('gone')
  })
  assert.deepEqual(status.connectors(), ['here'])
  assert.deepEqual([status.task('gone', 0), status.topics('gone')], [null, []])
  assert.deepEqual([status.task('here', 0)?.state, status.topics('here')], ['RUNNING', ['t']])
})

test('a status that a worker writes after the removal is deleted, too', async () => {
  const { status } = await cleaned(async (_config, status) => {
    await status.putConnector('gone', { ...running, state: 'UNASSIGNED' })
    await status.putTask('gone', 0, { ...running, state: 'UNASSIGNED' })
  })
  assert.deepEqual([status.connector('gone'), status.task('gone', 0)], [null, null])
})

test('the statuses of tasks that the connector no longer has are deleted', async () => {
  const { status } = await cleaned(async (config, status) => {
    await config.putConnectorConfig('c', {})
    await config.putTaskConfigs('c', [{}, {}])
    await status.putTask('c', 0, running)
    await status.putTask('c', 1, running)
    await config.putTaskConfigs('c', [{}])
  })
  assert.deepEqual([...status.tasks('c').keys()], [0])
})

test('a status stays whose connector has not been read from the config topic yet', async () => {
  const { status } = await cleaned(async (config, status) => {
    // The connector appears only after the topic was read to its end.
    config.onRefresh = () => config.putConnectorConfig('new', {})
    await status.putConnector('new', running)
  })
  assert.equal(status.connector('new')?.state, 'RUNNING')
})

test('after an outage the next status starts the cleaning again', async () => {
  const { status, config, cleaner } = await cleaned(async (config, status) => {
    config.outage = new Error('away')
    await status.putConnector('gone', running)
  })
  assert.notEqual(status.connector('gone'), null)
  config.outage = null
  await status.putConnector('gone', running)
  await cleaner.settled()
  assert.equal(status.connector('gone'), null)
})
