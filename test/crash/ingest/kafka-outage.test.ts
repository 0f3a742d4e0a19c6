import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startKafka } from '@tributary/harness'
import { samplePeakRss } from '../../bench/process-usage.ts'
import { until } from '../../support/until.ts'
import { loggedProgress } from './logged-progress.ts'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'
import { type Flow, long, Rig } from './rig.ts'

const OUTAGE_MS = long ? 30_000 : 5000
const MIB = 1024 * 1024
const PAYLOAD_BYTES = 1000
const QUEUE_RECORDS = 1000
const POLL_RECORDS = 500
const IN_FLIGHT_RECORDS = 2000
const BOUNDS = {
  'grpc.message.queue.size': String(QUEUE_RECORDS),
  'max.poll.records': String(POLL_RECORDS),
  'max.in.flight.records': String(IN_FLIGHT_RECORDS),
}
/**
 * Bytes that a client takes without reading them: its HTTP/2 window, the socket buffers of both ends, and the server's
 * own buffer.
 */
const TRANSPORT_BYTES = 1 * MIB + 8 * MIB + 64 * 1024
const MAX_AHEAD = QUEUE_RECORDS + 2 * POLL_RECORDS + IN_FLIGHT_RECORDS + Math.ceil(TRANSPORT_BYTES / PAYLOAD_BYTES)
/** Memory must not grow while the sources wait. In total it may grow by what garbage collection has not freed yet. */
const MAX_GROWTH_WAITING = 48 * MIB
const MAX_GROWTH = 256 * MIB

const SHORT_TRANSACTIONS = {
  'transaction.boundary': 'interval',
  'transaction.boundary.interval.ms': '500',
  'producer.override.transaction.timeout.ms': '1500',
}

/**
 * Resolves when the source has written nothing for a second, because its writes wait. Returns the number of written
 * messages.
 */
async function settled({ name, source }: Flow): Promise<number> {
  let written = -1
  let since = 0
  await until(`the writes of ${name} wait`, () => {
    if (source.messagesWritten !== written || !source.blocked) {
      written = source.messagesWritten
      since = performance.now()
    }
    return performance.now() - since > 1000
  })
  return written
}

test(`Kafka is away for ${OUTAGE_MS / 1000} s: the sources wait, memory stays bounded, and afterwards all tasks continue by themselves`, async (t) => {
  const broker = await startKafka({ properties: SHORT_SESSIONS })
  t.after(() => broker.stop())
  const rig = await Rig.create(t, { brokers: broker.brokers, shortSessions: true })
  const load = { rate: 2000, payloadBytes: PAYLOAD_BYTES }
  const flows: Flow[] = [await rig.flow('at-least-once', load, BOUNDS), await rig.flow('exactly-once', load, BOUNDS)]
  const ingest = await rig.start()
  for (const flow of flows) await rig.committedTo(flow, 5000)

  const before = samplePeakRss(ingest.child.pid).stop()
  const overall = samplePeakRss(ingest.child.pid)
  t.diagnostic(`Kafka is killed with ${flows.map((flow) => rig.committed(flow)).join(' and ')} committed`)
  await broker.kill()
  const killedAt = performance.now()
  const written = await Promise.all(flows.map(settled))
  const settledRss = samplePeakRss(ingest.child.pid).stop()
  const waiting = samplePeakRss(ingest.child.pid)
  await sleep(Math.max(0, killedAt + OUTAGE_MS - performance.now()))
  const growthWaiting = waiting.stop() - settledRss
  const committed = flows.map((flow) => rig.committed(flow))
  flows.forEach(({ name, source }, i) => {
    t.diagnostic(`${name}: ${source.head} due, ${source.messagesWritten} written, ${committed[i]} committed`)
    assert.ok(source.blocked, 'still waits')
    assert.equal(source.messagesWritten, written[i], 'nothing was written any more')
    assert.ok(source.messagesWritten < source.head, 'there was more to write')
    assert.ok(source.messagesWritten - committed[i]! <= MAX_AHEAD, `${source.messagesWritten - committed[i]!} ahead`)
  })

  await broker.start()
  const answersAt = performance.now()
  const seconds = (): string => ((performance.now() - answersAt) / 1000).toFixed(1)
  for (const [i, flow] of flows.entries()) {
    await rig.committedTo(flow, committed[i]! + 1)
    t.diagnostic(`${flow.name}: goes on within ${seconds()} s of Kafka's first answer`)
  }
  for (const flow of flows) {
    await rig.committedTo(flow, flow.source.head)
    t.diagnostic(`${flow.name}: has caught up within ${seconds()} s`)
  }
  for (const flow of flows) {
    const delivered = await rig.finish(flow)
    const { streams, connections } = flow.source
    t.diagnostic(`${flow.name}: ${JSON.stringify(delivered)}, streams=${streams}, connections=${connections}`)
    assert.equal(delivered.lost, 0)
    assert.equal(delivered.twice, 0)
    assert.ok(delivered.inOrder)
    assert.deepEqual({ streams, connections }, { streams: 1, connections: 1 })
  }
  const peak = overall.stop()
  const mib = (bytes: number): number => Math.round(bytes / MIB)
  t.diagnostic(`RSS in MiB: ${mib(before)} before, +${mib(growthWaiting)} while waiting, ${mib(peak)} at most`)
  assert.ok(growthWaiting < MAX_GROWTH_WAITING, `RSS grew by ${mib(growthWaiting)} MiB while the sources waited`)
  assert.ok(peak - before < MAX_GROWTH, `RSS grew from ${mib(before)} to ${mib(peak)} MiB`)
  const names = ['kafka_unavailable', 'kafka_available', 'transaction_aborted', 'group_unreachable', 'group_lost']
  t.diagnostic(names.map((name) => `${name}=${ingest.log.events().filter((e) => e.name === name).length}`).join(' '))
  assert.ok(!ingest.log.has('task_failed'), ingest.log.tail())
  await ingest.child.stop()
  assert.deepEqual(ingest.child.exit, { code: 0, signal: null })
})

test('Kafka is away for longer than a transaction may last: nothing is lost or delivered twice', async (t) => {
  const cleanup = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200' }
  const broker = await startKafka({ properties: { ...SHORT_SESSIONS, ...cleanup } })
  t.after(() => broker.stop())
  const rig = await Rig.create(t, { brokers: broker.brokers, shortSessions: true })
  const flow = await rig.flow('exactly-once', { rate: 2000 }, SHORT_TRANSACTIONS)
  const ingest = await rig.start()
  await rig.committedTo(flow, 5000)
  await until('a transaction is open and holds records', () => {
    const { window, acknowledged, committed } = loggedProgress(ingest.log, flow.name)
    return window === 'inside an open transaction' && acknowledged > committed
  })
  await broker.kill()
  await sleep(3000)
  await broker.start()
  const delivered = await rig.finish(flow)
  t.diagnostic(`${JSON.stringify(delivered)}, streams=${flow.source.streams}`)
  const names = ['transaction_aborted', 'task_failed', 'task_restart_scheduled']
  t.diagnostic(names.map((name) => `${name}=${ingest.log.events().filter((e) => e.name === name).length}`).join(' '))
  assert.equal(delivered.lost, 0)
  assert.equal(delivered.twice, 0)
})
