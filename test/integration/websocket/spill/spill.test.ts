import { startProxiedKafka, type ProxiedKafka } from '@tributary/harness'
import assert from 'node:assert/strict'
import { appendFile, readdir, stat } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { type Run, type SpillRig, startSpillRig } from './rig.ts'
import { until } from '../../../support/until.ts'

const LONG = process.env['TRIBUTARY_TEST_LONG'] === '1'
const OUTAGE_SECONDS = LONG ? 60 : 6
const RATE = 2000
/** Loopback buffers some MiB that nobody reads. That is a second of such messages. */
const FEED = { rate: RATE, payloadBytes: 4000, maxBehind: RATE }
const POLL = 100
const IN_FLIGHT = 200
/** The last poll may exceed this number. */
const MAX_IN_FLIGHT = IN_FLIGHT + POLL
const SMALL_MEMORY = {
  'websocket.message.queue.size': '500',
  'max.poll.records': String(POLL),
  'max.in.flight.records': String(IN_FLIGHT),
  'task.shutdown.graceful.timeout.ms': '500',
}

let kafka: ProxiedKafka
before(async () => {
  kafka = await startProxiedKafka()
})
after(() => kafka.stop())

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

async function delivered(rig: SpillRig, last: number): Promise<number[]> {
  return until(
    `number ${last} is in the topic`,
    async () => {
      const numbers = await rig.numbers()
      return numbers.at(-1) === last && numbers
    },
    120_000,
  )
}

/** Waits until this many messages are on disk. */
async function spilled(rig: SpillRig, run: Run, messages: number): Promise<void> {
  await until(`${messages} messages are on disk`, () => run.stats.messagesSpilled >= messages)
}

describe('a feed that cuts off slow readers, while Kafka is away', () => {
  for (const [policy, cut] of [
    ['pause', true],
    ['spill', false],
  ] as const) {
    test(`is ${cut ? 'lost' : 'read on'} with overflow.policy=${policy}`, async (t) => {
      const rig = await startSpillRig(t, kafka, FEED, { ...SMALL_MEMORY, 'overflow.policy': policy })
      const { source } = rig
      const run = await rig.start()
      await until('the feed is read', () => source.head > RATE)
      rig.kafka('down')
      const until_ = source.head + RATE * OUTAGE_SECONDS
      let most = 0
      await until(
        'the outage is over',
        () => {
          most = Math.max(most, run.stats.queueSize)
          return cut ? source.cuts > 0 : source.head >= until_
        },
        120_000,
      )
      rig.kafka('up')
      t.diagnostic(`${source.cuts} cuts; ${run.stats.messagesSpilled} spilled, at most ${most} of 500 in memory`)
      if (cut) return
      await until('all is read', () => source.written >= until_)
      const last = source.end()
      assert.deepEqual(await delivered(rig, last), range(1, last))
      assert.equal(source.cuts, 0)
      assert.ok(run.stats.messagesSpilled > (RATE * OUTAGE_SECONDS) / 2)
      // One read of the socket may be added.
      assert.ok(most <= 500 + 64, `${most} messages in memory`)
      await until('the disk is free', () => run.stats.spillBytes === 0)
      assert.ok(rig.events('spill_started').length >= 1)
      assert.ok(rig.events('spill_ended').length >= 1)
    })
  }
})

describe('a task that is started again with messages on disk', () => {
  test('delivers first, in order, every message that its predecessor received and Kafka does not have', async (t) => {
    const rig = await startSpillRig(t, kafka, { rate: 1000, payloadBytes: 100 }, SMALL_MEMORY)
    const first = await rig.start()
    await until('the feed is read', async () => (await rig.numbers()).length > 500)
    rig.kafka('down')
    await spilled(rig, first, 2000)
    await first.stop()
    const taken = first.stats.messagesReceived
    assert.ok((await rig.segments()).length > 0)
    rig.kafka('up')
    const second = await rig.start()
    await until('the feed is read again', () => second.stats.messagesReceived > 100)
    const last = rig.source.end()
    const all = await delivered(rig, last)
    // Kafka may have a batch whose acknowledgement was lost with the connection. That batch is delivered twice.
    const numbers = [...new Set(all)]
    assert.ok(all.length - numbers.length <= MAX_IN_FLIGHT, `${all.length - numbers.length} twice`)
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    )
    assert.deepEqual(numbers.slice(0, taken), range(1, taken))
    assert.ok(rig.events('spill_found').length >= 1)
    await second.stop()
    assert.deepEqual(await readdir(rig.folder).catch(() => []), [])
  })

  test('reports the incomplete message that a crash left at the end, and delivers the rest', async (t) => {
    const rig = await startSpillRig(t, kafka, { rate: 1000, payloadBytes: 100 }, SMALL_MEMORY)
    const first = await rig.start()
    await until('the feed is read', () => first.stats.messagesReceived > 100)
    rig.kafka('down')
    await spilled(rig, first, 1000)
    await first.stop()
    const taken = first.stats.messagesReceived
    await appendFile((await rig.segments()).at(-1)!, Buffer.from([1, 2, 3, 4, 200, 0, 0, 0, 5, 6]))
    rig.kafka('up')
    const second = await rig.start()
    const numbers = await until('all that was on disk is in the topic', async () => {
      const all = await rig.numbers()
      return all.includes(taken) && all
    })
    const onDisk = numbers.slice(numbers.indexOf(taken) - 999, numbers.indexOf(taken) + 1)
    assert.deepEqual(onDisk, range(taken - 999, taken))
    assert.equal(rig.events('spill_torn_tail')[0]?.fields['bytes'], 10)
    await second.stop()
  })
})

test('at spill.max.bytes the server waits; nothing is lost, and the feed continues when there is room', async (t) => {
  const bound = 2_000_000
  const rig = await startSpillRig(
    t,
    kafka,
    { rate: RATE, payloadBytes: 4000 },
    { ...SMALL_MEMORY, 'spill.max.bytes': String(bound) },
  )
  const run = await rig.start()
  await until('the feed is read', () => run.stats.messagesReceived > 100)
  rig.kafka('down')
  await until('the server waits', () => rig.source.blocked)
  const sizes = await Promise.all((await rig.segments()).map(async (path) => (await stat(path)).size))
  const onDisk = sizes.reduce((sum, size) => sum + size, 0)
  assert.ok(onDisk <= bound && onDisk > bound * 0.9, `${onDisk} bytes are on disk`)
  assert.equal(run.stats.spillMaxBytes, bound)
  assert.ok(rig.events('spill_full').length >= 1)
  rig.kafka('up')
  await until('the server goes on', () => !rig.source.blocked)
  const last = rig.source.end()
  assert.deepEqual(await delivered(rig, last), range(1, last))
  assert.equal(run.stats.messagesDropped, 0)
})
