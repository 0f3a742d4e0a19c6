import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import type { RetriableError } from '@tributary/connect-api'
import { producerErrors } from '../errors.ts'
import { FakeWire, type SeenBatch } from '../testing/fake-wire.ts'
import type { ProducerRecord } from '../api/record.ts'
import type { KafkaProducer } from '../api/types.ts'
import { type PooledProducerOptions, ProducerPool } from './producer-pool.ts'

const MESSAGE_TOO_LARGE = 10
const UNKNOWN_TOPIC_OR_PARTITION = 3
const REQUEST_TIMED_OUT = 7
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45
const TOPIC_AUTHORIZATION_FAILED = 29
const UNKNOWN_SERVER_ERROR = -1

const never = new AbortController().signal
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const ms = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time))

/** A pool on fake wires, and its started producers. */
class Scene {
  readonly wires: FakeWire[] = []
  readonly pool = new ProducerPool(() => {
    const wire = new FakeWire()
    wire.answer = (batch) => {
      this.sent.push(batch)
      return this.answer(batch.values, this.sent.length)
    }
    this.wires.push(wire)
    return wire
  })
  /** The batches as they were sent, over all wires. */
  readonly sent: SeenBatch[] = []
  /** The answer to a batch, by its values and its number. */
  answer: (values: readonly string[], number: number) => number | Error = () => 0

  async start(options: PooledProducerOptions = {}): Promise<KafkaProducer> {
    const producer = this.pool.create({ retryBackoffMs: 1, ...options })
    await producer.start(never)
    return producer
  }

  get batches(): (readonly string[])[] {
    return this.sent.map(({ values }) => values)
  }
}

function records(prefix: string, count = 1, partition = 0, topic = 't'): ProducerRecord[] {
  return Array.from({ length: count }, (_, i) => {
    return { topic, partition, key: null, value: Buffer.from(`${prefix}${i}`), timestamp: 0 }
  })
}

const noAnswer = (): RetriableError => producerErrors.KAFKA_NO_ANSWER('cut')

test('producers with equal settings share one connection, one producer id and the requests', async () => {
  const scene = new Scene()
  const [a, b, c] = [await scene.start(), await scene.start(), await scene.start({ clientId: 'other' })]
  assert.equal(scene.wires.length, 2)
  await a.send(records('first'), never)
  await turn()
  await Promise.all([a.send(records('a'), never), b.send(records('b'), never), b.send(records('b', 1, 1), never)])
  await c.send(records('c'), never)
  assert.deepEqual(scene.wires[0]!.transactionRequests, ['init'])
  assert.deepEqual(
    scene.wires[0]!.requests.at(-1)!.map(({ values }) => values),
    [['a0', 'b0'], ['b0']],
  )
  await scene.start({ transactionalId: 'x' })
  await scene.start({ transactionalId: 'y' })
  assert.equal(scene.wires.length, 4, 'transactional producers share nothing')
})

test('the first batch of a turn leaves at once, the others of the turn share a request at its end', async () => {
  const scene = new Scene()
  const producers = await Promise.all(Array.from({ length: 4 }, () => scene.start()))
  await producers[0]!.send(records('first'), never)
  await turn()
  await turn()
  const sends: Promise<unknown>[] = []
  for (const [i, producer] of producers.entries()) {
    sends.push(producer.send(records('x', 1, i), never))
    await Promise.resolve()
  }
  await Promise.all(sends)
  assert.deepEqual(
    scene.wires[0]!.requests.slice(1).map((batches) => batches.length),
    [1, 3],
  )
})

test("a record that is too large fails its own send alone, and later records of its producer share no neighbour's batch", async () => {
  const scene = new Scene()
  const [a, b] = [await scene.start(), await scene.start()]
  scene.answer = (values) => (values.includes('bad1') ? MESSAGE_TOO_LARGE : 0)
  const sends = [b.send(records('b', 2), never), a.send(records('bad', 3), never), b.send(records('c', 2), never)]
  const [first, refused, last] = await Promise.all(sends)
  assert.deepEqual([first!.failures, last!.failures], [[], []])
  assert.deepEqual(
    refused!.failures.map(({ index, error }) => [index, error.code]),
    [[1, 'RECORD_TOO_LARGE']],
  )
  const written = scene.batches.filter((values) => !values.includes('bad1')).flat()
  assert.deepEqual(written, ['b0', 'b1', 'bad0', 'bad2', 'c0', 'c1'])
  const before = scene.batches.length
  await Promise.all([b.send(records('d'), never), a.send(records('bad', 2), never), b.send(records('e'), never)])
  assert.deepEqual(scene.batches.slice(before), [['d0'], ['bad0', 'bad1'], ['bad0'], ['bad1'], ['e0']])
})

test('records whose producer has no lease are passed by, and leave in order once it has one', async () => {
  const scene = new Scene()
  let may = false
  const [a, b] = [await scene.start({ maySend: () => may }), await scene.start()]
  const waiting = [a.send(records('a', 2), never), a.send(records('A'), never)]
  await b.send(records('b', 2), never)
  await ms(10)
  const late = a.send(records('z'), never)
  assert.deepEqual(scene.batches, [['b0', 'b1']])
  may = true
  await Promise.all([...waiting, late])
  assert.deepEqual(scene.batches.flat(), ['b0', 'b1', 'a0', 'a1', 'A0', 'z0'])
})

test('records that were refused together, and lose and get their lease meanwhile, keep their order', async () => {
  const scene = new Scene()
  let may = true
  const [a, b] = [await scene.start({ maySend: () => may }), await scene.start()]
  scene.answer = (_values, number) => {
    may = number > 1
    return number > 1 ? 0 : MESSAGE_TOO_LARGE
  }
  const send = (producer: KafkaProducer, name: string) => producer.send(records(name), never)
  await Promise.all([send(a, 'a'), send(b, 'b'), send(a, 'A'), send(b, 'B')])
  assert.deepEqual(scene.batches.slice(1), [['b0'], ['B0'], ['a0', 'A0']])
})

test('a batch that was certainly not written is sent again without the records of a lost lease, under the same numbers', async () => {
  const scene = new Scene()
  let may = true
  const [a, b] = [await scene.start({ maySend: () => may }), await scene.start()]
  scene.answer = (_values, number) => {
    if (number > 1) return 0
    may = false
    return producerErrors.KAFKA_UNREACHABLE('refused')
  }
  const held = a.send(records('a'), never)
  await b.send(records('b'), never)
  may = true
  await held
  assert.deepEqual(
    scene.sent.map(({ values, identity, baseSequence }) => [values, identity.epoch, baseSequence]),
    [
      [['a0', 'b0'], 0, 0],
      [['b0'], 0, 0],
      [['a0'], 0, 1],
    ],
  )
})

test('a batch in doubt is sent again without the records of a lost lease, under a new epoch', async () => {
  const scene = new Scene()
  let may = true
  const [a, b] = [await scene.start({ maySend: () => may }), await scene.start()]
  scene.answer = (_values, number) => {
    if (!may || number > 1) return 0
    may = false
    return noAnswer()
  }
  const held = a.send(records('a'), never)
  await Promise.all([b.send(records('b'), never), b.send(records('c'), never)])
  assert.deepEqual(
    scene.sent.map(({ values, identity, baseSequence }) => [values, identity.epoch, baseSequence]),
    [
      [['a0', 'b0', 'c0'], 0, 0],
      [['b0', 'c0'], 1, 0],
    ],
  )
  may = true
  await held
  assert.deepEqual([scene.sent.at(-1)!.values, scene.sent.at(-1)!.baseSequence], [['a0'], 2])
})

test('while no producer of a batch has a lease, it waits and keeps its numbers', async () => {
  const scene = new Scene()
  let may = true
  const maySend = (): boolean => may
  const [a, b] = [await scene.start({ maySend }), await scene.start({ maySend })]
  scene.answer = (_values, number) => {
    may = number > 1
    return number > 1 ? 0 : noAnswer()
  }
  const sends = Promise.all([a.send(records('a'), never), b.send(records('b'), never)])
  await ms(10)
  assert.equal(scene.sent.length, 1)
  may = true
  scene.answer = () => 0
  await sends
  assert.deepEqual(scene.sent[1], scene.sent[0])
})

test('closing a producer in an outage ends its own sends; its neighbour goes on, in order, without its records', async () => {
  const scene = new Scene()
  const [a, b] = [await scene.start(), await scene.start()]
  scene.answer = () => noAnswer()
  const ended = assert.rejects(a.send(records('a'), never), { code: 'PRODUCER_CLOSED' })
  const kept = [b.send(records('b'), never), b.send(records('c'), never)]
  while (scene.sent.length < 3) await turn()
  await Promise.all([a.close(), ended])
  const before = scene.sent.length
  scene.answer = () => 0
  await Promise.all(kept)
  assert.deepEqual(scene.batches.slice(before).flat(), ['b0', 'c0'])
  assert.deepEqual([scene.sent.at(-1)!.identity.epoch, scene.sent.at(-1)!.baseSequence], [1, 0])
  await assert.rejects(a.send(records('a'), never), { code: 'PRODUCER_NOT_STARTED' })
  await b.send(records('d'), never)
  assert.equal(b.inFlightBytes, 0)
})

test('a send that is given up is forgotten; those of others in the same queue go on', async () => {
  const scene = new Scene()
  let may = false
  const [a, b] = [await scene.start({ maySend: () => may }), await scene.start({ maySend: () => may })]
  const stop = new AbortController()
  const given = assert.rejects(a.send(records('a'), stop.signal), { message: 'stop' })
  const kept = b.send(records('b'), never)
  stop.abort(new Error('stop'))
  await given
  may = true
  await kept
  assert.deepEqual(scene.batches, [['b0']])
})

test('what remains of a failed send in other partitions is not sent any more', async () => {
  const scene = new Scene()
  let may = true
  const [a, b] = [await scene.start({ maySend: () => may }), await scene.start()]
  scene.answer = (values) => {
    may = !values.includes('x0')
    return values.includes('x0') ? TOPIC_AUTHORIZATION_FAILED : 0
  }
  const busy = b.send(records('b', 1, 1), never)
  await assert.rejects(a.send([...records('x'), ...records('y', 1, 1)], never), { code: 'TOPIC_AUTHORIZATION_FAILED' })
  await busy
  await a.close()
  await b.send(records('c', 1, 1), never)
  await ms(5)
  assert.ok(scene.sent.length >= 3)
  const afterFailure = scene.batches.slice(scene.batches.findIndex((values) => values.includes('x0')) + 1)
  assert.ok(!afterFailure.flat().includes('y0'))
})

test('a deleted topic ends the sends to it and no others', async () => {
  const scene = new Scene()
  const [a, b] = [await scene.start(), await scene.start()]
  scene.answer = (values) => (values[0]!.startsWith('gone') ? UNKNOWN_TOPIC_OR_PARTITION : 0)
  const gone = assert.rejects(a.send(records('gone', 1, 0, 'deleted'), never), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  for (let i = 0; i < 3; i++) assert.deepEqual((await b.send(records('b'), never)).failures, [])
  await gone
  await a.send(records('a'), never)
})

test('a new producer asks again whether a topic exists', async () => {
  const scene = new Scene()
  const a = await scene.start()
  await a.partitionCount('t', never)
  await ms(2)
  const b = await scene.start()
  const asked: string[] = []
  const { metadata } = scene.wires[0]!
  scene.wires[0]!.metadata = (...args) => {
    asked.push('t')
    return metadata.apply(scene.wires[0]!, args)
  }
  await a.partitionCount('t', never)
  assert.deepEqual(asked, [])
  await b.partitionCount('t', never)
  assert.deepEqual(asked, ['t'])
})

test('the broker forgot the producer: both producers are told, and all records are sent again in order', async () => {
  const scene = new Scene()
  const told: string[] = []
  const log = (name: string) => ({ warn: (event: string) => told.push(`${name} ${event}`) }) as never
  const [a, b] = [await scene.start({ log: log('a') }), await scene.start({ log: log('b') })]
  scene.answer = (_values, number) => (number === 1 ? OUT_OF_ORDER_SEQUENCE_NUMBER : 0)
  await Promise.all([a.send(records('a'), never), b.send(records('b'), never), a.send(records('c'), never)])
  assert.deepEqual(scene.batches, [
    ['a0', 'b0', 'c0'],
    ['a0', 'b0', 'c0'],
  ])
  assert.deepEqual([scene.sent[1]!.identity.epoch, scene.sent[1]!.baseSequence], [1, 0])
  assert.deepEqual(told, ['a producer_state_lost', 'b producer_state_lost'])
})

test('a record that cannot be encoded, and one that breaks the broker, fail their own send alone', async () => {
  const scene = new Scene()
  const [a, b] = [await scene.start({ compression: 'gzip' }), await scene.start({ compression: 'gzip' })]
  await b.send(records('first'), never)
  await turn()
  const unwritable = records('n').map((record) => ({ ...record, timestamp: 1.5 }))
  const sends = [b.send(records('b'), never), a.send(unwritable, never), b.send(records('c', 1, 1), never)]
  const outcomes = await Promise.allSettled(sends)
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  scene.answer = (values) => (values.includes('poison0') ? UNKNOWN_SERVER_ERROR : 0)
  const poisoned = await Promise.allSettled([b.send(records('d'), never), a.send(records('poison'), never)])
  assert.deepEqual(
    poisoned.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
})

test('an outage is reported to the producers whose records wait, until it ends or they close', async () => {
  const scene = new Scene()
  const states: string[] = []
  const onOutage = (name: string) => (state: string) => states.push(`${name} ${state}`)
  const names = ['a', 'b', 'c', 'd', 'e']
  const [a, b, c, d, e] = await Promise.all(names.map((name) => scene.start({ onOutage: onOutage(name) })))
  await c!.send(records('c'), never)
  scene.answer = () => noAnswer()
  const sends = [a!.send(records('a'), never), b!.send(records('b'), never)]
  void d!.send(records('d'), never).catch(() => undefined)
  while (states.length < 3) await ms(1)
  await d!.close()
  sends.push(e!.send(records('waiting'), never))
  while (states.length < 4) await ms(1)
  scene.answer = () => 0
  await Promise.all(sends)
  assert.deepEqual(states, ['a down', 'b down', 'd down', 'e down', 'a up', 'b up', 'e up'])
})

test('a batch that failed shares neither request nor connection with others until it is written', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const scene = new Scene()
  const [a, b] = [await scene.start({ retryBackoffMs: 5 }), await scene.start({ retryBackoffMs: 5 })]
  scene.answer = (values, number) => (values.includes('slow0') && number < 3 ? REQUEST_TIMED_OUT : 0)
  await b.send(records('first', 1, 1), never)
  await turn()
  const stuck = a.send(records('slow'), never)
  await turn()
  await turn()
  t.mock.timers.tick(10)
  await Promise.all([stuck, b.send(records('b', 1, 1), never)])
  await a.send(records('a'), never)
  const [main, retries] = scene.wires.map(({ requests }) => requests.flat().flatMap(({ values }) => values))
  assert.deepEqual([main, retries], [['first0', 'slow0', 'b0', 'a0'], ['slow0']])
})

test('the queue of a partition that nobody uses any more is forgotten, and the next one begins a new epoch', async () => {
  const scene = new Scene()
  const [a, b] = [await scene.start(), await scene.start()]
  await a.send(records('a', 3), never)
  await b.send(records('b', 1, 1), never)
  await a.close()
  const c = await scene.start()
  await c.send(records('c'), never)
  await b.send(records('d', 1, 1), never)
  assert.deepEqual(
    scene.sent.map(({ partition, identity, baseSequence }) => [partition, identity.epoch, baseSequence]),
    [
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
      [1, 0, 1],
    ],
  )
})

test('a partition that has used up its epochs goes on with another producer id', async () => {
  const scene = new Scene()
  const first = scene.pool.create({ retryBackoffMs: 1 })
  scene.wires[0]!.nextEpoch = 0x7fff
  await first.start(never)
  scene.wires[0]!.nextEpoch = 0
  scene.answer = (_values, number) => (number === 1 ? OUT_OF_ORDER_SEQUENCE_NUMBER : 0)
  await first.send(records('a'), never)
  await (await scene.start()).send(records('b', 1, 1), never)
  assert.deepEqual(
    scene.sent.map(({ values, identity }) => [values[0], identity.epoch]),
    [
      ['a0', 0x7fff],
      ['a0', 0],
      ['b0', 0],
    ],
  )
})

test('connections and timers that producers share belong to no task', async () => {
  const scope = new AsyncLocalStorage<string>()
  const scene = new Scene()
  const seen: unknown[] = []
  scene.answer = (_values, number) => {
    seen.push(scope.getStore())
    return number === 1 ? REQUEST_TIMED_OUT : 0
  }
  await scope.run('task', async () => {
    const producer = await scene.start({ lingerMs: 1 })
    const wire = scene.wires[0]!
    const { metadata } = wire
    wire.metadata = (...args) => {
      seen.push(scope.getStore())
      return metadata.apply(wire, args)
    }
    await producer.partitionCount('t', never)
    await producer.send(records('a'), never)
    assert.equal(scope.getStore(), 'task')
  })
  assert.deepEqual(seen, [undefined, undefined, undefined])
})

test('the last producer to close closes the connections', async () => {
  const scene = new Scene()
  const [a, b] = [await scene.start(), await scene.start()]
  let closed = 0
  scene.wires[0]!.close = () => Promise.resolve(void closed++)
  await Promise.all([a.close(), a.close()])
  assert.equal(closed, 0)
  await b.send(records('b'), never)
  await b.close()
  assert.equal(closed, 1)
  await scene.start()
  assert.equal(scene.wires.length, 2)
})
