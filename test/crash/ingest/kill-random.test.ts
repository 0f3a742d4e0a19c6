import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { consoleConsume, startKafka } from '@tributary/harness'
import { numbersIn } from '../../support/delivered.ts'
import type { Ingest } from '../../support/ingest.ts'
import { loggedProgress } from './logged-progress.ts'
import { Random } from '../../support/random.ts'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'
import { type Flow, long, Rig } from './rig.ts'

const KILLS = long ? 30 : 4
/** A kill comes within this time after the start of the process, or after both streams have started, in ms. */
const AFTER_START_MS = 3000
const AFTER_STREAMING_MS = 800

/**
 * Kills the process in its start or under load. Returns for each connector how many records were sent and not logged as
 * committed.
 */
async function killSomewhere(ingest: Ingest, flows: readonly Flow[], kill: number, random: Random, t: TestContext) {
  if (kill % 2 === 0) {
    await sleep(random.next() * AFTER_START_MS)
  } else {
    for (const flow of flows) await ingest.logged('batch_acknowledged', flow.name)
    await sleep(random.next() * AFTER_STREAMING_MS)
  }
  await ingest.child.kill()
  return flows.map(({ name }) => {
    const progress = loggedProgress(ingest.log, name)
    t.diagnostic(`kill ${kill + 1}, ${name} ${progress.window}: ${JSON.stringify(progress)}`)
    return progress.sent - progress.committed
  })
}

test(`${KILLS} kills at random under load: nothing is lost, and with exactly-once nothing is delivered twice`, async (t) => {
  const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)
  t.diagnostic(`TRIBUTARY_TEST_SEED=${seed}`)
  const random = new Random(seed)
  const broker = await startKafka({ properties: SHORT_SESSIONS })
  t.after(() => broker.stop())
  const rig = await Rig.create(t, { brokers: broker.brokers, shortSessions: true })
  const plain = await rig.flow('at-least-once', { rate: 2000 })
  const exact = await rig.flow('exactly-once', { rate: 2000 })
  let mayComeTwice = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const [uncommitted] = await killSomewhere(await rig.start(), [plain, exact], kill, random, t)
    mayComeTwice += uncommitted!
  }
  await rig.start()
  const once = await rig.finish(plain)
  const exactly = await rig.finish(exact)
  t.diagnostic(`at least once, ${KILLS} kills: ${JSON.stringify(once)}, allowed twice=${mayComeTwice}`)
  t.diagnostic(`exactly once, ${KILLS} kills: ${JSON.stringify(exactly)}`)
  assert.equal(once.lost, 0)
  assert.ok(once.inOrder)
  assert.ok(once.twice <= mayComeTwice, `${once.twice} records came twice, ${mayComeTwice} were not committed`)
  assert.equal(exactly.lost, 0)
  assert.equal(exactly.twice, 0)
  assert.ok(exactly.inOrder)
  const consumed = await consoleConsume({
    brokers: broker.brokers,
    topic: exact.topic,
    readCommitted: true,
    maxMessages: exactly.kept,
  })
  const numbers = numbersIn(consumed.map((line) => ({ value: Buffer.from(line) })))
  assert.deepEqual(
    numbers,
    Array.from({ length: exactly.last }, (_, i) => i + 1),
    "Kafka's own consumer sees the same",
  )
})
