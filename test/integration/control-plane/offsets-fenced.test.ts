import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { createStores, taskTransactionalId } from '@tributary/connect-storage'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { createProducer } from '@tributary/kafka-producer'
import { createLogger } from '@tributary/telemetry'
import { type Answer, send } from '../../support/rest-call.ts'
import { clusterProps, pluginListed, startPlane, startWorker } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const log = createLogger({ name: 'test', stream: { write: () => true } })

test('a zombie task with an open transaction is fenced, and its offsets do not count', async (t) => {
  const props = clusterProps(brokers)
  const cluster = props['cluster']!
  await startWorker(t, props)
  const { url } = await startPlane(t, props)
  await pluginListed(url)
  const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    send(url, { method, path: `/connectors/c${path}`, ...(body === undefined ? {} : { body }) })
  const file = join(temporaryFolder('lines'), 'lines.txt')
  await writeFile(file, 'one\ntwo\n')
  await call('PUT', '/config', { 'connector.class': 'FileStreamSource', topic: `t-${randomUUID()}`, file })
  await until('both lines are committed', async () =>
    JSON.stringify((await call('GET', '/offsets')).body).includes(':8}'),
  )
  assert.equal((await call('PUT', '/stop')).status, 204)

  const connection = { brokers, clientId: 'zombie-task' }
  const { offsets } = createStores({ connection, log, cluster })
  t.after(() => offsets.stop())
  await offsets.start(t.signal)
  const transactionalId = taskTransactionalId(`${cluster}-file-ingest`, 'c', 0)
  const zombie = createProducer(connection, { driver: 'tributary', transactionalId })
  t.after(() => zombie.close())
  await zombie.start(t.signal)
  zombie.beginTransaction()
  const partition = { filename: file }
  const timestamp = Date.now()
  const records = offsets.encode('c', [{ partition, offset: { position: 6 } }])
  const kept = await zombie.send(
    records.map((record) => ({ ...record, timestamp })),
    t.signal,
  )
  assert.deepEqual(kept.failures, [])

  const altered = await call('PATCH', '/offsets', { offsets: [{ partition, offset: { position: 4 } }] })
  assert.equal(altered.status, 200, JSON.stringify(altered.body))
  await assert.rejects(zombie.commitTransaction(t.signal), { code: 'PRODUCER_FENCED' })
  assert.deepEqual((await call('GET', '/offsets')).body, { offsets: [{ partition, offset: { position: 4 } }] })
})
