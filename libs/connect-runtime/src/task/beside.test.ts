import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { producerErrors, type ProducerRecord } from '@tributary/kafka-producer'
import { type ScriptedRun, scriptedRun, until } from '../testing/run-scripted.ts'
import { NotSent } from './beside.ts'

const EXACTLY_ONCE = { 'exactly.once.support': 'required' }
const NEVER = new AbortController().signal

const records = (...values: string[]): ProducerRecord[] =>
  values.map((value) => ({ topic: 'events', partition: 0, key: null, value: Buffer.from(value), timestamp: 1 }))

async function running(props: Record<string, string> = {}): Promise<ScriptedRun> {
  const s = scriptedRun(props, { resumable: true })
  s.task.pollMs = 60_000
  void s.run.run()
  await until(() => s.run.state === 'running' && s.task.queue.waiting, 'poll waits')
  return s
}

describe('records beside those of the source', () => {
  test('are sent while poll waits and while the source is away, and have no offsets', async (t) => {
    const s = await running()
    t.after(() => s.run.stop())
    await s.run.beside.send(records('x'), NEVER)
    s.task.onConnect = () => new Promise(() => {})
    s.task.cut(new Error('away'))
    await s.run.beside.send(records('y'), NEVER)
    assert.deepEqual(s.producer.values(), ['x', 'y'])
    assert.deepEqual([s.offsets.writes, s.run.progress.recordsPolled], [[], 0])
  })

  test('do not hold up the live ones, count in flight, and wait for room', async (t) => {
    const s = await running({ 'max.in.flight.records': '3' })
    t.after(() => s.run.stop())
    s.producer.up.close()
    const first = s.run.beside.send(records('x', 'y'), NEVER)
    await until(() => s.run.progress.inFlightRecords === 2, 'they are in flight')
    s.task.send('live')
    await until(() => s.run.progress.inFlightRecords === 3, 'so is the live one')
    const second = s.run.beside.send(records('z'), NEVER)
    await assert.rejects(s.run.beside.send(records('late'), AbortSignal.timeout(5)), NotSent)
    s.producer.up.open()
    await Promise.all([first, second])
    await until(() => s.producer.values().length === 4, 'all are produced')
    assert.deepEqual(s.producer.values(), ['x', 'y', 'live', 'z'])
  })

  test('wait for the lease, and are not sent once another worker has the task', async () => {
    const s = await running()
    s.lease.close()
    const sent = s.run.beside.send(records('x'), NEVER)
    const refused = assert.rejects(sent, NotSent)
    await s.run.lose()
    await refused
    assert.deepEqual(s.producer.values(), [])
  })

  for (const props of [{}, EXACTLY_ONCE]) {
    test(`in flight are awaited by a stop, which takes no more: ${JSON.stringify(props)}`, async () => {
      const s = await running(props)
      s.producer.up.close()
      const sent = s.run.beside.send(records('x'), NEVER)
      await until(() => s.run.progress.inFlightRecords === 1, 'it is in flight')
      const stopped = s.run.stop()
      await assert.rejects(s.run.beside.send(records('y'), NEVER), NotSent)
      s.producer.up.open()
      await Promise.all([sent, stopped])
      assert.deepEqual(s.producer.values(), ['x'])
      assert.equal(s.failure, undefined)
    })
  }

  test('are not sent while the task is paused', async (t) => {
    const s = await running()
    t.after(() => s.run.stop())
    s.run.pause()
    await assert.rejects(s.run.beside.send(records('x'), NEVER), NotSent)
    s.run.resume()
    await s.run.beside.send(records('y'), NEVER)
    assert.deepEqual(s.producer.values(), ['y'])
  })
})

describe('records beside those of the source, with exactly once', () => {
  test('have a transaction of their own, whose failure leaves the task as it was', async (t) => {
    const s = await running(EXACTLY_ONCE)
    t.after(() => s.run.stop())
    s.producer.failNextCommit = true
    await assert.rejects(s.run.beside.send(records('x'), NEVER), NotSent)
    const { send } = s.producer
    s.producer.send = () => Promise.reject(Object.assign(new Error('denied'), { kind: 'config' }))
    await assert.rejects(
      s.run.beside.send(records('x'), NEVER),
      (error: Error) => (error.cause as Error).message === 'denied',
    )
    s.producer.send = send
    s.task.send('live')
    await until(() => s.producer.values().length === 1, 'the live one is committed')
    await s.run.beside.send(records('y'), NEVER)
    assert.deepEqual(s.producer.values(), ['live', 'y'])
    const { transactions } = s.producer
    assert.deepEqual(transactions, ['begin', 'abort', 'begin', 'abort', 'begin', 'commit', 'begin', 'commit'])
    assert.equal(s.run.state, 'running')
  })

  test('end the transaction of an interval, and resolve when theirs is committed', async (t) => {
    const interval = { 'transaction.boundary': 'interval', 'transaction.boundary.interval.ms': '600000' }
    const s = await running({ ...EXACTLY_ONCE, ...interval })
    t.after(() => s.run.stop())
    s.task.send('live')
    await until(() => s.producer.transactions.length === 1 && s.task.queue.waiting, 'a transaction is open')
    await s.run.beside.send(records('x'), NEVER)
    assert.deepEqual(s.producer.values(), ['live', 'x'])
    assert.deepEqual(s.producer.transactions, ['begin', 'commit', 'begin', 'commit'])
  })

  test('come between the two parts of a transaction that the connector has not ended', async (t) => {
    const s = await running({ ...EXACTLY_ONCE, 'transaction.boundary': 'connector' })
    t.after(() => s.run.stop())
    s.task.send('first')
    await until(() => s.producer.transactions.length === 1 && s.task.queue.waiting, 'a transaction is open')
    await s.run.beside.send(records('x'), NEVER)
    assert.deepEqual(s.producer.values(), ['x'])
    s.task.context!.transaction!.commitTransaction()
    s.task.send('second')
    await until(() => s.producer.values().length === 3, "the connector's are committed")
    assert.deepEqual(s.producer.values(), ['x', 'first', 'second'])
  })

  test('leave no transaction open when the task is abandoned', async () => {
    const s = await running({ ...EXACTLY_ONCE, 'task.shutdown.graceful.timeout.ms': '20' })
    s.producer.up.close()
    const { abortTransaction } = s.producer
    s.producer.abortTransaction = (signal) =>
      signal.aborted ? Promise.reject(signal.reason as Error) : abortTransaction.call(s.producer, signal)
    const refused = assert.rejects(s.run.beside.send(records('x'), NEVER), NotSent)
    await until(() => s.producer.transactions.length === 1, 'the transaction is open')
    await s.run.stop()
    await refused
    assert.deepEqual(s.producer.transactions, ['begin', 'abort'])
    assert.equal(s.run.state, 'stopped')
  })

  test('a fenced producer fails the task although its source is idle', async () => {
    const s = await running(EXACTLY_ONCE)
    s.producer.send = () => Promise.reject(producerErrors.PRODUCER_FENCED('fenced'))
    await assert.rejects(s.run.beside.send(records('x'), NEVER), NotSent)
    await until(() => s.run.state === 'failed', 'the task has failed')
  })
})
