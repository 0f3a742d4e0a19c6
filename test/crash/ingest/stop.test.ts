import assert from 'node:assert/strict'
import test from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { numbersIn } from '../../support/delivered.ts'
import { loggedProgress } from './logged-progress.ts'
import { Rig } from './rig.ts'

/** A bound for a loaded machine. The process itself gives up after 10 s. */
const STOP_MS = 30_000

test('after SIGTERM under load every sent record is committed, and the next start delivers none of them again', async (t) => {
  const { brokers } = await sharedKafka()
  const rig = await Rig.create(t, { brokers })
  const flows = [await rig.flow('at-least-once', { rate: 3000 }), await rig.flow('exactly-once', { rate: 3000 })]
  for (let stop = 1; stop <= 2; stop++) {
    const ingest = await rig.start()
    for (const flow of flows) await rig.committedTo(flow, flow.source.head)
    await ingest.child.stop(STOP_MS)
    assert.deepEqual(ingest.child.exit, { code: 0, signal: null })
    assert.ok(!ingest.log.has('task_abandoned'), ingest.log.tail())
    for (const flow of flows) {
      const numbers = numbersIn(await readPartition(brokers, flow.topic, 0, { committed: true }))
      const last = numbers.at(-1)!
      await until('the offset of the last record is read', () => rig.committed(flow) >= last)
      assert.equal(rig.committed(flow), last)
      const progress = loggedProgress(ingest.log, flow.name)
      t.diagnostic(`stop ${stop}, ${flow.name}: last=${last} ${JSON.stringify(progress)}`)
      assert.equal(progress.window, 'with all committed')
    }
  }
  await rig.start()
  for (const flow of flows) {
    const delivered = await rig.finish(flow)
    t.diagnostic(`${flow.name}: ${JSON.stringify(delivered)}`)
    assert.equal(delivered.lost, 0)
    assert.equal(delivered.twice, 0)
    assert.ok(delivered.inOrder)
  }
})
