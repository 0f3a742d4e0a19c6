import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type KafkaBroker, startKafka } from '@tributary/harness'
import { samplePeakRss } from '../../bench/process-usage.ts'
import { until } from '../../support/until.ts'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'
import { long } from './rig.ts'
import type { LiveNumbers } from '../../support/live-numbers.ts'
import { WsRig } from './ws-rig.ts'

const OUTAGE_MS = long ? 60_000 : 4000
const MIB = 1024 * 1024
const RATE = 5000
const PAYLOAD_BYTES = 1000
const BOUNDS = { 'websocket.message.queue.size': '2000', 'max.poll.records': '500', 'max.in.flight.records': '1000' }
/**
 * Bytes that a client takes although it does not read: the socket buffers of both ends, and the server's own buffer.
 */
const TRANSPORT_BYTES = 16 * MIB
const MAX_AHEAD = 2000 + 2 * 500 + 1000 + Math.ceil(TRANSPORT_BYTES / PAYLOAD_BYTES)
/** The task holds a bounded amount; the rest of the growth is garbage that was not collected yet. */
const MAX_GROWTH = 256 * MIB

const mib = (bytes: number): number => Math.round(bytes / MIB)

let broker: KafkaBroker
before(async () => {
  broker = await startKafka({ properties: SHORT_SESSIONS })
})
after(() => broker.stop())

/** Resolves when nothing was written for a second, because the write waits. Returns the number of written messages. */
async function settled(source: LiveNumbers): Promise<number> {
  let written = -1
  let since = 0
  await until('the writes of the feed wait', () => {
    if (source.written !== written || !source.blocked) {
      written = source.written
      since = performance.now()
    }
    return performance.now() - since > 1000
  })
  return written
}

test(`Kafka is away for ${OUTAGE_MS / 1000} s, pause: the feed waits, and nothing is lost or delivered twice`, async (t) => {
  const rig = await WsRig.create(t, broker.brokers, { rate: RATE, payloadBytes: PAYLOAD_BYTES }, BOUNDS)
  const { source } = rig
  const ingest = await rig.start()
  await rig.keeps(RATE, ingest)

  const before = samplePeakRss(ingest.child.pid).stop()
  const rss = samplePeakRss(ingest.child.pid)
  const kept = await rig.kept()
  await broker.kill()
  const killedAt = performance.now()
  const written = await settled(source)
  await sleep(Math.max(0, killedAt + OUTAGE_MS - performance.now()))
  t.diagnostic(`${source.head} due, ${source.written} written, ${kept} kept before the outage`)
  assert.equal(source.written, written, 'nothing was written any more')
  assert.ok(written < source.head, 'there was more to write')
  assert.ok(written - kept <= MAX_AHEAD + RATE, `${written - kept} ahead`)

  await broker.start()
  await rig.keeps(written + 1, ingest)
  const last = source.end()
  await rig.keeps(last, ingest)
  const delivered = await rig.delivered(last)
  const peak = rss.stop()
  t.diagnostic(`${JSON.stringify(delivered)}, RSS in MiB: ${mib(before)} before, ${mib(peak)} at most`)
  assert.deepEqual(delivered, { last, kept: last, lost: 0, twice: 0, inOrder: true })
  assert.deepEqual(source.given, [{ from: 1, to: last }], 'one connection was given everything')
  assert.ok(peak - before < MAX_GROWTH, `RSS grew from ${mib(before)} to ${mib(peak)} MiB`)
  assert.ok(!ingest.log.has('task_failed'), ingest.log.tail())
  await ingest.child.stop()
  assert.deepEqual(ingest.child.exit, { code: 0, signal: null })
})

test(`Kafka is away for ${OUTAGE_MS / 1000} s, spill: a feed that cuts off slow readers keeps the connection, and nothing is lost`, async (t) => {
  const numbers = { rate: RATE, payloadBytes: PAYLOAD_BYTES, maxBehind: RATE / 2 }
  const rig = await WsRig.create(t, broker.brokers, numbers, { ...BOUNDS, 'overflow.policy': 'spill' })
  const { source } = rig
  const ingest = await rig.start()
  await rig.keeps(RATE, ingest)

  const before = samplePeakRss(ingest.child.pid).stop()
  const rss = samplePeakRss(ingest.child.pid)
  await broker.kill()
  await sleep(OUTAGE_MS)
  const spilled = await rig.spilled()
  t.diagnostic(`${source.head} due, ${source.written} written, ${spilled.length} on disk, RSS ${mib(rss.stop())} MiB`)
  assert.ok(spilled.length > RATE, 'most of what came is on disk')

  const catchingUp = samplePeakRss(ingest.child.pid)
  await broker.start()
  await rig.keeps(source.head, ingest)
  const last = source.end()
  await rig.keeps(last, ingest)
  const delivered = await rig.delivered(last)
  const peak = catchingUp.stop()
  t.diagnostic(`${JSON.stringify(delivered)}, RSS in MiB: ${mib(before)} before, ${mib(peak)} at most`)
  assert.equal(source.cuts, 0, 'the feed cut its reader off')
  assert.deepEqual(delivered, { last, kept: last, lost: 0, twice: 0, inOrder: true })
  assert.deepEqual(source.given, [{ from: 1, to: last }], 'one connection was given everything')
  assert.ok(peak - before < MAX_GROWTH, `RSS grew from ${mib(before)} to ${mib(peak)} MiB`)
  await ingest.logged('spill_ended')
  assert.deepEqual(await rig.spilled(), [], 'the disk is free again')
  await ingest.child.stop()
  assert.deepEqual(ingest.child.exit, { code: 0, signal: null })
})
