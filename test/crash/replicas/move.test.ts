import type { TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { Fleet } from './fleet.ts'
import { testMoves } from './moves.ts'
import { long } from '../ingest/rig.ts'

const STREAMS = long ? 24 : 8
const RATE = 200

/** Live streams, none of whose numbers can be read again, beside streams that resume, with and without transactions. */
async function streaming(t: TestContext): Promise<Fleet> {
  const fleet = await Fleet.start(t, 1, { brokers: (await sharedKafka()).brokers, sessionMs: 6000 })
  for (let i = 0; i < STREAMS; i++) {
    const live = i % 2 === 0
    const delivery = i % 4 < 2 ? 'at-least-once' : 'exactly-once'
    await fleet.create({ name: `${live ? 'live' : 'log'}-${delivery}-${i}`, delivery }, { rate: RATE, live })
  }
  return fleet
}

testMoves('streams move with overlap', streaming)
