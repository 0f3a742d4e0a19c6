import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DataError, RetriableError } from '@tributary/connect-api'
import type { FakeSqs } from '../../test/fake-sqs.ts'
import { newSqs, numbered, Rig, type RigOptions } from '../../test/task-rig.ts'
import type { Queue, SqsMessage } from '../message.ts'
import type { Conversion } from '../task-parts.ts'

interface Scene {
  readonly sqs: FakeSqs
  readonly queue: Queue
  readonly rig: Rig
}

/** Messages `<group><number>`, group after group in turn. */
async function scene(groups: readonly string[], each: number, options: RigOptions = {}): Promise<Scene> {
  const sqs = newSqs()
  const queue = sqs.create('orders.fifo')
  for (let i = 0; i < each; i++) for (const group of groups) sqs.send(queue, `${group}${i}`, { group })
  const rig = await new Rig(sqs, () => [queue], options).open()
  return { sqs, queue, rig }
}

/** Converts a body to itself, unless `fails` throws for it. */
function converter(fails: (message: SqsMessage) => void): Conversion {
  return {
    convert: (message) => {
      fails(message)
      return { value: message.body }
    },
  }
}

const of = (values: readonly unknown[], group: string): string[] =>
  (values as string[]).filter((value) => value.startsWith(group))
const series = (group: string, count: number, from = 0): string[] =>
  numbered(count, from).map((name) => name.replace('m', group))
const bad = (): never => {
  throw new DataError('SQS_JSON', 'is no JSON')
}

describe('a FIFO queue', () => {
  test('is in order within each group', async () => {
    const { sqs, queue, rig } = await scene(['a', 'b', 'c'], 30)
    await rig.deliver()
    for (const group of ['a', 'b', 'c']) assert.deepEqual(of(rig.kafka, group), series(group, 30))
    assert.deepEqual(sqs.bodies(queue), [])
    await rig.stop()
  })

  test('parks the group of a message that fails, hidden, while other groups go on; then the group goes on in order', async () => {
    let failures = 2
    const failing = converter(({ body }) => body === 'a1' && failures-- > 0 && bad())
    const { sqs, queue, rig } = await scene(['a', 'b'], 4, { converter: failing, options: { retryBackoffMs: 60_000 } })
    await rig.deliver()
    assert.deepEqual([of(rig.kafka, 'a'), of(rig.kafka, 'b')], [['a0'], series('b', 4)])
    sqs.send(queue, 'b4', { group: 'b' })
    await rig.clock.advance(45_000)
    await rig.deliver()
    assert.deepEqual(of(rig.kafka, 'b'), series('b', 5), 'the others go on')
    assert.deepEqual(sqs.visible(queue), [], 'the parked ones are hidden')
    await rig.clock.advance(300_000)
    await rig.deliver()
    assert.deepEqual(of(rig.kafka, 'a'), series('a', 4))
    assert.deepEqual([rig.counters.deduplicated, rig.counters.retried, rig.counters.expired], [0, 2, 0])
    assert.deepEqual(sqs.bodies(queue), [])
    await rig.stop()
  })

  test('keeps the order when conversions take their time', async () => {
    const sqs = newSqs()
    const slow: Conversion = {
      convert: async ({ body }) => {
        await sqs.clock.sleep(body.endsWith('0') ? 50 : 1)
        return { value: body }
      },
    }
    const queue = sqs.create('orders.fifo')
    for (const body of series('a', 9)) sqs.send(queue, body, { group: 'a' })
    const rig = await new Rig(sqs, () => [queue], { converter: slow }).open()
    await rig.clock.advance(1000)
    await rig.deliver()
    assert.deepEqual(rig.kafka, series('a', 9))
    await rig.stop()
  })

  test('has a dead letter in its place once the retries of a message are used up', async () => {
    const failing = converter(({ body }) => body === 'a1' && bad())
    const { sqs, queue, rig } = await scene(['a'], 3, { converter: failing, options: { maxRetries: 1 } })
    await rig.clock.advance(60_000)
    const records = await rig.poll()
    assert.deepEqual(
      records.map(({ topic, value }) => [topic, value]),
      [
        ['t', 'a0'],
        ['dlq', 'a1'],
        ['t', 'a2'],
      ],
    )
    await rig.deliver()
    await rig.acknowledge()
    await rig.clock.advance(300)
    assert.deepEqual(sqs.bodies(queue), [])
    await rig.stop()
  })

  test('stays parked when there are no dead letters: the group goes back, and comes again in order', async () => {
    let failures = 4
    const failing = converter(({ body }) => body === 'a1' && failures-- > 0 && bad())
    const options = { maxRetries: 0, deadLetters: false }
    const { sqs, queue, rig } = await scene(['a', 'b'], 3, { converter: failing, options })
    await rig.deliver()
    await rig.clock.advance(100)
    assert.deepEqual([of(rig.kafka, 'a'), of(rig.kafka, 'b')], [['a0'], series('b', 3)])
    assert.match(rig.task.caution!() ?? '', /1 messages went back to queue orders.fifo .*: is no JSON\./)
    const waits: number[] = []
    for (let i = 0; i < 4; i++) {
      waits.push(Math.round(sqs.hiddenFor(queue, 'a1') / 10_000) * 10)
      await rig.clock.advance(sqs.hiddenFor(queue, 'a1') + 1000)
      await rig.deliver()
    }
    assert.deepEqual(waits, [30, 60, 120, 240], 'the wait doubles')
    assert.deepEqual(of(rig.kafka, 'a'), series('a', 3))
    await rig.stop()
  })

  test('has its messages back in order after a stop', async () => {
    const { sqs, queue, rig } = await scene(['a'], 8, { options: { maxPollRecords: 3 } })
    await rig.poll()
    await rig.stop()
    await rig.clock.advance(50)
    sqs.closed = false
    const next = await new Rig(sqs, () => [queue], { offsets: [...rig.offsets.values()] }).open()
    await next.deliver()
    assert.deepEqual(next.kafka, series('a', 8))
    await next.stop()
  })

  test('gives a message of a group back, and the later ones with it, when SQS has shown it to others', async () => {
    const outage = converter(({ body }) => {
      if (body === 'a0' && away) throw new RetriableError('SQS_OUTAGE', 'S3 is away')
    })
    let away = true
    const { sqs, rig } = await scene(['a'], 3, { converter: outage })
    const ids = await firstIds(sqs)
    sqs.failEntry = (call, id) => (call === 'visibility' && id === ids[0] ? 'gone' : null)
    await rig.clock.advance(16_000)
    assert.equal(rig.counters.expired, 1)
    away = false
    sqs.failEntry = () => null
    await rig.clock.advance(60_000)
    await rig.deliver()
    assert.deepEqual(rig.kafka, series('a', 3))
    await rig.stop()
  })
})

describe('de-duplication', () => {
  test('remembers a message only when it is delivered, so a failure is no loss', async () => {
    let failures = 3
    const failing = converter(() => failures-- > 0 && bad())
    const options = { maxRetries: 0, deadLetters: false }
    const { rig } = await scene(['a'], 1, { converter: failing, options })
    for (let i = 0; i < 5; i++) {
      await rig.clock.advance(500_000)
      await rig.deliver()
    }
    assert.deepEqual([rig.kafka, rig.counters.deduplicated], [['a0'], 0])
    await rig.stop()
  })

  test('outlives the process: what was in Kafka and not deleted at a kill is deleted, and not sent again', async () => {
    const { sqs, queue, rig } = await scene(['a', 'b'], 100)
    sqs.onRequest = (call) => {
      if (call === 'delete') throw new RetriableError('SQS_OUTAGE', 'away')
    }
    while ((await rig.poll()).length > 0) await rig.acknowledge()
    const inKafka = rig.kafka.length
    assert.ok(inKafka > 0 && inKafka < 200)
    // A kill: nothing is stopped or returned. The fake's clock goes on, so what the dead run asks must fail.
    sqs.onRequest = () => Promise.reject(new RetriableError('SQS_OUTAGE', 'the client is dead'))
    await rig.clock.advance(31_000)
    sqs.onRequest = () => {}
    const next = new Rig(sqs, () => [queue], { offsets: [...rig.offsets.values()] })
    await next.open()
    for (let i = 0; i < 5; i++) await next.deliver()
    assert.equal(next.kafka.length, 200 - inKafka)
    assert.equal(new Set([...rig.kafka, ...next.kafka]).size, 200)
    assert.deepEqual(sqs.bodies(queue), [])
    await next.stop()
  })

  test('commits with each record only the ids up to it, so a batch that breaks off loses nothing', async () => {
    const { rig } = await scene(['a'], 3)
    const records = await rig.poll()
    const counts = records.map(({ sourceOffset }) => (sourceOffset['message_ids'] as string).split(' ').length)
    assert.deepEqual(counts, [1, 2, 3])
    await rig.stop()
  })

  test('keeps an id until its message is deleted plus the window, and then removes its offset', async () => {
    const { sqs, rig } = await scene(['a'], 10, { options: { deduplicationWindowMs: 120_000 } })
    let away = true
    sqs.onRequest = (call) => {
      if (call === 'delete' && away) throw new RetriableError('SQS_OUTAGE', 'away')
    }
    await rig.deliver()
    await rig.clock.advance(600_000)
    await poke(rig)
    assert.ok(hasFirst(rig), 'no delete was answered')
    away = false
    await rig.clock.advance(100_000)
    await poke(rig)
    assert.ok(hasFirst(rig), 'the window is not over')
    await rig.clock.advance(130_000)
    await poke(rig)
    await poke(rig)
    assert.ok(!hasFirst(rig))
    await rig.stop()
  })

  test('of an earlier run ends when the window is over and the queue was seen empty', async () => {
    const { sqs, queue, rig } = await scene(['a'], 10)
    await rig.deliver()
    await rig.stop()
    assert.equal(rig.offsets.size, 1)
    sqs.closed = false
    const next = await new Rig(sqs, () => [queue], { offsets: [...rig.offsets.values()] }).open()
    await next.clock.advance(320_000)
    await poke(next)
    assert.ok(hasFirst(next), 'kept so far')
    await next.clock.advance(30_000)
    await poke(next)
    await poke(next)
    assert.ok(!hasFirst(next))
    await next.stop()
  })

  test('by deduplication id goes beyond the five minutes of SQS with a longer window, and not into another group', async () => {
    const { sqs, queue, rig } = await scene([], 0, { options: { deduplicationWindowMs: 3_600_000 } })
    const send = (body: string, group: string): void => {
      sqs.send(queue, body, { group, deduplicationId: 'same' })
    }
    send('first', 'a')
    await rig.clock.advance(400_000)
    await rig.deliver()
    send('second', 'a')
    await rig.clock.advance(0)
    await rig.deliver()
    await rig.clock.advance(400_000)
    send('other', 'b')
    await rig.clock.advance(0)
    await rig.deliver()
    assert.deepEqual([rig.kafka, rig.counters.deduplicated], [['first', 'other'], 1])
    assert.deepEqual(sqs.bodies(queue), [])
    await rig.clock.advance(3_600_000)
    send('later', 'a')
    await rig.clock.advance(0)
    await rig.deliver()
    assert.deepEqual(rig.kafka, ['first', 'other', 'later'])
    await rig.stop()
  })

  test('by deduplication id leaves messages alone that SQS itself took for new, within its own window', async () => {
    const { sqs, queue, rig } = await scene([], 0)
    sqs.send(queue, 'first', { deduplicationId: 'same' })
    await rig.clock.advance(300_000)
    sqs.send(queue, 'second', { deduplicationId: 'same' })
    await rig.clock.advance(0)
    await rig.deliver()
    assert.deepEqual(rig.kafka, ['first', 'second'])
    await rig.stop()
  })
})

/** Ids of the messages of a queue, as the fake knows them. */
async function firstIds(sqs: FakeSqs): Promise<string[]> {
  const seen: string[] = []
  const { failEntry } = sqs
  sqs.failEntry = (_call, id) => {
    seen.push(id)
    return 'retriable'
  }
  await (sqs.clock as Rig['clock']).advance(15_000)
  sqs.failEntry = failEntry
  return seen
}

/** Whether the offset of the first ids is there. */
function hasFirst(rig: Rig): boolean {
  return [...rig.offsets.keys()].some((key) => key.includes('"delivered":0'))
}

/** One more message, so that the task polls and commits. */
async function poke(rig: Rig): Promise<void> {
  await rig.clock.advance(1100)
  const { url } = rig.sqs.requests[0]!
  rig.sqs.send({ url, name: 'orders.fifo', fifo: true }, `poke${rig.kafka.length}`, { group: 'poke' })
  await rig.clock.advance(0)
  await rig.deliver()
}
