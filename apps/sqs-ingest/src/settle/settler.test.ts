import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, RetriableError } from '@tributary/connect-api'
import { newSqs, numbered, Rig, type RigOptions } from '../../test/task-rig.ts'

const HOUR_MS = 3_600_000

async function scene(bodies: readonly string[], options: RigOptions = {}, name = 'orders') {
  const sqs = newSqs()
  const queue = sqs.create(name)
  for (const body of bodies) sqs.send(queue, body)
  const rig = await new Rig(sqs, () => [queue], options).open()
  return { sqs, queue, rig }
}

describe('deletes', () => {
  test('are tried again by entry, and by batch, until SQS has answered; the message stays hidden', async () => {
    const { sqs, queue, rig } = await scene(numbered(10))
    let entries = 3
    sqs.failEntry = (call) => (call === 'delete' && entries-- > 0 ? 'retriable' : null)
    let outages = 2
    sqs.onRequest = (call) => {
      if (call === 'delete' && outages-- > 0) throw new RetriableError('SQS_OUTAGE', 'away')
    }
    await rig.poll()
    await rig.acknowledge()
    await rig.clock.advance(60_000)
    assert.deepEqual(sqs.bodies(queue), [])
    const sizes = sqs.requests.filter(({ call }) => call === 'delete').map((request) => request.entries)
    assert.deepEqual(sizes, [10, 10, 10, 3])
    assert.deepEqual([rig.counters.deleted, rig.counters.deduplicated], [10, 0])
    await rig.stop()
  })

  test('of a receipt handle that has expired are counted, and are no error', async () => {
    const { sqs, rig } = await scene(numbered(2))
    sqs.failEntry = (call) => (call === 'delete' ? 'gone' : null)
    await rig.poll()
    await rig.acknowledge()
    await rig.clock.advance(1000)
    assert.deepEqual([rig.counters.expired, sqs.count('delete')], [2, 1])
    await rig.stop()
  })

  test('that nobody may make fail the task', async () => {
    const { sqs, rig } = await scene(numbered(1))
    sqs.onRequest = (call) => {
      if (call === 'delete') throw new ConfigError('SQS_DENIED', 'grant sqs:DeleteMessage')
    }
    await rig.poll()
    await rig.acknowledge()
    await rig.clock.advance(300)
    await assert.rejects(rig.pollNow(), /grant sqs:DeleteMessage/)
    await rig.stop()
  })

  test('use the newest receipt handle', async () => {
    const { sqs, queue, rig } = await scene(['a'])
    await rig.poll()
    sqs.failEntry = (call) => (call === 'visibility' ? 'retriable' : null)
    await rig.clock.advance(31_000)
    assert.deepEqual([sqs.receivesOf(queue, 'a'), rig.counters.deduplicated], [2, 1], 'it came again')
    sqs.failEntry = () => null
    await rig.acknowledge()
    await rig.clock.advance(300)
    assert.deepEqual([sqs.bodies(queue), rig.kafka], [[], ['a']], 'and is in Kafka once')
    await rig.stop()
  })

  test('are not made with sqs.delete.messages=false: the message comes again after its timeout', async () => {
    const { sqs, queue, rig } = await scene(['a'], { options: { deleteMessages: false } })
    await rig.deliver()
    await rig.clock.advance(29_000)
    assert.deepEqual([sqs.count('delete'), sqs.bodies(queue), rig.kafka], [0, ['a'], ['a']])
    await rig.clock.advance(2000)
    await rig.deliver()
    assert.deepEqual(rig.kafka, ['a', 'a'])
    await rig.stop()
  })
})

describe('visibility', () => {
  test('is extended at half of the timeout, ten messages a request, while Kafka is away for long', async () => {
    const { sqs, queue, rig } = await scene(numbered(25))
    await rig.poll()
    await rig.clock.advance(14_000)
    assert.equal(sqs.count('visibility'), 0)
    await rig.clock.advance(1100)
    const sizes = sqs.requests.filter(({ call }) => call === 'visibility').map((request) => request.entries)
    assert.deepEqual(sizes.sort(), [10, 10, 5])
    await rig.clock.advance(90_000)
    assert.equal(sqs.receivesOf(queue, 'm0'), 1)
    await rig.acknowledge()
    await rig.clock.advance(300)
    assert.deepEqual([sqs.bodies(queue), rig.counters.expired, rig.kafka.length], [[], 0, 25])
    await rig.stop()
  })

  test('is extended in time although a request fails, and only of what is still held', async () => {
    const { sqs, queue, rig } = await scene(numbered(10))
    let outages = 3
    sqs.onRequest = (call) => {
      if (call === 'visibility' && outages-- > 0) throw new RetriableError('SQS_OUTAGE', 'away')
    }
    await rig.clock.advance(60_000)
    assert.equal(sqs.receivesOf(queue, 'm0'), 1)
    await rig.deliver()
    const before = sqs.count('visibility')
    await rig.clock.advance(60_000)
    assert.equal(sqs.count('visibility'), before, 'nothing is held')
    await rig.stop()
  })

  test('is extended for twelve hours in all, and what is not handed out by then comes again', async () => {
    const { sqs, queue, rig } = await scene(['a'], { options: { visibilitySeconds: 3600, waitSeconds: 20 } })
    const change = sqs.changeVisibilityBatch.bind(sqs)
    const failures: unknown[] = []
    sqs.changeVisibilityBatch = async (...args) => {
      const answer = await change(...args)
      failures.push(...answer)
      return answer
    }
    await rig.clock.advance(11.9 * HOUR_MS)
    assert.equal(sqs.receivesOf(queue, 'a'), 1)
    await rig.clock.advance(0.1 * HOUR_MS + 1000)
    assert.deepEqual([sqs.receivesOf(queue, 'a'), failures], [2, []], 'SQS takes no longer timeout')
    await rig.stop()
  })

  test('that must not be extended is told in health, and the messages go on', async () => {
    const { sqs, rig } = await scene(['a'])
    sqs.onRequest = (call) => {
      if (call === 'visibility') throw new ConfigError('SQS_DENIED', 'grant sqs:ChangeMessageVisibility')
    }
    await rig.poll()
    await rig.clock.advance(16_000)
    assert.match(rig.task.caution!() ?? '', /orders cannot be extended: grant sqs:ChangeMessageVisibility\.$/)
    await rig.acknowledge()
    await rig.clock.advance(300)
    assert.equal(rig.counters.deleted, 1)
    await rig.stop()
  })

  test('of a message that was hidden for too long ends it: SQS has it, so no poll returns it', async () => {
    const { sqs, queue, rig } = await scene(['a'])
    sqs.onRequest = (call) => {
      if (call !== 'delete') throw new RetriableError('SQS_OUTAGE', 'away')
    }
    await rig.clock.advance(31_000)
    assert.deepEqual([await rig.poll(), rig.counters.expired], [[], 1])
    assert.deepEqual([sqs.visible(queue), rig.stats.queueSize], [['a'], 0])
    await rig.stop()
  })
})

describe('what Kafka does not have', () => {
  test('is returned at once by a stop, and what Kafka has is deleted', async () => {
    const { sqs, queue, rig } = await scene(numbered(25), { options: { maxPollRecords: 10 } })
    await rig.poll()
    await rig.acknowledge()
    await rig.poll()
    assert.equal(sqs.visible(queue).length, 0)
    await rig.stop()
    await rig.clock.advance(50)
    assert.deepEqual(sqs.visible(queue), numbered(15, 10))
    assert.deepEqual(sqs.bodies(queue), numbered(15, 10))
  })

  test('is delivered by a stop if Kafka takes it: the records that are ready are polled', async () => {
    const { sqs, queue, rig } = await scene(numbered(25))
    rig.task.drain!()
    assert.equal((await rig.poll()).length, 25)
    await rig.acknowledge()
    await assert.rejects(rig.pollNow(), /the end of the input/)
    await rig.stop()
    await rig.clock.advance(0)
    assert.deepEqual(sqs.bodies(queue), [])
  })

  test('is returned at once by a pause, and nothing is received until it is over', async () => {
    const { sqs, queue, rig } = await scene(numbered(12))
    const [first] = await rig.poll()
    for (const body of numbered(5, 12)) sqs.send(queue, body)
    await rig.clock.advance(0)
    rig.task.paused!()
    await rig.clock.advance(50)
    assert.deepEqual(sqs.visible(queue), numbered(5, 12))
    assert.deepEqual([rig.stats.queueSize, first!.value], [0, 'm0'])
    await rig.acknowledge()
    await rig.clock.advance(60_000)
    assert.deepEqual(sqs.visible(queue), numbered(5, 12), 'what was on its way to Kafka is deleted, the rest waits')
    rig.task.resumed!()
    await rig.deliver()
    assert.deepEqual(new Set(rig.kafka), new Set(numbered(17)))
    await rig.stop()
  })

  test('is returned also when SQS answers a return with an error first', async () => {
    const { sqs, queue, rig } = await scene(['a'])
    let outages = 1
    sqs.onRequest = (call) => {
      if (call === 'visibility' && outages-- > 0) throw new RetriableError('SQS_OUTAGE', 'away')
    }
    rig.task.paused!()
    await rig.clock.advance(1000)
    assert.deepEqual(sqs.visible(queue), ['a'])
    await rig.stop()
  })
})

describe('a mirrored queue', () => {
  test('has each message in Kafka once, keeps all of them, and does not hide them', async () => {
    const { sqs, queue, rig } = await scene(numbered(5), { options: { mode: 'mirror' } })
    for (let i = 0; i < 10; i++) {
      await rig.deliver()
      await rig.clock.advance(20_000)
    }
    assert.deepEqual(rig.kafka, numbered(5))
    assert.deepEqual([sqs.visible(queue), sqs.count('delete')], [numbered(5), 0])
    sqs.send(queue, 'm5')
    await rig.clock.advance(20_000)
    await rig.deliver()
    assert.deepEqual(rig.kafka, numbered(6))
    await rig.stop()
    const again = await new Rig(newQueueAgain(sqs), () => [queue], { options: { mode: 'mirror' }, offsets: [...rig.offsets.values()] }).open() // prettier-ignore
    await again.deliver()
    assert.deepEqual(again.kafka, [], 'the ids outlive the run')
    await again.stop()
  })

  test('is looked at ever more rarely while it shows nothing new', async () => {
    const { rig } = await scene(numbered(5), { options: { mode: 'mirror' } })
    await rig.deliver()
    await rig.clock.advance(60_000)
    const before = rig.counters.receives
    await rig.clock.advance(200_000)
    assert.ok(rig.counters.receives - before <= 11, `${rig.counters.receives - before}`)
    await rig.stop()
  })

  test('has its messages back after one timeout while Kafka is away', async () => {
    const { sqs, queue, rig } = await scene(numbered(5), { options: { mode: 'mirror', maxRecords: 10 } })
    await rig.clock.advance(29_000)
    assert.deepEqual(sqs.visible(queue), [])
    rig.task.paused!()
    await rig.clock.advance(31_000)
    assert.deepEqual([sqs.visible(queue), rig.counters.extended], [numbered(5), 0])
    await rig.stop()
  })
})

/** The same queues with an open client. */
function newQueueAgain<T extends { closed: boolean }>(sqs: T): T {
  sqs.closed = false
  return sqs
}
