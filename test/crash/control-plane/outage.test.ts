import assert from 'node:assert/strict'
import test from 'node:test'
import { startKafka } from '@tributary/harness'
import { type Answer, send } from '../../support/rest-call.ts'
import { until } from '../../support/until.ts'
import { type ReplicaProcess, startReplicas } from './processes.ts'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'

const put = ({ url }: ReplicaProcess, name: string): Promise<Answer> =>
  send(url, {
    method: 'PUT',
    path: `/connectors/${name}/config`,
    body: { 'connector.class': 'FileStreamSource', topic: 't' },
  })

test('while Kafka is away reads are answered and writes end with a clean error; afterwards all replicas work again by themselves', async (t) => {
  const broker = await startKafka({ properties: SHORT_SESSIONS })
  t.after(() => broker.stop())
  const env = { TRIBUTARY_SESSION_TIMEOUT_MS: '4000', TRIBUTARY_REST_REQUEST_TIMEOUT_MS: '6000' }
  const { all, leader } = await startReplicas(t, broker.brokers, 2, env)
  const first = await leader()
  assert.equal((await put(first, 'before')).status, 201)

  for (const { url } of all) {
    const shown = async (): Promise<boolean> =>
      (await send(url, { method: 'GET', path: '/connectors/before' })).status === 200
    await until(`${url} shows it`, shown)
  }

  await broker.kill()
  const meanwhile = await Promise.all(all.map((replica, i) => put(replica, `meanwhile${i}`)))
  for (const { status, body } of meanwhile) {
    assert.ok(status === 500 || status === 503, JSON.stringify(body))
    assert.equal((body as { error_code: number }).error_code, status)
  }
  for (const { url } of all) {
    assert.equal((await send(url, { method: 'GET', path: '/connectors/before' })).status, 200)
    assert.equal((await send(url, { method: 'GET', path: '/health' })).status, 500)
  }

  await broker.start()
  for (const [i, replica] of all.entries()) {
    await until(`${replica.url} takes writes`, async () => (await put(replica, `after${i}`)).status < 300, 60_000)
  }
  for (const { url } of all) {
    await until(`${url} shows them`, async () => {
      const { body } = await send(url, { method: 'GET', path: '/connectors' })
      return ['before', 'after0', 'after1'].every((name) => (body as string[]).includes(name))
    })
  }
})
