import assert from 'node:assert/strict'
import test from 'node:test'
import { startKafka } from '@tributary/harness'
import { until } from '../integration/until.ts'
import { readPartition } from '../integration/kafka-topic.ts'
import { numbersIn } from './delivered.ts'
import { long, SHORT_SESSIONS } from './rig.ts'
import { WsRig } from './ws-rig.ts'

const RATE = 5000
const QUEUE_RECORDS = 2000
const POLL_RECORDS = 500
const IN_FLIGHT_RECORDS = 1000
const CONFIG = {
  'overflow.policy': 'spill',
  'websocket.message.queue.size': String(QUEUE_RECORDS),
  'max.poll.records': String(POLL_RECORDS),
  'max.in.flight.records': String(IN_FLIGHT_RECORDS),
}
/** Polled from memory before Kafka went away: in flight, and a batch on its way there. Nobody but the dead process had them. */
const MAX_POLLED = IN_FLIGHT_RECORDS + 2 * POLL_RECORDS
/** Messages that are on disk when the process is killed, at least. */
const SPILLED = long ? 100_000 : 15_000

/**
 * What is promised of a feed that cannot be asked again: what had been written to disk comes, in order, once there is a
 * process again. What a kill takes with it was in memory: batches that Kafka had not acknowledged, and what had come since the
 * last write.
 */
test('kill -9 during a spill: all that had been spilled comes after the restart, in order', async (t) => {
  const broker = await startKafka({ properties: SHORT_SESSIONS })
  t.after(() => broker.stop())
  const rig = await WsRig.create(t, broker.brokers, { rate: RATE, payloadBytes: 1000 }, CONFIG)
  const { source } = rig
  const first = await rig.start()
  await rig.keeps(RATE, first)
  await broker.kill()
  await until(`${SPILLED} messages are on disk`, async () => (await rig.spilled()).length >= SPILLED, 120_000)
  await first.child.kill()
  assert.deepEqual(first.child.exit, { code: null, signal: 'SIGKILL' })
  const taken = source.written
  const spilled = await rig.spilled()

  await broker.start()
  const second = await rig.start()
  await until('the feed is read again', () => source.given.length === 2)
  const resumed = source.given[1]!.from
  await second.logged('spill_found')
  await until('a second of the feed is read', () => source.head >= resumed + RATE)
  const last = source.end()
  const { inOrder, twice } = await rig.delivered(last)
  const numbers = new Set(numbersIn(await readPartition(broker.brokers, rig.topic)))

  const [lowest = 0, highest = 0] = [spilled[0], spilled.at(-1)]
  const missing = (from: number, to: number): number =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i).filter((number) => !numbers.has(number)).length
  const polled = missing(1, lowest - 1)
  t.diagnostic(`spilled=${spilled.length} (${lowest} to ${highest}), missing of them=${missing(lowest, highest)}`)
  t.diagnostic(`in memory: polled=${polled}, behind the last write=${missing(highest + 1, taken)} with what TCP held`)
  t.diagnostic(`second connection: ${resumed} to ${last}, missing=${missing(resumed, last)}; twice=${twice}`)
  assert.equal(spilled.length, highest - lowest + 1, 'the disk has no hole')
  assert.equal(missing(lowest, highest), 0)
  assert.ok(polled <= MAX_POLLED, `${polled} of the messages before the first on disk are missing`)
  assert.ok(missing(highest + 1, taken) <= QUEUE_RECORDS, 'what had come was written soon')
  assert.equal(missing(resumed, last), 0)
  assert.ok(inOrder)
  assert.ok(twice <= spilled.length, 'nothing came twice but what was read from disk and not yet known to be kept')
})
