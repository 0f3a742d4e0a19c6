import assert from 'node:assert/strict'
import test from 'node:test'
import { startKafka } from '@tributary/harness'
import { readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { numbersIn } from '../../support/delivered.ts'
import type { Ingest } from '../../support/ingest.ts'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'
import { long } from './rig.ts'
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
/** Messages polled from memory before Kafka went away: those in flight, and one batch on its way there. */
const MAX_POLLED = IN_FLIGHT_RECORDS + 2 * POLL_RECORDS
/** At least this many messages are on disk when the process is killed. */
const SPILLED = long ? 100_000 : 15_000
/** This many of them are in the topic when the successor is killed too. */
const DRAINED = 2000

/** Kills the process. Returns the numbers on disk. */
async function killed(ingest: Ingest, rig: WsRig): Promise<number[]> {
  await ingest.child.kill()
  assert.deepEqual(ingest.child.exit, { code: null, signal: 'SIGKILL' })
  return rig.spilled()
}

/**
 * The promise for a feed that cannot be asked again: a new process delivers in order what was written to disk. A kill
 * loses only what was in memory: batches that Kafka had not acknowledged and that did not come from disk, and messages
 * that arrived after the last write.
 */
test('kill -9 during a spill, and again while the spilled messages are delivered: every spilled message is delivered, in order', async (t) => {
  const broker = await startKafka({ properties: SHORT_SESSIONS })
  t.after(() => broker.stop())
  const rig = await WsRig.create(t, broker.brokers, { rate: RATE, payloadBytes: 1000 }, CONFIG)
  const { source } = rig
  const first = await rig.start()
  await rig.keeps(RATE, first)
  await broker.kill()
  await until(`${SPILLED} messages are on disk`, async () => (await rig.spilled()).length >= SPILLED, 120_000)
  const spilled = await killed(first, rig)

  await broker.start()
  const before = await rig.kept()
  const second = await rig.start()
  await second.logged('spill_found')
  await rig.keeps(before + DRAINED, second)
  // The last produced batch waits for an answer that does not come, while the feed continues.
  await broker.kill()
  const { head } = source
  await until('the messages since then are on disk', async () => ((await rig.spilled()).at(-1) ?? 0) > head)
  const left = await killed(second, rig)

  await broker.start()
  const third = await rig.start()
  await third.logged('spill_found')
  await until('the feed is read again', () => source.given.length === 3 && source.head >= source.given[2]!.from + RATE)
  const last = source.end()
  const { inOrder, twice } = await rig.delivered(last)

  const numbers = new Set(numbersIn(await readPartition(broker.brokers, rig.topic)))
  const missing = (from: number, to: number): number =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i).filter((number) => !numbers.has(number)).length
  const [lowest = 0, highest = 0] = [spilled[0], spilled.at(-1)]
  const [one, two, three] = source.given
  const polled = missing(1, lowest - 1)
  const unwritten = [missing(highest + 1, one!.to), missing(Math.max(two!.from, left.at(-1)! + 1), two!.to)]
  const missingOfLeft = left.filter((number) => !numbers.has(number)).length
  t.diagnostic(`first kill: ${spilled.length} on disk, ${lowest} to ${highest}, missing=${missing(lowest, highest)}`)
  t.diagnostic(`second kill: ${left.length} on disk, missing=${missingOfLeft}`)
  t.diagnostic(`lost with the memory: polled=${polled}, behind the last writes=${unwritten.join()} with what TCP held`)
  t.diagnostic(`third connection: ${three!.from} to ${last}, missing=${missing(three!.from, last)}; twice=${twice}`)
  assert.equal(spilled.length, highest - lowest + 1, 'the disk has no hole')
  assert.equal(missing(lowest, highest), 0)
  assert.equal(missingOfLeft, 0)
  assert.ok(left.length > 0, 'the second kill came before all was handed out')
  assert.ok(polled <= MAX_POLLED, `${polled} of the messages before the first on disk are missing`)
  for (const count of unwritten) assert.ok(count <= QUEUE_RECORDS, `${count} were not written in time`)
  assert.equal(missing(three!.from, last), 0)
  assert.ok(inOrder)
  assert.ok(twice <= spilled.length, 'nothing came twice but what was read from disk and not yet known to be kept')
})
