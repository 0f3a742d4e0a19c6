import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RetriableError } from '@tributary/connect-api'
import type { KafkaProducer } from '../api/types.ts'
import { producerErrors } from '../errors.ts'
import { PoolScene, records } from '../testing/pool-scene.ts'

const MESSAGE_TOO_LARGE = 10
const UNKNOWN_TOPIC_OR_PARTITION = 3
const TOPIC_AUTHORIZATION_FAILED = 29
const UNKNOWN_SERVER_ERROR = -1
const never = new AbortController().signal
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const ms = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time))

const noAnswer = (): RetriableError => producerErrors.KAFKA_NO_ANSWER('cut')

test("a record that is too large fails its own send alone, and later records of its producer share no neighbour's batch", async () => {
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
  const [a, b] = [await scene.start(), await scene.start()]
  scene.answer = (values) => (values[0]!.startsWith('gone') ? UNKNOWN_TOPIC_OR_PARTITION : 0)
  const gone = assert.rejects(a.send(records('gone', 1, 0, 'deleted'), never), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  for (let i = 0; i < 3; i++) assert.deepEqual((await b.send(records('b'), never)).failures, [])
  await gone
  await a.send(records('a'), never)
})

test('a record that cannot be encoded, and one that breaks the broker, fail their own send alone', async () => {
  const scene = new PoolScene()
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

test('a batch in doubt at which the broker then fails is taken apart under a new epoch; only what fails alone ends a send', async () => {
  const scene = new PoolScene()
  const [a, b] = [await scene.start(), await scene.start()]
  scene.answer = (values, number) => {
    if (number === 1) return noAnswer()
    return values.includes('poison0') ? UNKNOWN_SERVER_ERROR : 0
  }
  const sends = [b.send(records('b'), never), a.send(records('poison'), never), b.send(records('c'), never)]
  const outcomes = await Promise.allSettled(sends)
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  const [doubtful, again, ...apart] = scene.sent.map(({ identity, values }) => [identity.epoch, ...values])
  assert.deepEqual([doubtful, again], [doubtful, doubtful])
  assert.deepEqual(apart.slice(0, 2), [[1, 'b0'], [1, 'poison0', 'c0']]) // prettier-ignore
})

for (const failure of [UNKNOWN_SERVER_ERROR, new Error('nobody expected this')]) {
  test(`a request that fails as a whole (${String(failure)}) is sent again batch by batch`, async () => {
    const scene = new PoolScene()
    const [a, b, c] = [await scene.start(), await scene.start(), await scene.start()]
    await b.send(records('first'), never)
    await turn()
    const wire = scene.wires[0]!
    const isPoison = ({ values }: { values: readonly string[] }): boolean => values[0] === 'poison0'
    wire.answer = (_batch, request) => (wire.requests[request - 1]!.some(isPoison) ? failure : 0)
    scene.answer = (values) => (isPoison({ values }) ? failure : 0)
    const sends = [
      ...[b.send(records('x', 1, 3), never), b.send(records('b'), never)],
      ...[a.send(records('poison', 1, 1), never), c.send(records('c', 1, 2), never)],
    ]
    const outcomes = await Promise.allSettled(sends)
    assert.ok(wire.requests.some((batches) => batches.length > 1 && batches.some(isPoison)))
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    )
  })
}
