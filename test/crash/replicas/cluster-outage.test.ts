import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startKafka } from '@tributary/harness'
import { samplePeakRss } from '../../bench/process-usage.ts'
import { Fleet, type Flow } from './fleet.ts'
import { long } from '../ingest/rig.ts'
import { summary } from './streams-delivered.ts'

const OUTAGE_MS = long ? 60_000 : 10_000
const LOAD = { rate: 500, payloadBytes: 500 }
const SESSION_MS = 6000
const READ_EACH_MS = 500
const READS = ['/', '/connectors?expand=status&expand=info', '/connectors/exactly-once-1/status', '/cluster']
const MIB = 1024 * 1024
/**
 * Queues and records in flight take at most some MiB a task; the rest of the growth is garbage that was not collected
 * yet.
 */
const MAX_GROWTH = 256 * MIB

const mib = (bytes: number): number => Math.round(bytes / MIB)
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

test(`Kafka is killed under load and away for ${seconds(OUTAGE_MS)}: control plane and replicas continue by themselves`, async (t) => {
  const broker = await startKafka()
  t.after(() => broker.stop())
  const fleet = await Fleet.start(t, 3, { brokers: broker.brokers, sessionMs: SESSION_MS })
  const deliveries = ['at-least-once', 'exactly-once'] as const
  const flows = deliveries.flatMap((delivery) => [1, 2, 3].map((n): Flow => ({ name: `${delivery}-${n}`, delivery })))
  for (const flow of flows) await fleet.create(flow, LOAD)
  await fleet.balanced('after the creation')
  await fleet.caughtUp('before the outage')

  const children = [fleet.plane!.child, ...fleet.replicas.map(({ ingest }) => ingest.child)]
  const before = children.map(({ pid }) => samplePeakRss(pid).stop())
  const sampled = children.map(({ pid }) => samplePeakRss(pid))
  const owners = fleet.names().map((name) => fleet.owner(name))
  await broker.kill()
  const killedAt = performance.now()

  const creation = fleet.create({ name: 'created-in-outage', delivery: 'at-least-once' }, LOAD)
  const writes = [fleet.rest('PUT', '/connectors/at-least-once-1/pause'), creation].map(async (answer) => {
    const { status, body } = await answer
    return { status, body, seconds: seconds(performance.now() - killedAt) }
  })
  const reads: { readonly path: string; readonly status: number; readonly ms: number }[] = []
  while (performance.now() - killedAt < OUTAGE_MS) {
    for (const path of READS) {
      const askedAt = performance.now()
      const { status } = await fleet.rest('GET', path)
      reads.push({ path, status, ms: Math.round(performance.now() - askedAt) })
    }
    await sleep(READ_EACH_MS)
  }
  const blocked = fleet.names().filter((name) => fleet.source.blocked(name))
  const waitingRss = children.map(({ pid }) => samplePeakRss(pid).stop())
  await broker.start()
  const answersAt = performance.now()
  t.diagnostic(`${reads.length} reads in the outage, at most ${Math.max(...reads.map(({ ms }) => ms))} ms each`)
  assert.deepEqual(
    reads.filter(({ status }) => status !== 200),
    [],
  )
  const [paused, created] = await Promise.all(writes)
  t.diagnostic(
    `a pause: ${paused!.status} after ${paused!.seconds}, a create: ${created!.status} after ${created!.seconds}`,
  )
  // A write waits, or the answer says that it was not made.
  if (paused!.status !== 202) assertCleanError(paused!)
  if (created!.status !== 201) {
    assertCleanError(created!)
    await fleet.rest(
      'PUT',
      '/connectors/created-in-outage/config',
      fleet.config({ name: 'created-in-outage', delivery: 'at-least-once' }),
    )
  }
  await fleet.rest('PUT', '/connectors/at-least-once-1/resume')
  await fleet.allRunning('after the outage')
  t.diagnostic(`all run ${seconds(performance.now() - answersAt)} after Kafka's first answer`)
  await fleet.caughtUp('after the outage')
  t.diagnostic(`all caught up after ${seconds(performance.now() - answersAt)}`)
  t.diagnostic(`sources that waited at the end of the outage: ${blocked.length} of ${flows.length}`)
  const { delivered } = await fleet.finish()
  t.diagnostic(summary(delivered))
  for (const { stream, lost, twice, byZombie, inOrder } of delivered) {
    assert.deepEqual(
      { stream, lost, twice, byZombie, inOrder },
      { stream, lost: 0, twice: 0, byZombie: 0, inOrder: true },
    )
  }
  const counts = Object.fromEntries(fleet.callCounts())
  assert.deepEqual(
    counts,
    Object.fromEntries(fleet.names().map((name) => [name, 1])),
    'connections and queues are kept',
  )
  assert.deepEqual(
    flows.map(({ name }) => fleet.owner(name)),
    owners,
    'nothing has moved',
  )
  const peaks = sampled.map((s) => s.stop())
  const names = ['control plane', ...fleet.replicas.map((_, i) => `replica ${i + 1}`)]
  names.forEach((name, i) => {
    const rss = [before[i]!, waitingRss[i]!, peaks[i]!].map(mib)
    t.diagnostic(`RSS of ${name} in MiB: ${rss[0]} before, ${rss[1]} at the end of the outage, ${rss[2]} at most`)
    assert.ok(peaks[i]! - before[i]! < MAX_GROWTH, name)
  })
  fleet.assertHealthy()
})

function assertCleanError({ status, body }: { readonly status: number; readonly body: unknown }): void {
  assert.ok(status >= 500, String(status))
  assert.deepEqual(Object.keys(body as object), ['error_code', 'message'])
}
