import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedKafka } from '@tributary/harness'
import type { Cut } from '../../support/numbers-source.ts'
import { until } from '../../support/until.ts'
import { type Delivery, long, Rig } from './rig.ts'

const CUTS = long ? 60 : 3
const WAYS: readonly Cut[] = ['connection', 'reset', 'status']

for (const delivery of ['at-least-once', 'exactly-once'] satisfies Delivery[]) {
  test(`a source whose stream is cut every second, ${delivery}: nothing is lost or delivered twice`, async (t) => {
    const rig = await Rig.create(t, await sharedKafka())
    // Each connection is shorter than a healthy one, so the waits would grow.
    const flow = await rig.flow(delivery, { rate: 4000 }, { 'grpc.reconnect.healthy.ms': '0' })
    const ingest = await rig.start()
    await rig.committedTo(flow, 1)
    for (let cut = 0; cut < CUTS; cut++) {
      await until('the source is read again', () => flow.source.streams > cut)
      await sleep(1000)
      flow.source.cut(WAYS[cut % WAYS.length]!)
    }
    const delivered = await rig.finish(flow)
    t.diagnostic(`${CUTS} cuts, ${flow.source.streams} streams: ${JSON.stringify(delivered)}`)
    assert.equal(delivered.lost, 0)
    // The process lives on, so it asks for the numbers after the last received one.
    assert.equal(delivered.twice, 0)
    assert.ok(delivered.inOrder)
    await ingest.child.stop()
    assert.deepEqual(ingest.child.exit, { code: 0, signal: null })
  })
}
