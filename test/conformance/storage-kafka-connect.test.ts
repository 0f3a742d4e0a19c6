import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { createStores, type ConnectorConfig, type StoreName, type Stores } from '@tributary/connect-storage'
import { sharedKafka, startKafkaConnect, temporaryFolder, type KafkaConnect } from '@tributary/harness'
import { quietLogger } from '../support/unit-worker.ts'
import { until } from '../support/until.ts'
import { readPartition } from '../support/kafka-topic.ts'

/**
 * A real Kafka Connect 3.9.1 and our stores use one set of topics. The stores write before the first start of Connect.
 * Afterwards each reads what the other writes.
 */
const { brokers } = await sharedKafka()
const forever = new AbortController().signal
const group = `connect-${randomUUID()}`
const folder = temporaryFolder('storage')
const partitions: Record<Exclude<StoreName, 'plugins'>, number> = { configs: 1, offsets: 25, status: 5 }

let connect: KafkaConnect
let stores: Stores

before(async () => {
  const names = { configs: `${group}-configs`, offsets: `${group}-offsets`, status: `${group}-status` }
  stores = createStores({ connection: { brokers, clientId: 'test' }, log: quietLogger, cluster: group, names })
  await Promise.all([stores.configs.start(forever), stores.offsets.start(forever), stores.status.start(forever)])
  await writeBeforeConnect(stores)
  connect = await startKafkaConnect({ brokers, group })
})
after(async () => {
  await connect.stop()
  await Promise.all([stores.configs.stop(), stores.offsets.stop(), stores.status.stop()])
})

const file = (name: string): string => join(folder, name)
const sink = (name: string): ConnectorConfig => ({
  name,
  'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
  'tasks.max': '1',
  topics: `${group}-out`,
  file: file(`${name}.out`),
})
const source = (name: string): ConnectorConfig => ({
  name,
  'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  'tasks.max': '1',
  topic: `${group}-out`,
  file: file(`${name}.in`),
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
})

async function writeBeforeConnect({ configs, offsets, status }: Stores): Promise<void> {
  writeFileSync(file('ours.in'), 'before our offset\nafter our offset\n')
  await configs.putConnectorConfig('ours', source('ours'))
  const task = { ...source('ours'), 'task.class': 'org.apache.kafka.connect.file.FileStreamSourceTask' }
  await configs.putTaskConfigs('ours', [task], 7)
  const position = 'before our offset\n'.length
  await offsets.write('ours', [{ partition: { filename: file('ours.in') }, offset: { position } }])
  await configs.putConnectorConfig('ours-paused', source('ours-paused'), 'PAUSED')
  await configs.putTaskConfigs('ours-paused', [{ ...task, ...source('ours-paused') }], 7)
  await configs.putConnectorConfig('ours-stopped', source('ours-stopped'), 'STOPPED')
  await configs.putConnectorConfig('ours-removed', source('ours-removed'))
  await configs.removeConnector('ours-removed')
  await status.putTopic('ours', 0, 'a-topic-of-before')
}

async function rest(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const answer = await fetch(connect.url + path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, json: text === '' ? null : (JSON.parse(text) as unknown) }
}

interface ConnectStatus {
  readonly connector: { readonly state: string; readonly worker_id: string }
  readonly tasks: readonly {
    readonly id: number
    readonly state: string
    readonly worker_id: string
    readonly trace?: string
  }[]
}
async function states(connector: string): Promise<string> {
  const { status, json } = await rest('GET', `/connectors/${connector}/status`)
  if (status !== 200) return String(status)
  const { connector: own, tasks } = json as ConnectStatus
  return [own.state, ...tasks.map((task) => task.state)].join()
}

test('Connect runs the connectors, tasks and target states that our stores wrote', async () => {
  await until(
    'all three are as wanted',
    async () => {
      const all = [await states('ours'), await states('ours-paused'), await states('ours-stopped')]
      return all.join(' ') === 'RUNNING,RUNNING PAUSED,PAUSED STOPPED'
    },
    60_000,
  )
  const { json } = await rest('GET', '/connectors')
  assert.deepEqual((json as string[]).sort(), ['ours', 'ours-paused', 'ours-stopped'])
  assert.deepEqual((await rest('GET', '/connectors/ours/config')).json, source('ours'))
})

test('Connect continues from the offset that our store wrote', async () => {
  const lines = async (): Promise<string[]> =>
    (await readPartition(brokers, `${group}-out`).catch(() => [])).map((record) => String(record.value))
  await until('a line of the file', async () => (await lines()).length > 0)
  assert.deepEqual(await lines(), ['after our offset'])
})

test('our stores read the offsets, states and topics that Connect writes', async () => {
  appendFileSync(file('ours.in'), 'another line\n')
  const position = readFileSync(file('ours.in')).length
  const partition = { filename: file('ours.in') }
  await until('its offset', () => stores.offsets.offset('ours', partition)?.['position'] === position)
  // Connect's own consumer may be behind ours.
  await until('the same answer', async () => {
    const { json } = await rest('GET', '/connectors/ours/offsets')
    return isDeepStrictEqual(json, { offsets: stores.offsets.offsets('ours') })
  })

  for (const connector of ['ours', 'ours-paused', 'ours-stopped']) {
    const shown = (await rest('GET', `/connectors/${connector}/status`)).json as ConnectStatus
    const stored = stores.status.connector(connector)
    assert.deepEqual([stored?.state, stored?.workerId], [shown.connector.state, shown.connector.worker_id])
    const tasks = [...stores.status.tasks(connector)].map(([id, s]) => ({ id, state: s.state, worker_id: s.workerId }))
    assert.deepEqual(tasks, shown.tasks)
  }
  await until('its topic', () => stores.status.topics('ours').length === 2)
  const topics = (await rest('GET', '/connectors/ours/topics')).json as { ours: { topics: string[] } }
  assert.deepEqual([...topics.ours.topics].sort(), stores.status.topics('ours'))
})

test('our store reads the connectors, tasks, target states, restarts and levels that Connect writes', async () => {
  const calls: string[] = []
  const remove = stores.configs.listen({
    restartRequested: (request) => calls.push(`restart ${JSON.stringify(request)}`),
    loggerLevelSet: (logger, level) => calls.push(`${logger} ${level}`),
    connectorRemoved: (connector) => calls.push(`removed ${connector}`),
  })
  const { snapshot } = stores.configs
  const config = { ...sink('theirs-ä 1'), odd: 'line\n\u0001"\\' }
  await rest('POST', '/connectors', { name: 'theirs-ä 1', config, initial_state: 'PAUSED' })
  const path = `/connectors/${encodeURIComponent('theirs-ä 1')}`
  await until('the connector', () => snapshot.config('theirs-ä 1') !== null)
  assert.deepEqual(snapshot.config('theirs-ä 1'), config)
  assert.equal(snapshot.targetState('theirs-ä 1'), 'PAUSED')
  await rest('PUT', `${path}/resume`)
  await until('its task', () => snapshot.tasks('theirs-ä 1').length === 1)
  assert.deepEqual({ 0: snapshot.tasks('theirs-ä 1')[0] }, taskConfigs((await rest('GET', `${path}/tasks`)).json))
  assert.equal(snapshot.targetState('theirs-ä 1'), 'STARTED')
  assert.equal(snapshot.tasksOutdated('theirs-ä 1'), false)
  await until('it runs', async () => (await states(encodeURIComponent('theirs-ä 1'))) === 'RUNNING,RUNNING')
  await rest('POST', `${path}/restart?includeTasks=true&onlyFailed=true`)
  await rest('PUT', '/admin/loggers/org.example?scope=cluster', { level: 'DEBUG' })
  await rest('PUT', `${path}/stop`)
  await until('it is stopped', () => snapshot.targetState('theirs-ä 1') === 'STOPPED')
  await rest('DELETE', path)
  await until('it is gone', () => snapshot.config('theirs-ä 1') === null)
  remove()
  const restart = { connector: 'theirs-ä 1', includeTasks: true, onlyFailed: true }
  assert.deepEqual(calls, [`restart ${JSON.stringify(restart)}`, 'org.example DEBUG', 'removed theirs-ä 1'])
  await until('so is its status', () => stores.status.connector('theirs-ä 1') === null)
})

function taskConfigs(answer: unknown): Record<number, ConnectorConfig> {
  const tasks = answer as { id: { task: number }; config: ConnectorConfig }[]
  return Object.fromEntries(tasks.map((task) => [task.id.task, task.config]))
}

test('our store reads a trace of several lines that Connect wrote', async () => {
  await rest('PUT', '/connectors/failing/config', { ...sink('failing'), file: '/nonexistent/folder/file' })
  await until('it failed', async () => (await states('failing')) === 'RUNNING,FAILED')
  const shown = (await rest('GET', '/connectors/failing/status')).json as ConnectStatus
  await until('our store knows', () => stores.status.task('failing', 0)?.state === 'FAILED')
  assert.equal(stores.status.task('failing', 0)?.trace, shown.tasks[0]?.trace)
})

test('Connect follows what our store writes while it runs', async () => {
  await stores.configs.putTargetState('ours', 'PAUSED')
  await until('paused', async () => (await states('ours')) === 'PAUSED,PAUSED')
  await stores.configs.putTargetState('ours', 'STARTED')
  await until('running', async () => (await states('ours')) === 'RUNNING,RUNNING')
  await stores.configs.putConnectorConfig('ours-new', source('ours-new'))
  await until('a new connector', async () => (await states('ours-new')) === 'RUNNING,RUNNING')
  await stores.configs.removeConnector('ours-new')
  await until('its end', async () => (await rest('GET', '/connectors/ours-new')).status === 404)
})

test('Connect shows the offsets, statuses and topics that our stores wrote', async () => {
  const offset = { position: 9007199254740993n }
  const partition = { filename: 'other', zeta: 1, alpha: 'ä\u001f', flag: true }
  await stores.offsets.write('ours-stopped', [{ partition, offset }])
  // Connect takes the list of partitions from memory, and its consumer may be behind.
  await until('the offset', async () => {
    const offsets = await fetch(`${connect.url}/connectors/ours-stopped/offsets`).then((answer) => answer.text())
    return offsets.includes('"position":9007199254740993')
  })
  const status = { state: 'FAILED', trace: 'a\n\tb', workerId: 'other:1', generation: 1000 } as const
  await until('the status', async () => {
    // After a rebalance, as the removal of a connector causes one, Connect's leader deletes statuses of tasks without a configuration.
    await stores.status.putTask('ours-stopped', 0, status)
    const { tasks } = (await rest('GET', '/connectors/ours-stopped/status')).json as ConnectStatus
    return tasks.length === 1 && tasks[0]?.trace === status.trace && tasks[0].worker_id === 'other:1'
  })
  await stores.status.deleteTask('ours-stopped', 0)
  await until('its end', async () => (await states('ours-stopped')) === 'STOPPED')
  await stores.status.deleteTopics('ours')
  await until('no topics', async () => {
    const topics = (await rest('GET', '/connectors/ours/topics')).json as { ours: { topics: string[] } }
    return topics.ours.topics.length === 0
  })
})

test('Connect and our stores write the same things in the same bytes', async () => {
  await rest('POST', '/connectors', { name: 'bytes-1', config: { ...source('bytes-1'), odd: 'ä\u001f"\\ \n' } })
  writeFileSync(file('bytes-1.in'), 'a line\n')
  await until('it runs', async () => (await states('bytes-1')) === 'RUNNING,RUNNING')
  await until('its offset', () => stores.offsets.offsets('bytes-1').length === 1)
  await until('its topic', () => stores.status.topics('bytes-1').length === 1)
  await rest('PUT', '/connectors/bytes-1/pause')
  await until('paused', async () => (await states('bytes-1')) === 'PAUSED,PAUSED')
  await Promise.all([stores.configs.refresh(), stores.offsets.refresh()])
  await until('our store knows', () => stores.status.task('bytes-1', 0)?.state === 'PAUSED')

  const mirror = createStores({
    connection: { brokers, clientId: 'test' },
    log: quietLogger,
    cluster: `${group}-mirror`,
  })
  const { configs, offsets, status } = mirror
  try {
    await Promise.all([configs.start(forever), offsets.start(forever), status.start(forever)])
    const { snapshot } = stores.configs
    await configs.putConnectorConfig('bytes-1', snapshot.config('bytes-1')!, snapshot.targetState('bytes-1'))
    await configs.putTaskConfigs('bytes-1', snapshot.tasks('bytes-1'), 1)
    await configs.putLoggerLevel('org.example', 'DEBUG')
    await offsets.write('bytes-1', stores.offsets.offsets('bytes-1'))
    await status.putConnector('bytes-1', stores.status.connector('bytes-1')!)
    await status.putTask('bytes-1', 0, stores.status.task('bytes-1', 0)!)
    await status.putTopic('bytes-1', 0, stores.status.topics('bytes-1')[0]!)
  } finally {
    await Promise.all([configs.stop(), offsets.stop(), status.stop()])
  }
  const [theirs, ours] = [await latest(group), await latest(`${group}-mirror-connect`)]
  const keys = [
    'configs 0 connector-bytes-1',
    'configs 0 target-state-bytes-1',
    'configs 0 task-bytes-1-0',
    'configs 0 commit-bytes-1',
    'configs 0 logger-cluster-org.example',
  ]
  assert.deepEqual([...ours.keys()].filter((key) => key.startsWith('configs')).sort(), keys.sort())
  assert.equal(ours.size, keys.length + 4)
  for (const [key, value] of ours) assert.equal(value, theirs.get(key), key)
})

/** The last value of each key, as text, by topic, partition and key; without values that must differ. */
async function latest(cluster: string): Promise<Map<string, string>> {
  const values = new Map<string, string>()
  for (const [topic, count] of Object.entries(partitions)) {
    for (let partition = 0; partition < count; partition++) {
      for (const { key, value } of await readPartition(brokers, `${cluster}-${topic}`, partition)) {
        let text = String(value).replace(/"discoverTimestamp":\d+/, '"discoverTimestamp":0')
        // Only our stores write this field, at the end of task and commit values.
        if (topic === 'configs') text = text.replace(/,"generation":\d+}$/, '}')
        values.set(`${topic} ${partition} ${String(key)}`, text)
      }
    }
  }
  return values
}

test('the offset of a partition with several fields has one key, whoever writes it', async () => {
  const partition = { filename: file('ours-stopped.in'), zeta: 1, grpc_server: 'h', grpc_method: 'm', alpha: 2 }
  await stores.offsets.write('ours-stopped', [{ partition, offset: { position: 1 } }])
  const path = '/connectors/ours-stopped/offsets'
  const patched = await rest('PATCH', path, { offsets: [{ partition, offset: { position: 2 } }] })
  assert.equal(patched.status, 200, JSON.stringify(patched.json))
  const found: [string, string][] = []
  for (let n = 0; n < partitions.offsets; n++) {
    for (const { key, value } of await readPartition(brokers, `${group}-offsets`, n)) {
      if (String(key).includes('grpc_server')) found.push([String(key), String(value)])
    }
  }
  const key = found[0]?.[0]
  assert.deepEqual(found, [[key, '{"position":1}'], [key, '{"position":2}']]) // prettier-ignore
})
