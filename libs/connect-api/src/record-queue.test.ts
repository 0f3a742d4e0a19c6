import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { RecordQueue } from './record-queue.ts'

const queueOf = (): RecordQueue<string> => new RecordQueue({ maxRecords: 1000, maxBytes: 1_000_000 })

test('the waits of a consumer share one timer and one listener', async (t) => {
  const timers = t.mock.method(globalThis, 'setTimeout')
  const { signal } = new AbortController()
  const queue = queueOf()
  for (let i = 0; i < 100; i++) {
    const taken = queue.take(10, 60_000, signal)
    queue.push('a', 1)
    assert.deepEqual(await taken, ['a'])
  }
  assert.equal(timers.mock.callCount(), 1)
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  const { signal: next } = new AbortController()
  void queue.take(10, 60_000, next)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  queue.end()
})

test('a wait ends without an item when the time is over, also after waits that an item ended', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { signal } = new AbortController()
  const queue = queueOf()
  for (let round = 0; round < 2; round++) {
    const first = queue.take(10, 1000, signal)
    t.mock.timers.tick(900)
    queue.push('a', 1)
    assert.deepEqual(await first, ['a'])
    const second = queue.take(10, 1000, signal)
    t.mock.timers.tick(1000)
    assert.deepEqual(await second, [])
  }
  const short = queue.take(10, 5, signal)
  t.mock.timers.tick(5)
  assert.deepEqual(await short, [])
})

test('a wait rejects with the reason of its signal, and so does the next', async () => {
  const ending = new AbortController()
  const queue = queueOf()
  const waiting = queue.take(10, 60_000, ending.signal)
  const reason = new Error('enough')
  ending.abort(reason)
  await assert.rejects(waiting, reason)
  await assert.rejects(queue.take(10, 60_000, ending.signal), reason)
  queue.push('a', 1)
  assert.deepEqual(await queue.take(10, 60_000, ending.signal), ['a'])
})

test('the end wakes a wait', async () => {
  const { signal } = new AbortController()
  const queue = queueOf()
  const waiting = queue.take(10, 60_000, signal)
  queue.end()
  assert.equal(await waiting, null)
  queue.reopen()
  const failing = queue.take(10, 60_000, signal)
  queue.end(new Error('cut'))
  await assert.rejects(failing, /cut/)
})

test('an item may stand for many records: the limits count those, and a take cuts an item that holds too many', async () => {
  let fulls = 0
  const queue = new RecordQueue<number[]>({
    maxRecords: 10,
    maxBytes: 1000,
    onFull: () => fulls++,
    split: (item, count) => [item.slice(0, count), item.slice(count)],
  })
  const take = async (max: number): Promise<unknown[]> => {
    const items = await queue.take(max, 0, new AbortController().signal)
    return [items, queue.takenRecords, queue.takenBytes, queue.size, queue.items, queue.bytes]
  }
  queue.push([1, 2, 3], 30, 3)
  queue.push([4, 5], 20, 2)
  assert.equal(queue.push([6, 7, 8, 9, 10], 50, 5), false)
  assert.deepEqual([queue.size, queue.items, queue.full, fulls], [10, 3, true, 1])
  assert.deepEqual(await take(6), [
    [
      [1, 2, 3],
      [4, 5],
    ],
    5,
    50,
    5,
    1,
    50,
  ])
  assert.deepEqual(await take(2), [[[6, 7]], 2, 20, 3, 1, 30])
  assert.deepEqual(await take(100), [[[8, 9, 10]], 3, 30, 0, 0, 0])
  queue.push([11, 12], 20, 2)
  assert.equal(queue.clear(), 2)
  assert.deepEqual([queue.size, queue.bytes, queue.full], [0, 0, false])
})

test('items can be taken while a take waits, which goes on waiting', async () => {
  const queue = new RecordQueue<string>({ maxRecords: 10, maxBytes: 1000, wakesLater: true })
  const waiting = queue.take(10, 20, new AbortController().signal)
  assert.deepEqual(queue.takeNow(10), [])
  for (const item of ['a', 'b', 'c']) queue.push(item, 2)
  assert.equal(queue.waiting, true)
  assert.deepEqual([queue.takeNow(2), queue.takenRecords, queue.takenBytes], [['a', 'b'], 2, 4])
  assert.deepEqual([queue.takeNow(2), queue.size, queue.bytes, queue.waiting], [['c'], 0, 0, true])
  assert.deepEqual(await waiting, [])
})

test('a take that waits is woken by the caller of push, if the queue was made so', async () => {
  const queue = new RecordQueue<string>({ maxRecords: 10, maxBytes: 1000, wakesLater: true })
  const waiting = queue.take(10, 60_000, new AbortController().signal)
  queue.push('a', 1)
  queue.push('b', 1)
  queue.wake()
  assert.deepEqual(await waiting, ['a', 'b'])
})
