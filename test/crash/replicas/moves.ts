import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fleet } from './fleet.ts'
import { long } from '../ingest/rig.ts'
import { longestGaps, summary } from './streams-delivered.ts'

const CONTROL_MS = 10_000

/**
 * Checks that one replica becomes three, and that replicas are restarted in turn, without a lost or repeated message. `start` starts
 * one replica with its streams.
 */
export function testMoves(what: string, start: (t: TestContext) => Promise<Fleet>): void {
  test(`${what}: nothing is lost or delivered twice`, async (t) => {
    const fleet = await start(t)
    await fleet.balanced('after the creation')
    // Only the diagnostics compare with it.
    if (long) await control(t, fleet)
    await t.test('one replica becomes three', (t) => scaleToThree(t, fleet))
    await t.test('a rolling restart: each replica hands its streams over before it ends', (t) =>
      restartRolling(t, fleet),
    )
    fleet.assertHealthy()
    await assertSeamless(t, fleet)
  })
}

/**
 * Checks that each call after a stream's first one began while the call before it was open, so that no number passed
 * unread. Returns the number of moves.
 */
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

/** Checks that no number is lost or delivered twice, from each stream's first call on. */
async function assertSeamless(t: TestContext, fleet: Fleet): Promise<void> {
  const firsts = new Map(fleet.names().map((name) => [name, fleet.source.callsOf(name)[0]!.from]))
  const { delivered: counted } = await fleet.finish()
  const delivered = counted.map((d) => ({ ...d, lost: d.lost - (firsts.get(d.stream)! - 1) }))
  t.diagnostic(summary(delivered))
  for (const { stream, lost, twice, byZombie, inOrder } of delivered) {
    assert.deepEqual(
      { stream, lost, twice, byZombie, inOrder },
      { stream, lost: 0, twice: 0, byZombie: 0, inOrder: true },
    )
  }
}

/** Logs for how long streams had no record in the topic between two moments (ms since the epoch). */
async function logSilence(t: TestContext, fleet: Fleet, what: string, from: number, to: number): Promise<void> {
  await fleet.caughtUp('what is looked at')
  const items = await fleet.items()
  for (const [delivery, flows] of Map.groupBy(fleet.flows, (flow) => flow.delivery)) {
    const names = flows.map(({ name }) => name)
    const { max, median } = longestGaps(items, names, from, to)
    t.diagnostic(`${what}, ${delivery}: no stream without a record for more than ${max} ms (median ${median} ms)`)
  }
  t.diagnostic(`the source itself paused for at most ${fleet.source.takeLongestPause()} ms`)
}

/** Measures the silence of streams without a move. */
async function control(t: TestContext, fleet: Fleet): Promise<void> {
  fleet.source.takeLongestPause()
  const from = Date.now()
  await sleep(CONTROL_MS)
  await logSilence(t, fleet, 'a control run without a move', from, Date.now())
}

/** Starts two replicas beside one, and checks that they get their share of its streams with overlap. */
async function scaleToThree(t: TestContext, fleet: Fleet): Promise<void> {
  const streams = fleet.names().length
  const from = Date.now()
  await Promise.all([fleet.startReplica(), fleet.startReplica()])
  await fleet.balanced('after the start of two more')
  const to = Date.now()
  const moves = assertOverlaps(fleet)
  assert.ok(moves >= Math.floor((streams * 2) / 3), `${moves} moves`)
  t.diagnostic(`${moves} moves of ${streams} streams within ${to - from} ms`)
  await logSilence(t, fleet, 'from one replica to three', from, to)
}

/**
 * Ends and starts one replica after the other gracefully, and checks that each hands its streams over with overlap
 * before it ends.
 */
async function restartRolling(t: TestContext, fleet: Fleet): Promise<void> {
  const from = Date.now()
  for (const replica of fleet.replicas.slice(0, long ? 3 : 2)) {
    const owned = fleet.ownedBy(replica).length
    const stoppedFrom = performance.now()
    await fleet.endReplica(replica, (child) => child.stop(60_000))
    t.diagnostic(`a replica with ${owned} streams ended within ${Math.round(performance.now() - stoppedFrom)} ms`)
    assert.deepEqual(replica.ingest.child.exit, { code: 0, signal: null })
    for (const event of ['task_abandoned', 'drain_failed']) {
      assert.ok(!replica.ingest.log.has(event), `${event}:\n${replica.ingest.log.tail()}`)
    }
    await fleet.allRunning('after the stop')
    await fleet.startReplica()
    await fleet.balanced('after the start')
  }
  const to = Date.now()
  t.diagnostic(`${assertOverlaps(fleet)} moves of ${fleet.names().length} streams`)
  await logSilence(t, fleet, 'during the rolling restart', from, to)
}
