import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import type { RetriableError } from '@tributary/connect-api'
import { producerErrors } from '../errors.ts'
import { PoolScene, records } from '../testing/pool-scene.ts'

const REQUEST_TIMED_OUT = 7
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45
const never = new AbortController().signal
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const ms = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time))

const noAnswer = (): RetriableError => producerErrors.KAFKA_NO_ANSWER('cut')

test('producers with equal settings share one connection, one producer id and the requests', async () => {
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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

test('a new producer asks again whether a topic exists', async () => {
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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

test('an outage is reported to the producers whose records wait, until it ends or they close', async () => {
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
  const scene = new PoolScene()
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
