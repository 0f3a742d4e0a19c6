import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startKafka } from '@tributary/harness'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'
import { Random } from '../../support/random.ts'
import { outOfOrder } from '../../support/sqs-flow.ts'
import { SqsProxy } from '../../support/sqs-proxy.ts'
import { until } from '../../support/until.ts'
import { long } from './rig.ts'
import { ended, SqsRig } from './sqs-rig.ts'

const KILLS = long ? 30 : 3
/** A kill comes within this time after the records of both flows flow again, in ms. */
const AFTER_FLOWING_MS = 1500
const GROUPS = 20
/** In s. What was in flight at a kill comes again after this time, which a busy machine must not use up between two extensions. */
const VISIBILITY = { 'sqs.visibility.timeout.seconds': '10', 'sqs.wait.time.seconds': '1' }

/** SQS answers no more deletes. Resolves when Kafka has messages that come again after the kill. */
async function committedButNotDeleted(proxy: SqsProxy): Promise<void> {
  const refused = new Set<string>()
  proxy.fault = (action, input) => {
    if (action !== 'DeleteMessageBatch') return undefined
    // A group whose message is not deleted gets no further one, so only what is in flight now can be waited for.
    for (const { ReceiptHandle } of input['Entries'] as { ReceiptHandle: string }[]) refused.add(ReceiptHandle)
    return { status: 503, type: 'ServiceUnavailable', message: 'injected' }
  }
  await until('five deletes are refused', () => refused.size >= 5, 120_000)
}

test(`${KILLS} kills at random under load: each message is in the topic, twice only what was in flight, and with exactly-once none twice`, async (t) => {
  const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)
  t.diagnostic(`TRIBUTARY_TEST_SEED=${seed}`)
  const random = new Random(seed)
  const broker = await startKafka({ properties: SHORT_SESSIONS })
  t.after(() => broker.stop())
  const rig = await SqsRig.create(t, { brokers: broker.brokers })
  const plain = await rig.flow('at-least-once', VISIBILITY)
  const exact = await rig.flow('exactly-once', {}, { groups: GROUPS })
  const proxy = await SqsProxy.listen(rig.server.url)
  t.after(() => proxy.close())
  const exactlyOnce = { ...exact.config(proxy.url), ...VISIBILITY, 'exactly.once.support': 'required' }
  await rig.connector('exactly-once', exactlyOnce)
  for (const flow of [plain, exact]) flow.load(100)
  let inFlight = 0
  for (let kill = 1; kill <= KILLS; kill++) {
    const before = await Promise.all([plain, exact].map(async (flow) => (await flow.records()).length))
    const ingest = await rig.start()
    await Promise.all([plain, exact].map((flow, i) => flow.reached(before[i]! + 10)))
    if (kill % 2 === 1) await committedButNotDeleted(proxy)
    await sleep(random.next() * AFTER_FLOWING_MS)
    await ingest.child.kill()
    proxy.fault = undefined
    const depth = await plain.depth()
    inFlight += depth.inFlight
    t.diagnostic(`kill ${kill}: ${JSON.stringify({ sent: plain.sent, ...depth })}`)
  }
  const ingest = await rig.start()
  await Promise.all([plain, exact].map((flow) => flow.end()))
  for (const flow of [plain, exact]) await flow.drained(() => ended(ingest))
  const once = await plain.arrivals()
  const exactly = await exact.arrivals()
  t.diagnostic(`at least once: ${plain.sent} sent, ${once.twice} twice, ${inFlight} were in flight`)
  t.diagnostic(`exactly once: ${exact.sent} sent, ${exactly.twice} twice`)
  assert.deepEqual(once.lost, [])
  assert.ok(once.twice <= inFlight, `${once.twice} records came twice, ${inFlight} messages were in flight`)
  assert.deepEqual(exactly.lost, [])
  assert.equal(exactly.twice, 0)
  assert.deepEqual(outOfOrder(exactly.numbers, (n) => exact.groupOf(n)), [])
}) // prettier-ignore
