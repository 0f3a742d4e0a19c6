import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProxiedKafka } from '@tributary/harness'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'
import type { SqsFlow } from '../../support/sqs-flow.ts'
import { until } from '../../support/until.ts'
import { long } from './rig.ts'
import { ended, SqsRig } from './sqs-rig.ts'

const VISIBILITY_S = long ? 30 : 4
/** Longer than the visibility timeout, in s: without its extensions the messages that wait would come again. */
const SLOW_S = long ? 90 : 8
const AWAY_S = long ? 60 : 5

/** Every message once in the topic, received once, and gone from the queue. */
async function assertOnce(t: TestContext, flow: SqsFlow): Promise<void> {
  const { lost, twice } = await flow.arrivals()
  const counts = (await flow.records()).map(({ headers }) =>
    String(headers.find(([name]) => name === 'sqs.approximate.receive.count')?.[1]),
  )
  t.diagnostic(`${flow.sent} sent, ${lost.length} lost, ${twice} twice, receive counts ${[...new Set(counts)].join()}`)
  assert.deepEqual(lost, [])
  assert.equal(twice, 0)
  assert.ok(counts.every((count) => count === '1'), `receive counts: ${[...new Set(counts)].join()}`) // prettier-ignore
}

test(`Kafka is slow for ${SLOW_S} s, then away for ${AWAY_S} s, with a visibility timeout of ${VISIBILITY_S} s: no message comes twice`, async (t) => {
  const kafka = await startProxiedKafka(SHORT_SESSIONS)
  t.after(() => kafka.stop())
  const rig = await SqsRig.create(t, { brokers: kafka.brokers, direct: kafka.direct })
  const flow = await rig.flow('queue', {
    'sqs.visibility.timeout.seconds': String(VISIBILITY_S),
    // Few messages, so that a busy machine keeps up with the extensions.
    'sqs.message.queue.size': '100',
  })
  const ingest = await rig.start()
  flow.load(100)
  const outage = async (begin: () => void, seconds: number): Promise<void> => {
    await flow.reached((await flow.records()).length + 50)
    begin()
    const received = flow.sent
    await until('the source holds messages that Kafka does not have', async () => {
      return flow.sent > received && (await flow.depth()).inFlight > 0
    })
    await sleep(seconds * 1000)
    t.diagnostic(`after ${seconds} s: ${JSON.stringify(await flow.depth())} of ${flow.sent}`)
    kafka.proxy.thaw()
  }
  await outage(() => kafka.proxy.freeze(), SLOW_S)
  await outage(() => kafka.proxy.refuse(), AWAY_S)

  await flow.end()
  await flow.drained(() => ended(ingest))
  await assertOnce(t, flow)
  assert.ok(!ingest.log.has('task_failed'), ingest.log.tail())
  // The pattern for alerts on logs of the operators' guide.
  const told = ingest.log.events().some(({ line }) => /ERROR.*Failed to send record/.test(line))
  assert.ok(told, 'the log says that Kafka takes no records')
})
