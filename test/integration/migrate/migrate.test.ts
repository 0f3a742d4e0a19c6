import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type KafkaConnect, sharedKafka, startKafkaConnect, temporaryFolder } from '@tributary/harness'
import { run } from '../../../apps/cli/src/main.ts'
import type { Moved } from '../../../apps/cli/src/migrate/move.ts'
import type { ConnectorReport } from '../../../apps/cli/src/migrate/report.ts'
import type { Saved } from '../../../apps/cli/src/migrate/saved.ts'
import { clusterProps, startPlane, startWorker } from '../../support/control-plane.ts'
import { startIngest } from '../../support/ingest.ts'
import { jvmWebSocketSource } from '../../support/jvm-plugins.ts'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { send } from '../../support/rest-call.ts'
import { until } from '../../support/until.ts'
import { WsTicker } from '../../support/ws-ticker.ts'

const STRING = 'org.apache.kafka.connect.storage.StringConverter'
const FILE_SOURCE = 'org.apache.kafka.connect.file.FileStreamSourceConnector'

async function call(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await send(url, { method, path, ...(body !== undefined && { body }) })
  assert.ok(answer.status < 400, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

interface Status {
  readonly connector: { readonly state: string }
  readonly tasks: readonly { readonly state: string }[]
}

const statesOf = async (url: string, name: string): Promise<string[]> => {
  const { status, body } = await send(url, { method: 'GET', path: `/connectors/${name}/status` })
  if (status !== 200) return [String(status)]
  const { connector, tasks } = body as Status
  return [connector.state, ...tasks.map(({ state }) => state)]
}

test('connectors of a live Kafka Connect move with their offsets: no line is lost or repeated, and never run both', async (t) => {
  const { brokers } = await sharedKafka()
  const folder = temporaryFolder('migrate')
  const props = clusterProps(brokers)
  const [lines, ticks] = [await createTopic(brokers), await createTopic(brokers)]
  const ticker = await WsTicker.start()
  t.after(() => ticker.stop())
  let old: KafkaConnect | null = null
  t.after(() => old?.stop())
  const [connect, plane] = await Promise.all([
    jvmWebSocketSource().then((path) => startKafkaConnect({ brokers, properties: { 'plugin.path': path } })),
    startPlane(t, props),
    startWorker(t, props),
    startIngest(
      join(folder, 'log'),
      {
        KAFKA_BROKERS: brokers.join(','),
        TRIBUTARY_CLUSTER: props['cluster']!,
        TRIBUTARY_DATA_DIR: join(folder, 'data'),
      },
      'ws-ingest',
    ).then((ingest) => t.after(() => ingest.child.kill())),
  ])
  old = connect
  const file = join(folder, 'lines')
  writeFileSync(file, '')
  const strings = { 'key.converter': STRING, 'value.converter': STRING }
  const make = (name: string, config: object): Promise<unknown> =>
    call(connect.url, 'POST', '/connectors', { name, config })
  await make('lines', { 'connector.class': FILE_SOURCE, file, topic: lines, ...strings })
  await make('feed', {
    ...{ 'connector.class': 'io.conduktor.connect.websocket.WebSocketSourceConnector', 'value.converter': STRING },
    ...ticker.props({ 'kafka.topic': ticks }),
  })
  const sinkFile = join(folder, 'sink')
  await make('sink', { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector', topics: lines, file: sinkFile, ...strings }) // prettier-ignore
  await make('waits', { 'connector.class': FILE_SOURCE, file: join(folder, 'missing'), topic: lines, ...strings })
  for (const name of ['lines', 'feed', 'sink', 'waits'])
    await until(`${name} runs there`, async () => (await statesOf(connect.url, name)).join() === 'RUNNING,RUNNING')
  const classes = async (): Promise<string> => JSON.stringify(await call(plane.url, 'GET', '/connector-plugins'))
  await until('both classes are here', async () => /FileStreamSource/.test(await classes()) && /WebSocketSource/.test(await classes())) // prettier-ignore

  let written = 0
  const writing = setInterval(() => appendFileSync(file, `line ${++written}\n`), 5)
  t.after(() => clearInterval(writing))
  ticker.send(100)
  const values = async (topic: string): Promise<string[]> => (await readPartition(brokers, topic)).map(({ value }) => String(value)) // prettier-ignore
  await until('the old ones deliver', async () => (await values(lines)).length > 100 && (await values(ticks)).length === 100) // prettier-ignore

  const save = join(folder, 'save')
  const migrate = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    const said = { code: -1, out: '', err: '' }
    said.code = await run(['migrate', '--server', plane.url, '--from', connect.url, '--save', save, ...args], {
      stdin: process.stdin,
      stdout: { write: (text: string) => (said.out += text) },
      stderr: { write: (text: string) => (said.err += text) },
      env: { HOME: folder },
      interrupted: t.signal,
    })
    return said
  }
  const reportOf = async (...args: string[]): Promise<Record<string, string>> => {
    const { connectors } = JSON.parse((await migrate('-o', 'json', ...args)).out) as { connectors: ConnectorReport[] }
    return Object.fromEntries(connectors.map(({ name, verdict }) => [name, verdict]))
  }
  assert.deepEqual(await reportOf(), { lines: 'same', feed: 'check', sink: 'missing', waits: 'same' })
  const workerConfig = join(folder, 'connect.properties')
  writeFileSync(workerConfig, `# the old worker\nkey.converter=${STRING}\nvalue.converter=${STRING}\n`)
  assert.equal((await reportOf('--worker-config', workerConfig))['feed'], 'different')
  const text = (await migrate()).out
  assert.match(text, /feed +WebSocketSourceConnector +RUNNING +check first/)
  assert.match(text, /There is no sink connector of the class/)
  assert.deepEqual(await statesOf(connect.url, 'lines'), ['RUNNING', 'RUNNING'])

  const { code, out, err } = await migrate('--apply', '-o', 'json', '--only', 'lines', 'feed', '--worker-config', workerConfig) // prettier-ignore
  const { moved } = JSON.parse(out) as { moved: Moved[] }
  assert.equal(code, 0, out + err)
  assert.deepEqual(
    moved
      .map(({ name, outcome, offsets, left }) => ({ name, outcome, offsets, left }))
      .sort((a, b) => a.name.localeCompare(b.name)),
    ['feed', 'lines'].map((name) => ({ name, outcome: 'moved', offsets: 1, left: 0 })),
  )
  for (const name of ['lines', 'feed']) {
    assert.deepEqual(await statesOf(connect.url, name), ['STOPPED'])
    assert.deepEqual(await statesOf(plane.url, name), ['RUNNING', 'RUNNING'])
    const config = (await call(connect.url, 'GET', `/connectors/${name}/config`)) as object
    const here = await call(plane.url, 'GET', `/connectors/${name}/config`)
    assert.deepEqual(here, { ...config, ...(name === 'feed' && { 'key.converter': STRING }) })
  }
  clearInterval(writing)
  await until('every line is there', async () => (await values(lines)).length >= written)
  const expected = Array.from({ length: written }, (_, i) => `line ${i + 1}`)
  assert.deepEqual(await values(lines), expected)
  assert.equal(readFileSync(file, 'utf8'), expected.map((line) => `${line}\n`).join(''))

  // The feed has no past: its count goes on behind that of the JVM.
  const saved = JSON.parse(readFileSync(join(save, 'feed.json'), 'utf8')) as Saved
  assert.equal(saved.offsets!.old[0]!.offset!['sequence'], 100)
  ticker.send(10)
  await until('the feed goes on', async () => (await values(ticks)).length === 110)
  await until('its count goes on', async () => {
    const { offsets } = (await call(plane.url, 'GET', '/connectors/feed/offsets')) as { offsets: { offset: { sequence: number } }[] } // prettier-ignore
    return offsets.length === 1 && offsets[0]!.offset.sequence === 110
  })
  assert.equal(ticker.connections, 2)

  // Ours fails without its file, where Kafka's waits.
  const back = await migrate('--apply', '-o', 'json', '--only', 'waits')
  const [result] = (JSON.parse(back.out) as { moved: Moved[] }).moved
  assert.deepEqual([back.code, result!.outcome], [1, 'rolled_back'])
  assert.match(result!.error!, /It fails on .*ENOENT/)
  await until('it runs there again', async () => (await statesOf(connect.url, 'waits')).join() === 'RUNNING,RUNNING')
  assert.deepEqual(await statesOf(plane.url, 'waits'), ['404'])
})
