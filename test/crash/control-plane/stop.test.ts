import assert from 'node:assert/strict'
import test from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { type Answer, send } from '../../support/rest-call.ts'
import { until } from '../../support/until.ts'
import { ConfigWriter } from './config-writer.ts'
import { startReplicas } from './processes.ts'

const { brokers } = await sharedKafka()
const CLEAN = { code: 0, signal: null }

test('after SIGTERM the answers to writes under way are true', async (t) => {
  const { all } = await startReplicas(t, brokers, 1)
  const replica = all[0]!
  const create = (name: string): Promise<Answer> =>
    send(replica.url, {
      method: 'POST',
      path: '/connectors',
      body: { name, config: { 'connector.class': 'FileStreamSource', topic: 't' } },
    })
  assert.equal((await create('first')).status, 201)
  const writes = Promise.all(Array.from({ length: 50 }, (_, i) => create(`c${i}`)))
  await until('one of them is written', async () => {
    const { body } = await send(replica.url, { method: 'GET', path: '/connectors' })
    return (body as string[]).length > 1
  })
  assert.deepEqual(await replica.stop(), CLEAN)
  for (const { status, body } of await writes) assert.equal(status, 201, JSON.stringify(body))
  await replica.start()
  const { body } = await send(replica.url, { method: 'GET', path: '/connectors' })
  assert.equal((body as string[]).length, 51)
})

test('no write is refused during a rolling restart of all replicas under load', async (t) => {
  const { all, leader } = await startReplicas(t, brokers, 3)
  await leader()
  const clients = Array.from({ length: 5 }, () => new ConfigWriter(all))
  const stopping = new AbortController()
  const load = Promise.all(clients.map((client) => client.run(stopping.signal)))
  const acknowledged = (): number =>
    clients.flatMap(({ writes }) => writes).filter((w) => w.outcome === 'acknowledged').length
  for (let restarts = 0; restarts < 3; restarts++) {
    const before = acknowledged()
    await until('writes are made', () => acknowledged() > before + 20)
    const next = await leader()
    assert.deepEqual(await next.stop(), CLEAN)
    await next.start()
  }
  stopping.abort()
  await load
  const writes = clients.flatMap((client) => client.writes)
  t.diagnostic(`acknowledged=${acknowledged()}, all=${writes.length}`)
  const failed = writes.filter(({ outcome, fault }) => outcome === 'refused' || fault !== undefined)
  assert.deepEqual(failed, [])
})
