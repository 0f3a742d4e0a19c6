import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { type Answer, send } from '../../support/rest-call.ts'
import { clusterProps, pluginListed, startPlane, startWorker } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()

const get = (url: string, path: string): Promise<Answer> => send(url, { method: 'GET', path })
const put = (url: string, path: string, body?: unknown): Promise<Answer> =>
  send(url, { method: 'PUT', path, ...(body === undefined ? {} : { body }) })

/** A config that reads a file of three lines. */
async function fileConfig(): Promise<{ 'connector.class': string; topic: string; file: string }> {
  const file = join(temporaryFolder('lines'), 'lines.txt')
  await writeFile(file, 'one\ntwo\nthree\n')
  return { 'connector.class': 'FileStreamSource', topic: `t-${randomUUID()}`, file }
}

async function taskState(url: string, connector: string): Promise<string | undefined> {
  const { body } = await get(url, `/connectors/${connector}/status`)
  return (body as { tasks?: { state: string }[] }).tasks?.[0]?.state
}

async function committed(url: string, connector: string): Promise<number | undefined> {
  const { body } = await get(url, `/connectors/${connector}/offsets`)
  return (body as { offsets: { offset: { position: number } }[] }).offsets[0]?.offset.position
}

test('tasks continue while the control plane is away, and the next control plane shows the old state and the new offsets', async (t) => {
  const props = clusterProps(brokers)
  await startWorker(t, props)
  const first = await startPlane(t, props)
  await pluginListed(first.url)
  const config = await fileConfig()
  assert.equal((await put(first.url, '/connectors/c/config', config)).status, 201)
  await until('three lines are committed', async () => (await committed(first.url, 'c')) === 14)
  await until('the task runs', async () => (await taskState(first.url, 'c')) === 'RUNNING')
  const before = await get(first.url, '/connectors?expand=info&expand=status')
  await first.stop()

  await appendFile(config.file, 'four\n')
  const second = await startPlane(t, props)
  assert.deepEqual((await get(second.url, '/connectors?expand=info&expand=status')).body, before.body)
  await until('the fourth line is committed', async () => (await committed(second.url, 'c')) === 19)
})

test('one control plane shows what another one writes', async (t) => {
  const props = clusterProps(brokers)
  await startWorker(t, props)
  const [one, other] = [await startPlane(t, props), await startPlane(t, props)]
  await pluginListed(one.url)
  await put(one.url, '/connectors/c/config', await fileConfig())
  await until('the task runs', async () => (await taskState(other.url, 'c')) === 'RUNNING')
  assert.equal((await put(other.url, '/connectors/c/stop')).status, 204)
  await until('the tasks are gone', async () => (await get(one.url, '/connectors/c/tasks/0/status')).status === 404)
  await until('none is listed', async () => ((await get(one.url, '/connectors/c/tasks')).body as []).length === 0)
})

test('health shows the state of the tasks, and the cluster shows their workers', async (t) => {
  const props = clusterProps(brokers)
  const worker = await startWorker(t, props)
  const { url } = await startPlane(t, props)
  await pluginListed(url)
  await put(url, '/connectors/c/config', await fileConfig())
  const health = await until('three records are counted', async () => {
    const { body } = await get(url, '/connectors/c/health')
    return (body as { records_total?: number }).records_total === 3 ? (body as Record<string, unknown>) : null
  })
  await until('the task runs', async () => (await taskState(url, 'c')) === 'RUNNING')
  assert.deepEqual(
    [health['state'], health['connected'], health['stalled'], health['lag'], typeof health['reason']],
    ['RUNNING', true, false, 0, 'string'],
  )
  const cluster = (await get(url, '/cluster')).body as {
    services: { name: string; workers: string[] }[]
    tasks: number
  }
  const { body: status } = await get(url, '/connectors/c/tasks/0/status')
  assert.equal(cluster.tasks, 1)
  assert.deepEqual(
    cluster.services.map(({ name, workers }) => [name, workers]),
    [['file-ingest', [(status as { worker_id: string }).worker_id]]],
  )

  await worker.stop()
  const silent = (await get(url, '/connectors/c/health')).body as { reason: string }
  assert.match(silent.reason, /^The worker \S+ does not answer\.$/)
})

test('a connector that is deleted while no worker runs leaves no status behind', async (t) => {
  const props = clusterProps(brokers)
  const worker = await startWorker(t, props)
  const { url } = await startPlane(t, props)
  await pluginListed(url)
  await put(url, '/connectors/c/config', await fileConfig())
  await until('the task runs', async () => (await taskState(url, 'c')) === 'RUNNING')
  await worker.stop()
  assert.equal((await get(url, '/connectors/c/status')).status, 200)
  assert.equal((await send(url, { method: 'DELETE', path: '/connectors/c' })).status, 204)
  await until('the status is gone', async () => (await get(url, '/connectors/c/status')).status === 404)
  await until('the task is gone', async () => (await get(url, '/connectors/c/tasks/0/status')).status === 404)
})

test('a worker resolves references and checks their values', async (t) => {
  const props = clusterProps(brokers)
  await startWorker(t, props)
  const { url } = await startPlane(t, props)
  await pluginListed(url)
  const secrets = join(temporaryFolder('secrets'), 'secrets.properties')
  await writeFile(secrets, 'good=12\nbad=x\n')
  const config = await fileConfig()
  const refused = await put(url, '/connectors/c/config', { ...config, 'batch.size': `\${file:${secrets}:bad}` })
  assert.equal(refused.status, 400)
  assert.match(JSON.stringify(refused.body), /configuration batch\.size: Not a number of type INT/)
  const accepted = { ...config, 'batch.size': `\${file:${secrets}:good}` }
  assert.equal((await put(url, '/connectors/c/config', accepted)).status, 201)
  assert.deepEqual((await get(url, '/connectors/c/config')).body, { ...accepted, name: 'c' })
  await until('the task runs', async () => (await taskState(url, 'c')) === 'RUNNING')
})

test('the error for a body or a request line that is too large has the form of every other error', async (t) => {
  const props = clusterProps(brokers)
  await startWorker(t, props)
  const { url } = await startPlane(t, props)
  await pluginListed(url)
  const config = await fileConfig()
  const refused = await put(url, '/connectors/c/config', { ...config, note: 'x'.repeat(1_200_000) })
  assert.equal(refused.status, 400)
  assert.match((refused.body as { message: string }).message, /above the topic's max\.message\.bytes/)
  assert.equal((await put(url, '/connectors/c/config', config)).status, 201)
  const line = await get(url, `/connectors/${'x'.repeat(20_000)}`)
  assert.deepEqual(
    [line.status, line.body],
    [431, { error_code: 431, message: 'HTTP 431 Request Header Fields Too Large' }],
  )
})

test('when two replicas get POSTs of one name at the same time, one POST creates the connector', async (t) => {
  const props = clusterProps(brokers)
  await startWorker(t, props)
  const [one, other] = [await startPlane(t, props), await startPlane(t, props)]
  await pluginListed(one.url)
  await pluginListed(other.url)
  const body = { name: 'c', config: await fileConfig() }
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => send((i % 2 ? one : other).url, { method: 'POST', path: '/connectors', body })),
  )
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array.from({ length: 7 }, () => 409)])
  for (const { status, body: refused } of answers) {
    if (status === 409) assert.deepEqual(refused, { error_code: 409, message: 'Connector c already exists' })
  }
})
