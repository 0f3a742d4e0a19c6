import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RetriableError } from '@tributary/connect-api'
import { producerErrors } from '../errors.ts'
import type { IdempotentProducer } from './producer.ts'
import { alone } from './producer-pool.ts'
import { FakeWire } from '../testing/fake-wire.ts'
import { PackedProducerRecords } from '../api/packed.ts'
import type { ProducerRecord } from '../api/record.ts'
import type { ProducerOptions } from '../api/types.ts'

const NOT_LEADER_OR_FOLLOWER = 6
const MESSAGE_TOO_LARGE = 10
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45
const DUPLICATE_SEQUENCE_NUMBER = 46
const INVALID_PRODUCER_EPOCH = 47
const UNKNOWN_PRODUCER_ID = 59

const never = new AbortController().signal

async function start(options: ProducerOptions = {}): Promise<{ wire: FakeWire; producer: IdempotentProducer }> {
  const wire = new FakeWire()
  const producer = alone(() => wire, { retryBackoffMs: 1, ...options })
  await producer.start(never)
  return { wire, producer }
}

function records(count: number, partition = 0, prefix = ''): ProducerRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    topic: 't',
    partition,
    key: null,
    value: Buffer.from(`${prefix}${i}`),
    timestamp: 0,
  }))
}

/** The records whose values are the digits from `from` up to `to`, exclusive. */
function packed(from: number, to: number): PackedProducerRecords {
  const bounds = Int32Array.from({ length: 20 }, (_, i) => (i + 1) >> 1)
  const selected = Int32Array.from({ length: to - from }, (_, i) => from + i)
  const values = { bytes: Buffer.from('0123456789'), bounds }
  const shared = { topic: 't', partition: 0, keys: null, headers: undefined, timestamps: 0 }
  return new PackedProducerRecords({ ...shared, values, selected, count: selected.length })
}

function noAnswer(): RetriableError {
  return producerErrors.KAFKA_NO_ANSWER('cut')
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a partition has one request in flight; the records sent meanwhile share the next request', async () => {
  const { wire, producer } = await start()
  await producer.send(records(1), never)
  await Promise.all([producer.send(records(2, 0, 'a'), never), producer.send(records(2, 0, 'b'), never)])
  await turn()
  const first = producer.send(records(1, 0, 'c'), never)
  await Promise.resolve()
  await Promise.resolve()
  await Promise.all([first, producer.send(records(1, 0, 'd'), never), producer.send(records(1, 0, 'e'), never)])
  assert.deepEqual(
    wire.requests.flat().map(({ values }) => values),
    [['0'], ['a0', 'a1', 'b0', 'b1'], ['c0'], ['d0', 'e0']],
  )
  assert.deepEqual(
    wire.requests.flat().map(({ baseSequence }) => baseSequence),
    [0, 1, 5, 6],
  )
})

test('with a linger, records wait for others, counted from the first one, unless they fill a request', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { wire, producer } = await start({ lingerMs: 20, maxRequestRecords: 3 })
  const values = (): unknown => wire.requests.flat().map((batch) => batch.values)
  const first = producer.send(records(1, 0, 'a'), never)
  t.mock.timers.tick(15)
  const second = producer.send(records(1, 0, 'b'), never)
  t.mock.timers.tick(4)
  await turn()
  assert.deepEqual(values(), [])
  t.mock.timers.tick(1)
  await Promise.all([first, second])
  assert.deepEqual(values(), [['a0', 'b0']])
  await producer.send(records(3, 0, 'c'), never)
  assert.deepEqual(values(), [
    ['a0', 'b0'],
    ['c0', 'c1', 'c2'],
  ])
  const rest = producer.send(records(4, 0, 'd'), never)
  await turn()
  t.mock.timers.tick(20)
  await rest
  assert.deepEqual((values() as unknown[]).slice(2), [['d0', 'd1', 'd2'], ['d3']])
})

test('partitions of one leader share a request', async () => {
  const { wire, producer } = await start()
  await producer.send(records(1), never)
  const result = await producer.send([...records(2, 0), ...records(1, 1), ...records(1, 2), ...records(1, 0)], never)
  assert.deepEqual(
    wire.requests[1]!.map(({ partition, values }) => [partition, values]),
    [
      [0, ['0', '1', '0']],
      [1, ['0']],
      [2, ['0']],
    ],
  )
  assert.deepEqual([result.offset(0), result.offset(1), result.offset(4), result.offset(2)], [1n, 2n, 3n, 4n])
})

test('a request without an answer is repeated with the same sequence numbers', async () => {
  const { wire, producer } = await start()
  wire.answer = (_batch, request) => (request < 4 ? noAnswer() : 0)
  await producer.send(records(3), never)
  const seen = wire.requests.flat()
  assert.equal(seen.length, 4)
  for (const batch of seen) assert.deepEqual(batch, seen[0])
})

test('while maySend is false no request leaves, not even a retry; afterwards all records leave in order', async () => {
  let may = true
  const { wire, producer } = await start({ maySend: () => may })
  wire.answer = (_batch, request) => {
    may = request > 1
    return request === 1 ? noAnswer() : 0
  }
  const sending = Promise.all([producer.send(records(2, 0, 'a'), never), producer.send(records(1, 0, 'b'), never)])
  while (wire.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.equal(wire.requests.length, 1)
  may = true
  await sending
  const [first, second] = wire.requests.flat()
  assert.deepEqual(second, first)
  assert.equal(wire.requests.length, 2)
})

test('a send that is given up while maySend is false never leaves', async () => {
  let may = false
  const { wire, producer } = await start({ maySend: () => may })
  const stop = new AbortController()
  const sending = assert.rejects(producer.send(records(3), stop.signal), { message: 'lost' })
  await new Promise((resolve) => setTimeout(resolve, 10))
  stop.abort(new Error('lost'))
  await sending
  may = true
  await producer.send(records(1, 0, 'x'), never)
  assert.deepEqual(
    wire.requests.flat().map(({ values, baseSequence }) => [values, baseSequence]),
    [[['x0'], 0]],
  )
})

test('an answer of one partition does not hold back the others', async () => {
  const { wire, producer } = await start()
  wire.answer = ({ partition }, request) => (partition === 1 && request === 1 ? NOT_LEADER_OR_FOLLOWER : 0)
  await producer.send(records(1, 0), never)
  wire.answer = ({ partition }, request) => (partition === 1 && request === 2 ? NOT_LEADER_OR_FOLLOWER : 0)
  await producer.send([...records(1, 0), ...records(1, 1)], never)
  assert.deepEqual(
    wire.requests.map((batches) => batches.map(({ partition }) => partition)),
    [[0], [0, 1], [1]],
  )
})

test('a duplicate counts as written, and its offset is unknown', async () => {
  const { wire, producer } = await start()
  wire.answer = () => DUPLICATE_SEQUENCE_NUMBER
  const result = await producer.send(records(1), never)
  assert.deepEqual([result.offset(0), result.failures], [-1n, []])
})

for (const code of [UNKNOWN_PRODUCER_ID, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH]) {
  test(`the broker forgot us (${code}): a new epoch for that partition, from sequence 0, nothing lost`, async () => {
    const { wire, producer } = await start()
    await producer.send([...records(5, 0), ...records(5, 1)], never)
    const before = wire.requests.length
    wire.answer = ({ partition }, request) => (partition === 0 && request === before + 1 ? code : 0)
    await producer.send([...records(2, 0, 'x'), ...records(2, 1, 'x')], never)
    await producer.send([...records(1, 0, 'y'), ...records(1, 1, 'y')], never)
    const numbers = wire.requests
      .slice(before)
      .flat()
      .map(({ partition, identity, baseSequence }) => [partition, identity.epoch, baseSequence])
    assert.deepEqual(numbers, [
      [0, 0, 5],
      [1, 0, 5],
      [0, 1, 0],
      [0, 1, 2],
      [1, 0, 7],
    ])
  })
}

for (const [form, forms] of [
  ['objects', records(8)],
  ['a pack', [packed(0, 8)]],
  ['a pack between records, and the refused record in it', [...records(2), packed(2, 7), ...records(8).slice(7)]],
] as const) {
  test(`a batch that is too large is halved until the refused record is alone; order is kept and sequence numbers have no gap: ${form}`, async () => {
    const { wire, producer } = await start({ maxRequestRecords: 7 })
    wire.answer = ({ values }) => (values.includes('5') ? MESSAGE_TOO_LARGE : 0)
    const result = await producer.send(forms, never)
    assert.deepEqual(
      result.failures.map(({ index, error }) => [index, error.code]),
      [[5, 'RECORD_TOO_LARGE']],
    )
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((index) => result.offset(index)),
      [0n, 1n, 2n, 3n, 4n, null, 5n, 6n],
    )
    const kept = wire.requests.flat().filter(({ values }) => !values.includes('5'))
    assert.deepEqual(
      kept.flatMap(({ values }) => values),
      ['0', '1', '2', '3', '4', '6', '7'],
    )
    let next = 0
    for (const { baseSequence, values } of kept) {
      assert.equal(baseSequence, next)
      next += values.length
    }
    assert.equal(producer.inFlightBytes, 0)
  })
}

test('a send that is given up while its batch is in doubt does not reuse the sequence numbers', async () => {
  const { wire, producer } = await start({ retryBackoffMs: 10_000 })
  const stop = new AbortController()
  wire.answer = () => noAnswer()
  const sending = assert.rejects(producer.send(records(3), stop.signal), { message: 'stop' })
  while (wire.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  stop.abort(new Error('stop'))
  await sending
  wire.answer = () => 0
  await producer.send(records(3, 0, 'x'), never)
  assert.deepEqual(
    wire.requests.flat().map(({ identity, baseSequence }) => [identity.epoch, baseSequence]),
    [
      [0, 0],
      [1, 0],
    ],
  )
  assert.equal(producer.inFlightBytes, 0)
})

test('an outage is reported once when it starts and once when the last partition has succeeded', async () => {
  const states: string[] = []
  const { wire, producer } = await start({ onOutage: (state) => states.push(state) })
  wire.answer = ({ partition }, request) => (request < 3 || (partition === 1 && request < 6) ? noAnswer() : 0)
  await producer.send([...records(1, 0), ...records(1, 1)], never)
  assert.deepEqual(states, ['down', 'up'])
})

test('a partition is added to a transaction once, several with one request', async () => {
  const { wire, producer } = await start({ transactionalId: 'id' })
  producer.beginTransaction()
  await producer.send(records(1, 3), never)
  await producer.send([...records(1, 0), ...records(1, 1), ...records(1, 3)], never)
  await producer.send(records(1, 1), never)
  await producer.commitTransaction(never)
  assert.deepEqual(wire.transactionRequests, ['init', 'add 3', 'add 0,1', 'commit'])
})

test('sequence state lost inside a transaction aborts it', async () => {
  const { wire, producer } = await start({ transactionalId: 'id' })
  producer.beginTransaction()
  wire.answer = () => OUT_OF_ORDER_SEQUENCE_NUMBER
  const lost = { code: 'OUT_OF_ORDER_SEQUENCE_NUMBER', kind: 'retriable' }
  await assert.rejects(producer.send(records(1), never), lost)
  await assert.rejects(producer.commitTransaction(never), lost)
  assert.equal(wire.transactionRequests.at(-2), 'abort')
  assert.equal(wire.transactionRequests.at(-1), 'init', 'a new epoch: the sequence is not known any more')
})
