import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test, type TestContext } from 'node:test'
import { createStores, type Stores, troubleOf } from '@tributary/connect-storage'
import { type ProxiedKafka, startProxiedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { createLogger } from '@tributary/telemetry'
import { until } from '../../support/until.ts'

const log = createLogger({ name: 'test', stream: { write: () => true } })
const forever = new AbortController().signal

let kafka: ProxiedKafka
before(async () => {
  // The broker talks to itself, too: it ends transactions.
  kafka = await startProxiedKafka({ 'inter.broker.listener.name': 'DIRECT' })
})
after(() => kafka.stop())

async function started(t: TestContext, cluster: string, brokers: readonly string[]): Promise<Stores> {
  const stores = createStores({ connection: { brokers, clientId: 'test' }, cluster, log })
  const all = [stores.configs, stores.offsets, stores.status, stores.plugins]
  t.after(() => Promise.all(all.map((store) => store.stop())))
  await Promise.all(all.map((store) => store.start(forever)))
  return stores
}

test('a connector that was removed while a process was cut off for a moment stays removed when the topic is deleted', async (t) => {
  const cluster = `cut-${randomUUID()}`
  const topic = `${cluster}-connect-configs`
  const whole = await started(t, cluster, kafka.direct)
  for (const name of ['kept', 'gone']) await whole.configs.putConnectorConfig(name, { name })
  const cut = await started(t, cluster, kafka.brokers)
  const present = (stores: Stores): string[] => stores.configs.snapshot.connectors().toSorted()
  assert.deepEqual(present(cut), ['gone', 'kept'])
  kafka.proxy.freeze()
  await whole.configs.removeConnector('gone')
  const admin = new KafkaAdmin({ brokers: kafka.direct, clientId: 'test' })
  t.after(() => admin.close())
  await admin.deleteTopics([topic])
  await until('the deletion is noticed', () => troubleOf(whole) !== null)
  await until('the topic is back', () => troubleOf(whole) === null)
  kafka.proxy.thaw()
  await until('the process knows of the removal', () => present(cut).join() === 'kept')
  await until('no trouble', () => troubleOf(cut) === null)
  await Promise.all([cut.configs.refresh(), whole.configs.refresh()])
  for (const stores of [whole, cut, await started(t, cluster, kafka.direct)])
    assert.deepEqual(present(stores), ['kept'])
})
