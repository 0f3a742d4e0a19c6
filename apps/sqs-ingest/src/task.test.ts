import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, RetriableError } from '@tributary/connect-api'
import { newSqs, numbered, Rig } from '../test/task-rig.ts'

test('a message is received, polled, acknowledged, and only then deleted', async () => {
  const sqs = newSqs()
  const queue = sqs.create('orders')
  const rig = await new Rig(sqs, () => [queue]).open()
  for (const body of numbered(25)) sqs.send(queue, body)
  await rig.clock.advance(0)
  const records = await rig.poll()
  assert.equal(records.length, 25)
  await rig.clock.advance(1000)
  assert.equal(sqs.count('delete'), 0, 'Kafka has nothing yet')
  await rig.acknowledge()
  await rig.clock.advance(199)
  assert.deepEqual(
    sqs.requests.filter(({ call }) => call === 'delete').map(({ entries }) => entries),
    [10, 10],
    'the rest waits for others',
  )
  await rig.clock.advance(1)
  assert.deepEqual(sqs.bodies(queue), [])
  assert.deepEqual(rig.kafka, numbered(25))
  assert.deepEqual([rig.counters.deleted, rig.stats.messagesReceived, rig.stats.queueSize], [25, 25, 0])
  await rig.stop()
})

const outage = (): never => {
  throw new RetriableError('SQS_OUTAGE', 'SQS is away')
}

const gone = (): never => {
  throw new ConfigError('SQS_QUEUE_GONE', 'there is no queue one')
}

describe('a task of several queues', () => {
  test('reads all of them, each with its share of the room', async () => {
    const sqs = newSqs()
    const [loud, quiet] = [sqs.create('loud'), sqs.create('quiet')]
    for (const body of numbered(500)) sqs.send(loud, body)
    const rig = await new Rig(sqs, () => [loud, quiet], { options: { maxRecords: 100, maxPollRecords: 20 } }).open()
    await rig.clock.advance(1000)
    assert.equal(rig.stats.queueSize, 50, 'the loud one has its half')
    sqs.send(quiet, 'quiet')
    await rig.clock.advance(0)
    for (let i = 0; i < 3; i++) await rig.poll()
    await rig.acknowledge()
    assert.ok(rig.kafka.includes('quiet'), 'behind what was there already')
    await rig.deliver()
    assert.equal(rig.kafka.length, 501)
    await rig.stop()
  })

  test('goes on with the others while one cannot be read, tries that one again, and says so', async () => {
    const sqs = newSqs()
    const [good, ill] = [sqs.create('good'), sqs.create('ill')]
    let away = true
    sqs.onRequest = (_call, url) => (away && url === ill.url ? outage() : undefined)
    const rig = await new Rig(sqs, () => [good, ill]).open()
    sqs.send(good, 'a')
    sqs.send(ill, 'b')
    await rig.clock.advance(5000)
    await rig.deliver()
    assert.deepEqual(rig.kafka, ['a'])
    assert.equal(rig.task.caution!(), 'Queue ill cannot be read: SQS is away.')
    away = false
    await rig.clock.advance(60_000)
    await rig.deliver()
    assert.deepEqual([rig.kafka, rig.task.caution!()], [['a', 'b'], null])
    await rig.stop()
  })

  test('loses its connection when none can be read, after what was received; the next connect goes on', async () => {
    const sqs = newSqs()
    const [one, two] = [sqs.create('one'), sqs.create('two')]
    sqs.send(one, 'a')
    const rig = await new Rig(sqs, () => [one, two]).open()
    let away = true
    sqs.onRequest = (call) => (away && call === 'receive' ? outage() : undefined)
    await rig.clock.advance(11_000)
    assert.deepEqual(
      (await rig.pollNow()).map(({ value }) => value),
      ['a'],
    )
    await assert.rejects(rig.pollNow(), { code: 'SQS_UNREADABLE', message: 'SQS is away' })
    await rig.acknowledge()
    await assert.rejects(rig.connect(), { code: 'SQS_UNREADABLE' })
    assert.equal(rig.task.caution!(), null, 'health has it from the error')
    away = false
    await rig.connect()
    sqs.send(two, 'b')
    await rig.deliver()
    assert.deepEqual(rig.kafka, ['a', 'b'])
    await rig.stop()
  })

  test('looks its queues up again: reads those that came, and settles what it holds of those that went', async () => {
    const sqs = newSqs()
    const [one, two] = [sqs.create('one'), sqs.create('two')]
    let queues = [one]
    for (const body of numbered(15)) sqs.send(one, body)
    const rig = await new Rig(sqs, () => queues, { options: { maxPollRecords: 10 } }).open()
    await rig.poll()
    queues = [two]
    sqs.send(two, 'b')
    await rig.clock.advance(60_000)
    await rig.poll()
    await rig.clock.advance(100)
    assert.deepEqual(sqs.visible(one), numbered(5, 10), 'what was not polled went back')
    await rig.deliver()
    assert.deepEqual(rig.kafka, [...numbered(10), 'b'])
    assert.deepEqual([sqs.bodies(one), sqs.bodies(two)], [numbered(5, 10), []])
    await rig.stop()
  })

  test('says in health that they cannot be looked up again, and reads those that it knows', async () => {
    const sqs = newSqs()
    const queue = sqs.create('one')
    let denied = false
    const refusal = new ConfigError('SQS_DENIED', 'grant sqs:ListQueues.')
    const resolve = () => (denied ? Promise.reject(refusal) : Promise.resolve([queue]))
    const queues = { resolve, lookAgainMs: 60_000, mayGo: () => true }
    const rig = await new Rig(sqs, () => [queue], { parts: { queues } }).open()
    denied = true
    await rig.clock.advance(60_000)
    await rig.poll()
    assert.equal(
      rig.task.caution!(),
      'The queues could not be looked up again, so new ones are not read: grant sqs:ListQueues.',
    )
    sqs.send(queue, 'a')
    await rig.deliver()
    denied = false
    await rig.clock.advance(60_000)
    await rig.poll()
    assert.deepEqual([rig.kafka, rig.task.caution!()], [['a'], null])
    await rig.stop()
  })

  test('lets one go that was deleted, if a prefix names it, with what Kafka has of it and SQS no longer', async () => {
    for (const mode of ['consume', 'mirror'] as const) {
      const sqs = newSqs()
      const [one, two] = [sqs.create('one'), sqs.create('two')]
      let queues = [one, two]
      sqs.send(one, 'a')
      const rig = await new Rig(sqs, () => queues, { mayGo: true, options: { mode } }).open()
      assert.equal((await rig.poll()).length, 1)
      sqs.onRequest = (_call, url) => (url === one.url ? gone() : undefined)
      await rig.clock.advance(11_000)
      await rig.acknowledge()
      await rig.clock.advance(1000)
      assert.equal(rig.task.caution!(), 'Queue one cannot be read: there is no queue one.')
      queues = [two]
      await rig.clock.advance(60_000)
      sqs.send(two, 'b')
      await rig.deliver()
      assert.deepEqual([rig.kafka, rig.task.caution!()], [['a', 'b'], null])
      await rig.stop()
    }
  })

  test('waits for new ones when all that a prefix named were deleted', async () => {
    const sqs = newSqs()
    const [one, two] = [sqs.create('one'), sqs.create('two')]
    let queues = [one]
    const rig = await new Rig(sqs, () => queues, { mayGo: true }).open()
    sqs.onRequest = (_call, url) => (url === one.url ? gone() : undefined)
    await rig.clock.advance(11_000)
    await assert.rejects(rig.pollNow(), { code: 'SQS_UNREADABLE', message: 'there is no queue one' })
    await assert.rejects(rig.connect(), { code: 'SQS_UNREADABLE' }, 'a list of SQS is up to a minute old')
    queues = []
    await rig.connect()
    queues = [two]
    sqs.send(two, 'b')
    await rig.clock.advance(60_000)
    await rig.deliver()
    assert.deepEqual(rig.kafka, ['b'])
    await rig.stop()
  })

  test('fails when a user must change something about one of them', async () => {
    const sqs = newSqs()
    const queue = sqs.create('one')
    sqs.onRequest = () => {
      throw new ConfigError('SQS_DENIED', 'grant sqs:ReceiveMessage')
    }
    const rig = new Rig(sqs, () => [queue])
    await rig.start()
    await assert.rejects(rig.connect(), /grant sqs:ReceiveMessage/)
    await rig.stop()
  })
})

test('a receive that fails does not return what other receives bring', async () => {
  const sqs = newSqs()
  const queue = sqs.create('busy')
  for (const body of numbered(300)) sqs.send(queue, body)
  let receives = 0
  const receive = sqs.receive.bind(sqs)
  sqs.receive = async (...args) => {
    const nth = ++receives
    await sqs.clock.sleep(nth === 20 ? 1 : 5)
    return nth === 20 ? outage() : receive(...args)
  }
  const rig = new Rig(sqs, () => [queue])
  await rig.start()
  const connected = rig.connect()
  await rig.clock.advance(1000)
  await connected
  const pollOn = async (): Promise<void> => {
    for (;;) {
      await rig.poll()
      await rig.acknowledge()
    }
  }
  await assert.rejects(pollOn(), { code: 'SQS_UNREADABLE' })
  assert.equal(rig.counters.returned, 0)
  const again = rig.connect()
  await rig.clock.advance(1000)
  await again
  await rig.deliver()
  assert.deepEqual(new Set(rig.kafka), new Set(numbered(300)))
  await rig.stop()
})

test('a queue that could not be read is not tried again during a pause', async () => {
  const sqs = newSqs()
  const [good, ill] = [sqs.create('good'), sqs.create('ill')]
  let away = true
  sqs.onRequest = (_call, url) => (away && url === ill.url ? outage() : undefined)
  const rig = await new Rig(sqs, () => [good, ill]).open()
  rig.task.paused!()
  away = false
  sqs.send(ill, 'b')
  await rig.clock.advance(120_000)
  assert.deepEqual(sqs.visible(ill), ['b'])
  rig.task.resumed!()
  await rig.deliver()
  assert.deepEqual(rig.kafka, ['b'])
  await rig.stop()
})

test('a connect that is given up keeps what it received', async () => {
  const sqs = newSqs()
  const queue = sqs.create('slow')
  sqs.send(queue, 'a')
  sqs.onRequest = () => sqs.clock.sleep(5000)
  const rig = new Rig(sqs, () => [queue])
  await rig.start()
  const given = new AbortController()
  const connecting = rig.task.connect(given.signal)
  await rig.clock.advance(1000)
  given.abort(new Error('too long'))
  await assert.rejects(connecting, /too long/)
  await rig.clock.advance(5000)
  await rig.connect()
  sqs.onRequest = () => {}
  await rig.deliver()
  assert.deepEqual(rig.kafka, ['a'])
  await rig.stop()
})

test('stops before its start and twice, and is of no use after it', async () => {
  const sqs = newSqs()
  const queue = sqs.create('one')
  const rig = new Rig(sqs, () => [queue])
  await rig.task.stop()
  await rig.open()
  await rig.stop()
  await rig.task.stop()
  assert.equal(rig.task.caution!(), null)
})

test('a stop ends in time although SQS does not answer', async () => {
  const sqs = newSqs()
  const queue = sqs.create('one')
  sqs.send(queue, 'a')
  const rig = await new Rig(sqs, () => [queue]).open()
  sqs.onRequest = () => new Promise(() => {})
  rig.task.drain!()
  let stopped = false
  void rig.task.stop().then(() => (stopped = true))
  await rig.clock.advance(2900)
  assert.equal(stopped, false)
  await rig.clock.advance(100)
  assert.equal(stopped, true)
})

for (const [name, count, waits] of [
  ['idle', 1, false],
  ['busy', 100, true],
  ['busy.fifo', 100, false],
] as const) {
  test(`a poll of the queue ${name} ${waits ? 'waits for' : 'does not wait for'} more messages than are ready`, async () => {
    const sqs = newSqs()
    const queue = sqs.create(name)
    for (const body of numbered(count)) sqs.send(queue, body, { group: body })
    const rig = await new Rig(sqs, () => [queue]).open()
    let polled = false
    const polling = rig.pollNow().finally(() => (polled = true))
    await rig.clock.advance(19)
    assert.equal(polled, !waits)
    await rig.clock.advance(1)
    assert.equal((await polling).length, count)
    await rig.stop()
  })
}

test('without a visibility timeout the queue has its own, which is extended', async () => {
  const sqs = newSqs()
  const queue = sqs.create('one', { VisibilityTimeout: '60' })
  sqs.send(queue, 'a')
  const rig = await new Rig(sqs, () => [queue], { options: { visibilitySeconds: 0 } }).open()
  await rig.poll()
  await rig.clock.advance(29_000)
  assert.deepEqual([sqs.count('visibility'), Math.round(sqs.hiddenFor(queue, 'a') / 1000)], [0, 31])
  await rig.clock.advance(60_000)
  assert.equal(sqs.receivesOf(queue, 'a'), 1)
  await rig.stop()
})

test('the lanes of all queues together are bounded, and each queue has one', async () => {
  const sqs = newSqs()
  const queues = ['a', 'b', 'c'].map((name) => sqs.create(name))
  for (const queue of queues) for (const body of numbered(300)) sqs.send(queue, `${queue.name}${body}`)
  let [now, most] = [0, 0]
  const receive = sqs.receive.bind(sqs)
  sqs.receive = async (...args) => {
    most = Math.max(most, ++now)
    await sqs.clock.sleep(5)
    return receive(...args).finally(() => now--)
  }
  const rig = new Rig(sqs, () => queues, { options: { maxLanes: 5, maxRecords: 2000 } })
  await rig.start()
  const connected = rig.connect()
  await rig.clock.advance(1000)
  await connected
  assert.equal(most, 5)
  await rig.deliver()
  assert.equal(rig.kafka.length, 900)
  await rig.stop()
})
