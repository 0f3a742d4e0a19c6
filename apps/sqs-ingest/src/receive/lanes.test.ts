import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MemoryBudget } from '@tributary/connect-api'
import { newSqs, numbered, Rig } from '../../test/task-rig.ts'

const DAY_MS = 86_400_000

describe('lanes', () => {
  test('cost an idle queue what long polling promises: 4,320 receives a day at 20 s', async () => {
    const sqs = newSqs()
    const queue = sqs.create('idle')
    const rig = await new Rig(sqs, () => [queue], { options: { waitSeconds: 20, maxLanes: 16 } }).open()
    const before = rig.counters.receives
    await rig.clock.advance(DAY_MS / 24)
    assert.equal(rig.counters.receives - before, 4320 / 24)
    assert.equal(sqs.requests.length, rig.counters.receives, 'nothing but receives')
    await rig.stop()
  })

  test('grow to their maximum under a backlog, and are one again when it is gone', async () => {
    const sqs = newSqs()
    const queue = sqs.create('busy')
    for (const body of numbered(2000)) sqs.send(queue, body)
    let [now, most] = [0, 0]
    const receive = sqs.receive.bind(sqs)
    sqs.receive = async (...args) => {
      most = Math.max(most, ++now)
      // An answer takes a while, so that lanes are under way beside each other.
      await rig.clock.sleep(5)
      return receive(...args).finally(() => now--)
    }
    const rig = new Rig(sqs, () => [queue], { options: { maxLanes: 4, maxRecords: 10_000 } })
    await rig.start()
    const connected = rig.connect()
    await rig.clock.advance(1000)
    await connected
    assert.equal(most, 4)
    assert.equal(rig.stats.queueSize, 2000)
    await rig.clock.advance(10_000)
    assert.equal(now, 1, 'one long poll')
    await rig.deliver()
    assert.equal(rig.kafka.length, 2000)
    await rig.stop()
  })

  test('do not receive while the queue has no room for records, and go on when it has', async () => {
    const sqs = newSqs()
    const queue = sqs.create('busy')
    for (const body of numbered(200)) sqs.send(queue, body)
    const rig = await new Rig(sqs, () => [queue], { options: { maxRecords: 55 } }).open()
    await rig.clock.advance(60_000)
    assert.equal(rig.stats.queueSize, 50, 'ten more might not fit')
    const receives = rig.counters.receives
    await rig.clock.advance(60_000)
    assert.equal(rig.counters.receives, receives)
    await rig.deliver()
    assert.deepEqual(new Set(rig.kafka), new Set(numbered(200)))
    assert.equal(rig.counters.deduplicated, 0, 'what waited was hidden all the time')
    await rig.stop()
  })

  test('do not receive while the bytes of the queue are used up', async () => {
    const sqs = newSqs()
    const queue = sqs.create('large')
    for (let i = 0; i < 100; i++) sqs.send(queue, 'x'.repeat(1000))
    const rig = await new Rig(sqs, () => [queue], { options: { maxBytes: 25_000 } }).open()
    await rig.clock.advance(60_000)
    assert.ok(rig.stats.queueBytes >= 25_000 && rig.stats.queueBytes <= 25_000 + 4 * 10_000, `${rig.stats.queueBytes}`)
    await rig.deliver()
    assert.equal(rig.kafka.length, 100)
    await rig.stop()
  })

  test('do not receive while the task has too much of the memory of the process', async () => {
    const sqs = newSqs()
    const queue = sqs.create('large')
    for (let i = 0; i < 100; i++) sqs.send(queue, 'x'.repeat(1000))
    const memory = new MemoryBudget(50_000).share()
    const rig = await new Rig(sqs, () => [queue], { memory }).open()
    await rig.clock.advance(60_000)
    assert.ok(memory.waiting, `${memory.used}`)
    assert.ok(rig.stats.queueSize < 70, `${rig.stats.queueSize}`)
    await rig.deliver()
    assert.equal(rig.kafka.length, 100)
    assert.equal(rig.counters.deduplicated, 0)
    await rig.stop()
  })

  test('pause for poll.interval.ms between short polls that bring nothing', async () => {
    const sqs = newSqs()
    const queue = sqs.create('idle')
    const rig = await new Rig(sqs, () => [queue], { options: { waitSeconds: 0, pollIntervalMs: 1000 } }).open()
    const before = rig.counters.receives
    await rig.clock.advance(60_000)
    assert.equal(rig.counters.receives - before, 60)
    await rig.stop()
  })

  test('wait at a stop for a long poll that SQS may have answered, and give back what it brings', async () => {
    const sqs = newSqs()
    const queue = sqs.create('late')
    const rig = await new Rig(sqs, () => [queue]).open()
    await rig.stop()
    sqs.send(queue, 'late')
    await rig.clock.advance(50)
    assert.deepEqual([rig.counters.returned, sqs.visible(queue)], [1, ['late']])
    assert.equal(sqs.closed, true, 'only now')
  })

  test('ask a FIFO queue at a stop again for what a long poll that was given up was answered', async () => {
    const sqs = newSqs()
    const queue = sqs.create('late.fifo')
    const receive = sqs.receive.bind(sqs)
    const attempts: (string | undefined)[] = []
    sqs.receive = (...args) => {
      attempts.push(args[1].attemptId)
      return receive(...args)
    }
    const rig = await new Rig(sqs, () => [queue]).open()
    await rig.stop()
    await rig.clock.advance(0)
    assert.ok(sqs.closed, 'at once')
    assert.equal(attempts.at(-1), attempts.at(-2))
    assert.notEqual(attempts.at(-1), undefined)
  })

  test('go on after a pause without another long poll beside the one that is out', async () => {
    const sqs = newSqs()
    const queue = sqs.create('idle')
    const rig = await new Rig(sqs, () => [queue]).open()
    const before = rig.counters.receives
    for (let i = 0; i < 5; i++) {
      rig.task.paused!()
      rig.task.resumed!()
    }
    await rig.clock.advance(60_000)
    assert.equal(rig.counters.receives - before, 6)
    await rig.stop()
  })
})
