import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedKafka } from '@tributary/harness'
import { Fleet } from './fleet.ts'
import { long } from './rig.ts'
import { longestGaps, summary } from './streams-delivered.ts'

const STREAMS = long ? 24 : 8
const RATE = 200
const CONTROL_MS = long ? 10_000 : 3000

/** Streams of which nothing can be read again beside ones that give what they are asked for, with and without transactions. */
async function streaming(t: TestContext, replicas: number): Promise<Fleet> {
  const fleet = await Fleet.start(t, replicas, { brokers: (await sharedKafka()).brokers, sessionMs: 6000 })
  for (let i = 0; i < STREAMS; i++) {
    const live = i % 2 === 0
    const delivery = i % 4 < 2 ? 'at-least-once' : 'exactly-once'
    await fleet.create({ name: `${live ? 'live' : 'log'}-${delivery}-${i}`, delivery }, { rate: RATE, live })
  }
  await fleet.balanced('after the creation')
  // What came into being before the first call of a live stream is nobody's loss.
  await fleet.caughtUp('before the moves')
  return fleet
}

/** Each call after a stream's first one began while the one before it was open: nothing passed unread. Answers how many. */
function assertOverlaps(fleet: Fleet): number {
  let moves = 0
  for (const name of fleet.names()) {
    const calls = fleet.source.callsOf(name)
    for (const [i, call] of calls.slice(1).entries()) {
      moves++
      assert.ok(call.openedAt < calls[i]!.closedAt, `call ${i + 2} of ${name} came after the end of the one before`)
    }
    assert.equal(calls.filter(({ open }) => open).length, 1, `${name} is read by one task`)
  }
  return moves
}

/** Nothing is lost and nothing comes twice, with exactly once or without, from what each stream gave at first. */
async function assertSeamless(t: TestContext, fleet: Fleet): Promise<void> {
  const firsts = new Map(fleet.names().map((name) => [name, fleet.source.callsOf(name)[0]!.from]))
  const { delivered } = await fleet.finish()
  t.diagnostic(summary(delivered))
  for (const { stream, lost, twice, late, inOrder } of delivered) {
    const missedAtFirst = firsts.get(stream)! - 1
    const expected = { stream, lost: missedAtFirst, twice: 0, late: 0, inOrder: true }
    assert.deepEqual({ stream, lost, twice, late, inOrder }, expected)
  }
}

/** Prints for how long streams were silent, in the topic, between two moments. */
async function tellSilence(t: TestContext, fleet: Fleet, what: string, from: number, to: number): Promise<void> {
  await fleet.caughtUp('what is looked at')
  const items = await fleet.items()
  for (const delivery of ['at-least-once', 'exactly-once']) {
    const names = fleet.names().filter((name) => name.includes(delivery))
    const { max, median } = longestGaps(items, names, from, to)
    t.diagnostic(`${what}, ${delivery}: no stream without a record for more than ${max} ms (median ${median} ms)`)
  }
}

async function control(t: TestContext, fleet: Fleet): Promise<void> {
  const from = Date.now()
  await sleep(CONTROL_MS)
  await tellSilence(t, fleet, 'a control run without a move', from, Date.now())
  fleet.source.takeLongestPause()
}

test('one replica becomes three: streams move with overlap, nothing is lost, nothing comes twice', async (t) => {
  const fleet = await streaming(t, 1)
  await control(t, fleet)
  const from = Date.now()
  await Promise.all([fleet.startReplica(), fleet.startReplica()])
  await fleet.balanced('after the start of two more')
  const to = Date.now()
  const moves = assertOverlaps(fleet)
  assert.ok(moves >= Math.floor((STREAMS * 2) / 3), `${moves} moves`)
  t.diagnostic(`${moves} moves of ${STREAMS} streams within ${to - from} ms`)
  await tellSilence(t, fleet, 'from one replica to three', from, to)
  t.diagnostic(`the source itself paused for at most ${fleet.source.takeLongestPause()} ms`)
  fleet.assertHealthy()
  await assertSeamless(t, fleet)
})

test('a rolling restart of three replicas: each hands its streams over before it ends', async (t) => {
  const fleet = await streaming(t, 3)
  await control(t, fleet)
  const from = Date.now()
  for (const replica of [...fleet.replicas]) {
    const owned = fleet.ownedBy(replica).length
    const stoppedFrom = performance.now()
    await fleet.endReplica(replica, (child) => child.stop(60_000))
    const stopMs = Math.round(performance.now() - stoppedFrom)
    assert.deepEqual(replica.ingest.child.exit, { code: 0, signal: null })
    for (const event of ['task_abandoned', 'drain_failed']) {
      assert.ok(!replica.ingest.log.has(event), `${event}:\n${replica.ingest.log.tail()}`)
    }
    await fleet.allRunning('after the stop')
    await fleet.startReplica()
    await fleet.balanced('after the start')
    t.diagnostic(`a replica with ${owned} streams ended within ${stopMs} ms`)
  }
  const to = Date.now()
  t.diagnostic(`${assertOverlaps(fleet)} moves of ${STREAMS} streams`)
  await tellSilence(t, fleet, 'during the rolling restart', from, to)
  t.diagnostic(`the source itself paused for at most ${fleet.source.takeLongestPause()} ms`)
  fleet.assertHealthy()
  await assertSeamless(t, fleet)
})
