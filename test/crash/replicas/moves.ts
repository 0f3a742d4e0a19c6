import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fleet } from './fleet.ts'
import { long } from '../ingest/rig.ts'
import { longestGaps, summary } from './streams-delivered.ts'

const CONTROL_MS = long ? 10_000 : 3000

/** Each call after a stream's first one began while the one before it was open: nothing passed unread. Answers how many. */
export function assertOverlaps(fleet: Fleet): number {
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

/** Nothing is lost and nothing comes twice, of what each stream gave from its first call on. */
export async function assertSeamless(t: TestContext, fleet: Fleet): Promise<void> {
  const firsts = new Map(fleet.names().map((name) => [name, fleet.source.callsOf(name)[0]!.from]))
  const { delivered: counted } = await fleet.finish()
  const delivered = counted.map((d) => ({ ...d, lost: d.lost - (firsts.get(d.stream)! - 1) }))
  t.diagnostic(summary(delivered))
  for (const { stream, lost, twice, late, inOrder } of delivered) {
    assert.deepEqual({ stream, lost, twice, late, inOrder }, { stream, lost: 0, twice: 0, late: 0, inOrder: true })
  }
}

/** Prints for how long streams were silent, in the topic, between two moments (ms since the epoch). */
export async function tellSilence(t: TestContext, fleet: Fleet, what: string, from: number, to: number): Promise<void> {
  await fleet.caughtUp('what is looked at')
  const items = await fleet.items()
  for (const [delivery, flows] of Map.groupBy(fleet.flows, (flow) => flow.delivery)) {
    const names = flows.map(({ name }) => name)
    const { max, median } = longestGaps(items, names, from, to)
    t.diagnostic(`${what}, ${delivery}: no stream without a record for more than ${max} ms (median ${median} ms)`)
  }
  t.diagnostic(`the source itself paused for at most ${fleet.source.takeLongestPause()} ms`)
}

/** What it is like without a move. */
export async function control(t: TestContext, fleet: Fleet): Promise<void> {
  fleet.source.takeLongestPause()
  const from = Date.now()
  await sleep(CONTROL_MS)
  await tellSilence(t, fleet, 'a control run without a move', from, Date.now())
}

/** Of one replica: two more start, and get their share of its streams with overlap. */
export async function scaleToThree(t: TestContext, fleet: Fleet): Promise<void> {
  const streams = fleet.names().length
  const from = Date.now()
  await Promise.all([fleet.startReplica(), fleet.startReplica()])
  await fleet.balanced('after the start of two more')
  const to = Date.now()
  const moves = assertOverlaps(fleet)
  assert.ok(moves >= Math.floor((streams * 2) / 3), `${moves} moves`)
  t.diagnostic(`${moves} moves of ${streams} streams within ${to - from} ms`)
  await tellSilence(t, fleet, 'from one replica to three', from, to)
}

/** One replica after the other ends gracefully, and is started again. Each hands its streams over with overlap before. */
export async function restartRolling(t: TestContext, fleet: Fleet): Promise<void> {
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
  await tellSilence(t, fleet, 'during the rolling restart', from, to)
}
