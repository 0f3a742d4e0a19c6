import test, { type TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { Fleet } from './fleet.ts'
import { assertSeamless, control, restartRolling, scaleToThree } from './moves.ts'
import { long } from '../ingest/rig.ts'

const STREAMS = long ? 24 : 8
const RATE = 200

/** Live streams, none of whose numbers can be read again, beside streams that resume, with and without transactions. */
async function streaming(t: TestContext, replicas: number): Promise<Fleet> {
  const fleet = await Fleet.start(t, replicas, { brokers: (await sharedKafka()).brokers, sessionMs: 6000 })
  for (let i = 0; i < STREAMS; i++) {
    const live = i % 2 === 0
    const delivery = i % 4 < 2 ? 'at-least-once' : 'exactly-once'
    await fleet.create({ name: `${live ? 'live' : 'log'}-${delivery}-${i}`, delivery }, { rate: RATE, live })
  }
  await fleet.balanced('after the creation')
  return fleet
}

test('one replica becomes three: streams move with overlap, and nothing is lost or delivered twice', async (t) => {
  const fleet = await streaming(t, 1)
  await control(t, fleet)
  await scaleToThree(t, fleet)
  fleet.assertHealthy()
  await assertSeamless(t, fleet)
})

test('a rolling restart: each replica hands its streams over before it ends', async (t) => {
  const fleet = await streaming(t, 3)
  await control(t, fleet)
  await restartRolling(t, fleet)
  fleet.assertHealthy()
  await assertSeamless(t, fleet)
})
