import type { TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { FeedsSource } from './feeds-source.ts'
import { Fleet } from './fleet.ts'
import { testMoves } from './moves.ts'
import { long } from '../ingest/rig.ts'

const FEEDS = long ? 24 : 6
const RATE = 200

/**
 * Feeds with a number in each message, none of which can be read again. Where the number is only an id, the next owner
 * knows the delivered messages from the hand-over state of its predecessor in the status topic.
 */
async function reading(t: TestContext): Promise<Fleet> {
  const source = await FeedsSource.listen()
  const fleet = await Fleet.start(t, 1, { brokers: (await sharedKafka()).brokers, sessionMs: 6000, source })
  for (let i = 0; i < FEEDS; i++) {
    const name = `${i % 2 === 0 ? 'numbered' : 'ids'}-${i}`
    // All replicas have the same folder. Only one process at a time may use a spill.
    const extra: Record<string, string> = i % 3 === 2 ? { 'overflow.policy': 'spill' } : {}
    await fleet.create({ name, delivery: 'at-least-once' }, { rate: RATE, live: true }, extra)
  }
  return fleet
}

testMoves('feeds of ws-ingest move with overlap', reading)
