import assert from 'node:assert/strict'
import test from 'node:test'
import { sharedMoto, startKafka } from '@tributary/harness'
import { numbersIn } from '../../support/delivered.ts'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'
import { Random } from '../../support/random.ts'
import { outOfOrder } from '../../support/sqs-flow.ts'
import { SqsProxy } from '../../support/sqs-proxy.ts'
import { until } from '../../support/until.ts'
import { ended, SqsRig } from '../ingest/sqs-rig.ts'

const GROUPS = 50
const MESSAGES = 400
/** The first message of this group cannot be converted until its object is in S3. */
const PARKED = 7
const FAILURES = 0.1

/** SQS answers one request in ten with an error of its own, as it may. */
function failing(proxy: SqsProxy, random: Random): void {
  proxy.fault = () =>
    random.chance(FAILURES) ? { status: 503, type: 'ServiceUnavailable', message: 'injected' } : undefined
}

test(`FIFO with ${GROUPS} groups on two replicas, one of which is killed, and failures of SQS and S3: the order in each group is exact, and a parked group stops no other`, async (t) => {
  const broker = await startKafka({ properties: SHORT_SESSIONS })
  t.after(() => broker.stop())
  const s3 = (await sharedMoto()).url
  const bucket = `fifo-${process.pid}`
  assert.ok((await fetch(`${s3}/${bucket}`, { method: 'PUT' })).ok)
  const rig = await SqsRig.create(t, { brokers: broker.brokers })
  const proxy = await SqsProxy.listen(rig.server.url)
  t.after(() => proxy.close())
  failing(proxy, new Random(Number(process.env['TRIBUTARY_TEST_SEED'] ?? 1)))

  const config = {
    'aws.endpoint.override': proxy.url,
    'aws.s3.endpoint.override': s3,
    'sqs.visibility.timeout.seconds': '3',
    'sqs.wait.time.seconds': '1',
    'retry.backoff.ms': '200',
    'message.converter.class': 'io.connect.sqs.converter.ClaimCheckMessageConverter',
  }
  const plain = (n: number): string => `{"sequence":"${n}"}`
  const body = (n: number): string => (n === PARKED ? `s3://${bucket}/late` : plain(n))
  const options = { groups: GROUPS, body }
  // Two connectors, so that each replica has a task.
  const flows = [await rig.flow('one', config, options), await rig.flow('two', config, options)]
  for (const [i, flow] of flows.entries()) {
    await rig.connector(['one', 'two'][i]!, { ...flow.config(proxy.url), ...config })
  }
  const [doomed, survivor] = [await rig.start(), await rig.start()]
  const sending = flows.map((flow) => flow.send(MESSAGES))
  await Promise.all(flows.map((flow) => flow.reached(MESSAGES / 10)))
  await doomed.child.kill()
  await Promise.all(sending)

  const ofGroup = (group: string): number[] =>
    Array.from({ length: MESSAGES }, (_, i) => i + 1).filter((n) => flows[0]!.groupOf(n) === group)
  const parked = ofGroup(`g${PARKED}`)
  for (const flow of flows) {
    await until('all other groups are in the topic', async () => {
      const problem = ended(survivor)
      if (problem !== undefined) throw new Error(problem)
      return new Set(numbersIn(await flow.records())).size >= MESSAGES - parked.length
    })
    const { numbers } = await flow.arrivals()
    assert.deepEqual(
      parked.filter((n) => numbers.includes(n)),
      [],
      'nothing of the parked group is in the topic',
    )
  }
  assert.ok((await fetch(`${s3}/${bucket}/late`, { method: 'PUT', body: plain(PARKED) })).ok)
  for (const flow of flows) {
    await flow.drained(() => ended(survivor))
    const { numbers, lost, twice } = await flow.arrivals()
    t.diagnostic(`${flow.sent} sent, ${twice} twice, ${[...proxy.calls].map((call) => call.join(' ')).join(', ')}`)
    assert.deepEqual(lost, [])
    assert.deepEqual(
      outOfOrder(numbers, (n) => flow.groupOf(n)),
      [],
    )
  }
})
