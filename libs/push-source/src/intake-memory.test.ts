import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inFlightCost, MemoryBudget, queuedCost } from '@tributary/connect-api'
import { temporaryFolder } from './spill/testing.ts'
import { createRig, deliverAll, range, type Rig, until } from './testing.ts'

/** Messages of a rig have 4 bytes. */
const MESSAGE = queuedCost(1, 4)
const BUDGET = 400 * MESSAGE

/** Pushes in bursts of ten, as a source at full speed does, until the connection is paused. Returns the next number. */
function pushUntilPaused(rig: Rig, from: number, most: number): number {
  let next = from
  for (; !rig.paused && next < most; next += 10) rig.push(next, next + 10)
  return next
}

describe('intakes of one process', () => {
  test('pause their connections at their shares of the budget, and go on when Kafka has taken messages', async () => {
    const budget = new MemoryBudget(BUDGET)
    const rigs = range(0, 3).map(() => createRig('', 0, 10_000, { overflow: 'pause', memory: budget.share() }))
    const pushed = rigs.map(() => 0)
    while (rigs.some((rig) => !rig.paused)) {
      for (const [i, rig] of rigs.entries()) if (!rig.paused) rig.push(pushed[i]!, (pushed[i]! += 10))
    }
    for (const rig of rigs)
      assert.ok(rig.stats.queueSize >= 100 && rig.stats.queueSize <= 120, `${rig.stats.queueSize}`)
    assert.ok(rigs.every(({ events }) => events.some(({ event }) => event === 'memory_budget_used')))
    const [first, ...others] = rigs
    assert.deepEqual(await deliverAll(first!), range(0, pushed[0]!))
    assert.equal(first!.paused, false)
    await until(() => others.every((rig) => rig.stats.queueSize * 2 * MESSAGE > budget.limit - budget.used))
    for (const [i, rig] of rigs.entries()) if (i > 0) assert.deepEqual(await deliverAll(rig), range(0, pushed[i]!))
    assert.equal(budget.used, 0)
    assert.ok(rigs.every(({ paused }) => !paused))
  })

  test('do not starve: a quiet one is not paused while a loud one has all that it may have', async () => {
    const budget = new MemoryBudget(5 * BUDGET)
    const [loud, quiet] = [1, 2].map(() => createRig('', 0, 10_000, { overflow: 'pause', memory: budget.share() }))
    const next = pushUntilPaused(loud!, 0, 10_000)
    assert.ok(next >= 1000 && next <= 1020, `the loud one has ${next}`)
    for (let i = 0; i < 900; i += 30) {
      quiet!.push(i, i + 30)
      assert.equal(quiet!.paused, false)
      assert.deepEqual(await quiet!.deliver(100), range(i, i + 30))
    }
  })

  test('pause within a read that holds much, as a compressed one does', () => {
    const rig = createRig('', 0, 10_000, { overflow: 'pause', memory: new MemoryBudget(BUDGET).share() })
    for (let i = 0; i < 1000 && !rig.paused; i++) rig.pushOne(i)
    assert.ok(rig.paused, 'before the read is over')
  })

  test('count the records of the last poll until the next one', async () => {
    const memory = new MemoryBudget(BUDGET).share()
    const rig = createRig('', 0, 10_000, { overflow: 'pause', memory })
    rig.push(0, 50)
    await rig.poll(20)
    assert.equal(memory.used, 30 * MESSAGE + inFlightCost(20, 80))
    memory.set('polled', 0)
    await rig.poll(20)
    assert.equal(memory.used, 10 * MESSAGE + inFlightCost(20, 80))
  })

  test('poll fewer messages while memory is short, as records take more than messages', async () => {
    const budget = new MemoryBudget(1024 * 1024)
    const rig = createRig('', 0, 10_000, { overflow: 'pause', memory: budget.share() })
    rig.push(0, 2000)
    assert.equal((await rig.poll(100)).length, 100)
    budget.share().set('inFlight', 2 * budget.limit)
    assert.equal((await rig.poll(100)).length, Math.floor((32 * 1024) / inFlightCost(1, 4)))
  })

  test('drop at this limit if they may', () => {
    const budget = new MemoryBudget(BUDGET)
    const rig = createRig('', 0, 10_000, { overflow: 'drop', memory: budget.share() })
    pushUntilPaused(rig, 0, 1000)
    assert.ok(rig.stats.messagesDropped >= 780, `${rig.stats.messagesDropped} dropped`)
    assert.equal(rig.paused, false)
  })

  test('spill before this limit if they may', async (t) => {
    const budget = new MemoryBudget(BUDGET)
    const rig = createRig(await temporaryFolder(t), 10_000_000, 10_000, { memory: budget.share() })
    await rig.poll()
    rig.push(0, 150)
    await until(() => rig.stats.messagesSpilled === 150)
    await until(() => budget.used === 0)
    assert.equal(rig.paused, false)
    assert.deepEqual(await deliverAll(rig), range(0, 150))
    await rig.intake.close()
  })
})
