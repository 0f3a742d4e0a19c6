import assert from 'node:assert/strict'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { clusterProps, pluginListed, startPlane, startWorker } from '../../support/control-plane.ts'
import { openEvents } from '../../support/event-stream.ts'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { send } from '../../support/rest-call.ts'
import { until } from '../../support/until.ts'

interface Shown {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: { readonly text: string }
  readonly worker: string
}

test('a tail shows what its connector writes, over a move, a pause and a resume, until the connector is deleted', async (t) => {
  const { brokers } = await sharedKafka()
  const props = clusterProps(brokers)
  const [first, second, plane, topic] = await Promise.all([
    startWorker(t, props),
    startWorker(t, props),
    startPlane(t, props),
    createTopic(brokers),
  ])
  const { url } = plane
  await pluginListed(url)
  const folder = temporaryFolder('tail')
  const put = async (name: string): Promise<string> => {
    const file = join(folder, name)
    writeFileSync(file, '')
    const config = { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector', file, topic }
    await send(url, { method: 'PUT', path: `/connectors/${name}/config`, body: config })
    return file
  }
  const [file, other] = [await put('shown'), await put('other')]
  const states = async (): Promise<{ state: string; worker_id: string }[]> => {
    const { body } = await send(url, { method: 'GET', path: '/connectors/shown/status' })
    const { connector, tasks = [] } = body as { connector?: { state: string }; tasks?: { state: string }[] }
    return [connector, ...tasks] as { state: string; worker_id: string }[]
  }
  const are = (state: string) =>
    until(`all is ${state}`, async () => {
      const all = await states()
      return all.length === 2 && all.every((one) => one?.state === state)
    })
  await are('RUNNING')

  const events = await openEvents(t, `${url}/connectors/shown/tail?rate=1000`)
  const records = (): Shown[] => events.of<Shown>('record')
  await until('the tail looks', () => events.of('task').length === 1)
  let lines = 0
  const write = async (count: number): Promise<void> => {
    appendFileSync(other, 'of another connector\n')
    appendFileSync(file, Array.from({ length: count }, () => `line ${++lines}\n`).join(''))
    await until('all are shown', () => records().length === lines)
  }
  await write(10)
  const before = records()[0]!.worker
  await [first, second].find(({ address }) => address === before)!.stop()
  await are('RUNNING')
  await write(10)
  await send(url, { method: 'PUT', path: '/connectors/shown/pause' })
  await are('PAUSED')
  await until('the pause is told', () =>
    events.of<{ message: string }>('status').at(-1)!.message.startsWith('The connector is paused'),
  )
  await send(url, { method: 'PUT', path: '/connectors/shown/resume' })
  await are('RUNNING')
  await write(10)

  assert.equal(new Set(records().map(({ worker }) => worker)).size, 2)
  assert.deepEqual(
    records().map(({ value }) => value.text),
    Array.from({ length: 30 }, (_, i) => `line ${i + 1}`),
  )
  const written = await readPartition(brokers, topic)
  for (const { offset, value } of records()) {
    assert.equal(String(written.find((one) => Number(one.offset) === offset)?.value), value.text)
  }
  await send(url, { method: 'DELETE', path: '/connectors/shown' })
  await until('the tail ends', () => events.ended)
  assert.equal((events.all.at(-1)!.data as { reason: string }).reason, 'deleted')
})
