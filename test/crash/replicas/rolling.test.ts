import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedKafka } from '@tributary/harness'
import { Fleet } from './fleet.ts'
import { Random } from '../../support/random.ts'
import { long } from '../ingest/rig.ts'
import { summary } from './streams-delivered.ts'

const CONNECTORS = long ? 12 : 6
const LOAD = { rate: 200 }
const KILLS = long ? 20 : 2
const RESTARTS = long ? 3 : 2
/** A kill comes within this time after the last replica's start, or after all tasks ran, in ms. */
const AFTER_START_MS = 4000

async function underLoad(t: TestContext): Promise<Fleet> {
  const fleet = await Fleet.start(t, 3, { brokers: (await sharedKafka()).brokers, sessionMs: 6000 })
  for (let i = 0; i < CONNECTORS; i++) {
    // Some connectors have transactions that stay open over many batches.
    const boundary = { 'transaction.boundary': 'interval', 'transaction.boundary.interval.ms': '500' }
    await fleet.create({ name: `exact-${i}`, delivery: 'exactly-once' }, LOAD, i % 3 === 2 ? boundary : {})
  }
  await fleet.balanced('after the creation')
  return fleet
}

/** Checks that a read_committed consumer sees each number once, in order. */
async function assertExactlyOnce(t: TestContext, fleet: Fleet): Promise<void> {
  const { delivered } = await fleet.finish()
  t.diagnostic(summary(delivered))
  for (const { stream, lost, twice, byZombie, inOrder } of delivered) {
    assert.deepEqual(
      { stream, lost, twice, byZombie, inOrder },
      { stream, lost: 0, twice: 0, byZombie: 0, inOrder: true },
    )
  }
}

test(`a rolling restart of ${RESTARTS} of three replicas under load, exactly once: nothing is lost or delivered twice`, async (t) => {
  const fleet = await underLoad(t)
  for (const replica of fleet.replicas.slice(0, RESTARTS)) {
    const startedAt = performance.now()
    await fleet.endReplica(replica, (child) => child.stop(60_000))
    assert.deepEqual(replica.ingest.child.exit, { code: 0, signal: null })
    assert.ok(!replica.ingest.log.has('task_abandoned'), replica.ingest.log.tail())
    const stoppedAt = performance.now()
    await fleet.allRunning('after the stop')
    const runAt = performance.now()
    await fleet.startReplica()
    await fleet.balanced('after the start')
    const ms = [stoppedAt - startedAt, runAt - stoppedAt, performance.now() - runAt].map(Math.round)
    t.diagnostic(`stopped within ${ms[0]} ms, all run ${ms[1]} ms later, started again and balanced after ${ms[2]} ms`)
  }
  fleet.assertHealthy()
  const calls = fleet.source.calls.length
  t.diagnostic(`${calls} calls of ${CONNECTORS} streams`)
  await assertExactlyOnce(t, fleet)
})

test(`${KILLS} replicas killed at random under load, exactly once: nothing is lost or delivered twice`, async (t) => {
  const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)
  t.diagnostic(`TRIBUTARY_TEST_SEED=${seed}`)
  const random = new Random(seed)
  const fleet = await underLoad(t)
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(random.next() * AFTER_START_MS)
    // Kills a replica with tasks, if there is one: the last replica may just have started.
    const busy = fleet.replicas.filter((replica) => fleet.ownedBy(replica).length > 0)
    const candidates = busy.length > 0 ? busy : fleet.replicas
    const victim = random.pick(candidates)
    const running = fleet.ownedBy(victim).length
    await fleet.endReplica(victim, (child) => child.kill())
    await fleet.startReplica()
    // Every other kill comes while the group still works on the kill before.
    if (kill % 2 === 1) await fleet.allRunning(`after kill ${kill + 1}`)
    t.diagnostic(`kill ${kill + 1}: it ran ${running} tasks`)
  }
  await fleet.allRunning('after the kills')
  fleet.assertHealthy()
  await assertExactlyOnce(t, fleet)
})
