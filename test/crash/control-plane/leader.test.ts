import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedKafka } from '@tributary/harness'
import { readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { ConfigWriter, type Write } from './config-writer.ts'
import { type ReplicaProcess, startReplicas } from './processes.ts'
import { long } from '../ingest/rig.ts'

const CLIENTS = 10
const KILLS = long ? 12 : 3
const WRITES = long ? 1000 : 100

/** How often a read_committed reader finds each value, and each connector's deletion, in the config topic. */
async function countKept(brokers: readonly string[], topic: string): Promise<Map<string, number>> {
  const kept = new Map<string, number>()
  for (const { key, value } of await readPartition(brokers, topic, 0, { committed: true })) {
    const connector = /^connector-(.*)$/.exec(key?.toString() ?? '')?.[1]
    if (connector === undefined) continue
    const { properties } = value ? (JSON.parse(value.toString()) as { properties: { value: string } }) : {}
    const written = properties?.value ?? `deletion of ${connector}`
    kept.set(written, (kept.get(written) ?? 0) + 1)
  }
  return kept
}

/** The text that identifies a write when the topic is read. */
const trace = ({ value, connector }: Write): string => value ?? `deletion of ${connector}`

async function assertReadEverywhere(replicas: readonly ReplicaProcess[], writes: readonly Write[]): Promise<void> {
  const last = new Map(writes.map((write) => [write.connector, write]))
  const settled = [...last.values()].filter(({ outcome }) => outcome === 'acknowledged')
  for (const { url } of replicas) {
    for (const { connector, value } of settled) {
      const response = await fetch(`${url}/connectors/${connector}/config`)
      const config = (await response.json()) as { value?: string }
      assert.equal(response.status, value === null ? 404 : 200, connector)
      if (value !== null) assert.equal(config.value, value, connector)
    }
  }
}

const CAUSES: Readonly<Record<Write['method'], string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Each write that is in the config topic is one version, in their order; a write of unknown outcome is both or neither. */
async function assertHistory({ url }: ReplicaProcess, kept: readonly Write[]): Promise<void> {
  for (const [connector, writes] of Map.groupBy(kept, (write) => write.connector)) {
    const response = await fetch(`${url}/connectors/${connector}/config/history?limit=1000`)
    const { versions } = (await response.json()) as { versions: { version: number; cause: string }[] }
    const wanted = writes.map(({ method }, i) => [i + 1, CAUSES[method]])
    assert.deepEqual(versions.toReversed().map(({ version, cause }) => [version, cause]), wanted, connector) // prettier-ignore
  }
}

test(`the leader is killed ${KILLS} times during ${WRITES} config writes: each acknowledged write is in the topic once`, async (t) => {
  const { brokers } = await sharedKafka()
  const { all, leader, configTopic } = await startReplicas(t, brokers, 3)
  const clients = Array.from({ length: CLIENTS }, () => new ConfigWriter(all))
  const written = (): Write[] => clients.flatMap(({ writes }) => writes)
  const acknowledged = (): Write[] => written().filter(({ outcome }) => outcome === 'acknowledged')
  const stopping = new AbortController()
  const load = Promise.all(clients.map((client) => client.run(stopping.signal)))
  const pauses: number[] = []
  for (let kill = 1; kill <= KILLS; kill++) {
    const victim = await leader()
    const before = acknowledged().length
    await until('writes are made', () => acknowledged().length > before + (WRITES / KILLS) * 0.5)
    await sleep(Math.random() * 200)
    const killedAt = performance.now()
    await victim.kill()
    const next = await until('a write is accepted', () => acknowledged().find(({ sentAt }) => sentAt > killedAt))
    pauses.push(Math.round(next.answeredAt - killedAt))
    await victim.start()
  }
  await until('all writes are made', () => acknowledged().length >= WRITES)
  await leader()
  stopping.abort()
  await load

  const writes = written()
  const count = (outcome: Write['outcome']): number => writes.filter((write) => write.outcome === outcome).length
  const counts = (['acknowledged', 'refused', 'cut'] as const).map((outcome) => `${outcome}=${count(outcome)}`)
  t.diagnostic(`${counts.join(', ')}; ms from each kill to the next accepted write: ${pauses.join(', ')}`)
  assert.deepEqual(
    writes.flatMap(({ method, fault }) => (fault === undefined ? [] : [`${method}: ${fault}`])),
    [],
    'only clean errors, and connections that break where the replica was killed',
  )
  const kept = await countKept(brokers, configTopic)
  for (const write of writes) {
    const times = kept.get(trace(write)) ?? 0
    if (write.outcome === 'acknowledged') assert.equal(times, 1, `acknowledged ${write.method} of ${write.connector}`)
    else assert.ok(times <= 1, `${write.method} of ${write.connector} was made ${times} times`)
  }
  assert.equal(kept.size, [...kept.keys()].filter((value) => writes.some((write) => trace(write) === value)).length)
  await assertReadEverywhere(all, writes)
  for (const replica of all) await assertHistory(replica, writes.filter((write) => kept.has(trace(write)))) // prettier-ignore
})
