import assert from 'node:assert/strict'
import test from 'node:test'
import { startKafka } from '@tributary/harness'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'
import { until } from '../../support/until.ts'
import { ended, SqsRig } from '../ingest/sqs-rig.ts'

test('tasks on a standard queue move to a replica that comes, and from one that stops, under load: no message is lost or comes twice', async (t) => {
  const broker = await startKafka({ properties: SHORT_SESSIONS })
  t.after(() => broker.stop())
  const rig = await SqsRig.create(t, { brokers: broker.brokers })
  const flow = await rig.flow('queue', { 'tasks.max': '2', 'sqs.wait.time.seconds': '2' })
  flow.load(50)
  const first = await rig.start()
  await flow.reached(100)
  const second = await rig.start()
  await second.logged('batch_acknowledged', 'queue')
  await first.child.stop()
  await flow.reached((await flow.records()).length + 100)
  await until('the second replica has both tasks', () => {
    const tasks = second.log.events('queue').flatMap(({ line }) => / task=(\d)/.exec(line)?.[1] ?? [])
    return new Set(tasks).size === 2
  })
  await flow.end()
  await flow.drained(() => ended(second))
  const { lost, twice } = await flow.arrivals()
  t.diagnostic(`${flow.sent} sent, ${lost.length} lost, ${twice} twice`)
  assert.deepEqual([lost, twice], [[], 0])
})
