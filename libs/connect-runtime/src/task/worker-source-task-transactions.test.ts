import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate } from '@tributary/async'
import { DataError, NotConnectedError, type Polled } from '@tributary/connect-api'
import { scriptedRun, until } from '../testing/run-scripted.ts'

const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `m${from + i}`)

test('exactly once: one transaction holds records and offsets, and an aborted transaction is sent again', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  s.producer.failNextCommit = true
  void s.run.run()
  s.task.send(...numbered(30))
  await until(() => s.producer.values().length === 30, 'all are committed')
  await s.run.stop()
  assert.deepEqual(s.producer.values(), numbered(30))
  assert.equal(s.producer.values('offsets').at(-1), '{"sequence":30}')
  assert.deepEqual(s.offsets.writes, [])
  assert.ok(s.producer.transactions.includes('abort'))
})

test('exactly once: commitBatch tells a task of records only when their transaction is committed', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  const told: { records: number; transactions: string[] }[] = []
  Object.assign(s.task, {
    commitBatch: (batch: readonly Polled[]) =>
      void told.push({ records: batch.length, transactions: [...s.producer.transactions] }),
  })
  s.producer.failNextCommit = true
  void s.run.run()
  s.task.send(...numbered(3))
  await until(() => told.length > 0, 'the task is told')
  await s.run.stop()
  assert.deepEqual(told, [{ records: 3, transactions: ['begin', 'abort', 'begin', 'commit'] }])
})

/** Sends each value in a poll of its own. */
async function sendEach(s: ReturnType<typeof scriptedRun>, ...values: string[]): Promise<void> {
  for (const value of values) {
    const polled = s.run.progress.recordsPolled
    s.task.send(value)
    await until(() => s.run.progress.recordsPolled > polled, 'it is polled')
  }
}

test('exactly once: the polls that come while a transaction ends share the next one, with one offset', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  void s.run.run()
  s.producer.commits.close()
  await sendEach(s, 'a', 'b', 'c', 'd')
  s.producer.commits.open()
  await until(() => s.producer.values().length === 4, 'all are committed')
  await s.run.stop()
  assert.deepEqual(s.producer.values(), ['a', 'b', 'c', 'd'])
  assert.deepEqual(s.producer.transactions, ['begin', 'commit', 'begin', 'commit'])
  assert.deepEqual(s.producer.values('offsets'), ['{"sequence":1}', '{"sequence":4}'])
  assert.deepEqual(
    s.task.committed.map(([value]) => value),
    ['a', 'b', 'c', 'd'],
  )
})

test('exactly once: polls wait for the next transaction within twice the in-flight limit', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required', 'max.in.flight.records': '2' }, { resumable: true })
  void s.run.run()
  s.producer.commits.close()
  await sendEach(s, 'a', 'b', 'c', 'd', 'e')
  s.task.send('f')
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(s.run.progress.recordsPolled, 5)
  s.producer.commits.open()
  await until(() => s.producer.values().length === 6, 'all are committed')
  await s.run.stop()
})

test('exactly once: polls that wait for the next transaction are sent with a valid lease only', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  void s.run.run()
  s.producer.commits.close()
  await sendEach(s, 'a', 'b')
  s.lease.close()
  s.producer.commits.open()
  await until(() => s.producer.transactions.includes('commit'), 'the first is committed')
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(s.producer.transactions, ['begin', 'commit'])
  s.lease.open()
  await until(() => s.producer.values().length === 2, 'the second is committed')
  await s.run.stop()
})

test('exactly once: a refused record keeps no poll before it from being committed, and nothing passes it', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  s.producer.limitBytes = 100
  const run = s.run.run()
  s.producer.commits.close()
  await sendEach(s, 'a', 'b', 'x'.repeat(101), 'c')
  s.producer.commits.open()
  await run
  assert.deepEqual([s.run.state, s.failureKind], ['failed', 'data'])
  assert.deepEqual(s.producer.values(), ['a', 'b'])
  assert.equal(s.producer.values('offsets').at(-1), '{"sequence":2}')
  assert.notEqual(s.producer.transactions.at(-1), 'begin')
})

test('exactly once: what is committed is not sent again when the task fails at being told', async () => {
  const error = new DataError('X', 'a bug of the plugin')
  for (const told of ['commit', 'commitRecord'] as const) {
    const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
    const fails = told === 'commit' ? () => Promise.reject(error) : () => assert.fail(error)
    const run = s.run.run()
    s.producer.commits.close()
    await sendEach(s, 'a', 'b', 'c')
    s.producer.commits.open()
    s.task.commit = () => Promise.resolve(void Object.assign(s.task, { [told]: fails }))
    await run
    assert.equal(s.failure, error)
    assert.deepEqual(s.producer.values(), ['a', 'b', 'c'])
  }
})

test('exactly once: a transaction whose abort was given up with the task is aborted at the end of the run', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  const aborted = Promise.withResolvers<void>()
  const abort = s.producer.abortTransaction.bind(s.producer)
  s.producer.abortTransaction = (signal) => {
    s.producer.abortTransaction = abort
    aborted.resolve()
    return new Gate(false).passed(signal)
  }
  s.producer.failNextCommit = true
  const run = s.run.run()
  s.task.send('a')
  await aborted.promise
  s.run.fail(new Error('a callback of the plugin failed'))
  await run
  assert.deepEqual(s.producer.transactions, ['begin', 'abort'])
})

test('exactly once: neither a lost connection nor a stop commits a transaction that failed', async () => {
  for (const ending of ['cut', 'stop'] as const) {
    const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
    s.producer.limitBytes = 100
    const run = s.run.run()
    s.producer.up.close()
    await sendEach(s, 'x'.repeat(101))
    s.producer.up.open()
    if (ending === 'cut') s.task.cut(new NotConnectedError('X', 'cut'))
    else void s.run.stop()
    await run
    assert.deepEqual([s.run.state, s.producer.kept], ['failed', []])
  }
})

test('exactly once: nothing follows a transaction that failed', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  s.producer.limitBytes = 100
  const run = s.run.run()
  s.producer.up.close()
  await sendEach(s, 'x'.repeat(101), 'b')
  s.producer.up.open()
  await run
  assert.equal(s.run.state, 'failed')
  assert.deepEqual(s.producer.kept, [])
})

test('exactly once: a transaction waits for the return of a deleted offsets topic, and the task does not fail', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  s.producer.deleted.add('offsets')
  void s.run.run()
  s.task.send(...numbered(3))
  await until(() => s.producer.transactions.filter((step) => step === 'abort').length >= 2, 'it is tried again')
  assert.deepEqual([s.run.state, s.producer.kept], ['running', []])
  s.producer.deleted.clear()
  await until(() => s.producer.values().length === 3, 'all are committed')
  await s.run.stop()
  assert.deepEqual(s.producer.values(), numbered(3))
})

test('exactly once: a position that no record carries is committed in a transaction', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  s.task.nextPosition = { sequence: 3, completed: true }
  void s.run.run()
  await until(() => s.producer.values('offsets').length > 0, 'it is committed')
  await s.run.stop()
  assert.deepEqual(s.producer.values('offsets'), ['{"sequence":3,"completed":true}'])
})

test('exactly once with an interval: batches share a transaction, and a stop commits the transaction', async () => {
  const s = scriptedRun(
    {
      'exactly.once.support': 'required',
      'transaction.boundary': 'interval',
      'transaction.boundary.interval.ms': '60000',
    },
    { resumable: true },
  )
  void s.run.run()
  s.task.send(...numbered(300))
  await until(() => s.run.progress.recordsPolled === 300, 'all are polled')
  assert.deepEqual(s.producer.kept, [])
  await s.run.stop()
  assert.deepEqual(s.producer.values(), numbered(300))
  assert.deepEqual(s.producer.transactions, ['begin', 'commit'])
})

test('exactly once with an interval: an idle task commits when the interval is over, while it waits in poll', async () => {
  const s = scriptedRun(
    {
      'exactly.once.support': 'required',
      'transaction.boundary': 'interval',
      'transaction.boundary.interval.ms': '20',
    },
    { resumable: true },
  )
  s.task.pollMs = 60_000
  void s.run.run()
  s.task.send('a')
  await until(() => s.producer.values().length === 1, 'the first is committed')
  s.task.send('b')
  await until(() => s.producer.values().length === 2, 'the second is committed')
  assert.ok(s.task.polls <= 3, 'the commit does not wait for poll to return')
  await s.run.stop()
  assert.deepEqual(s.producer.transactions, ['begin', 'commit', 'begin', 'commit'])
})

test('exactly once with an interval: the end of the interval commits only with a valid lease', async () => {
  const s = scriptedRun(
    { 'exactly.once.support': 'required', 'transaction.boundary': 'interval', 'transaction.boundary.interval.ms': '5' },
    { resumable: true },
  )
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  s.task.send('a')
  await until(() => s.producer.transactions.includes('begin'), 'a transaction is open')
  s.lease.close()
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(s.producer.transactions, ['begin'])
  s.lease.open()
  await until(() => s.producer.values().length === 1, 'it is committed')
  await s.run.stop()
})

test('exactly once with an interval: max.in.flight.bytes ends a transaction before the interval', async () => {
  const s = scriptedRun(
    {
      'exactly.once.support': 'required',
      'transaction.boundary': 'interval',
      'transaction.boundary.interval.ms': '60000',
      'max.in.flight.bytes': '100',
    },
    { resumable: true },
  )
  void s.run.run()
  s.task.send('x'.repeat(60))
  s.task.send('y'.repeat(60))
  await until(() => s.producer.values().length === 2, 'both are committed')
  await s.run.stop()
})

const CONNECTOR = { 'exactly.once.support': 'required', 'transaction.boundary': 'connector' }

test('transaction.boundary=connector: each commit of the task commits the records up to it', async () => {
  const s = scriptedRun(CONNECTOR, { resumable: true })
  s.task.onHandOut = (records) => {
    const last = records.find(({ value }) => value === 'm4')
    if (last) s.task.context!.transaction!.commitTransaction(last)
  }
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  s.task.send(...numbered(8))
  await until(() => s.producer.values().length === 5, 'the first transaction is committed')
  assert.deepEqual(s.producer.values('offsets'), ['{"sequence":5}'])
  assert.deepEqual(
    s.task.committed.map(([value]) => value),
    numbered(5),
  )
  s.task.onHandOut = () => s.task.context!.transaction!.commitTransaction()
  s.task.send('m8')
  await until(() => s.producer.values().length === 9, 'the second transaction is committed')
  await s.run.stop()
  assert.deepEqual(s.producer.values(), numbered(9))
  assert.deepEqual(s.producer.transactions, ['begin', 'commit', 'begin', 'commit'])
})

test('transaction.boundary=connector: an aborted transaction commits its offsets and no record', async () => {
  const s = scriptedRun(CONNECTOR, { resumable: true })
  s.task.onHandOut = (records) => {
    for (const record of records) {
      if (record.value === 'm2') s.task.context!.transaction!.abortTransaction(record)
      if (record.value === 'm4') s.task.context!.transaction!.commitTransaction(record)
    }
  }
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  s.task.send(...numbered(5))
  await until(() => s.task.committed.length === 5, 'all are settled')
  await s.run.stop()
  assert.deepEqual(s.producer.values(), ['m3', 'm4'])
  assert.deepEqual(s.producer.values('offsets'), ['{"sequence":3}', '{"sequence":5}'])
  assert.deepEqual(
    s.task.committed.map(([value, metadata]) => [value, metadata === null]),
    [['m0', true], ['m1', true], ['m2', true], ['m3', false], ['m4', false]], // prettier-ignore
  )
})

test('transaction.boundary=connector: neither a pause nor a stop commits a transaction that the task has not ended', async () => {
  const s = scriptedRun(CONNECTOR, { resumable: true })
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  s.task.send('a', 'b')
  await until(() => s.producer.transactions.length === 1, 'a transaction is open')
  s.run.pause()
  await until(() => s.producer.transactions.at(-1) === 'abort', 'a pause leaves none open')
  s.task.onHandOut = (records) => s.task.context!.transaction!.commitTransaction(records[0])
  s.run.resume()
  s.task.send('c')
  await until(() => s.producer.values().length === 3, 'the whole transaction is sent again and committed')
  s.task.onHandOut = () => {}
  s.task.send('d')
  await until(() => s.run.progress.recordsPolled === 4, 'another is polled')
  await s.run.stop()
  assert.deepEqual(s.producer.values(), ['a', 'b', 'c'])
  assert.equal(s.producer.values('offsets').at(-1), '{"sequence":3}')
})

test('transaction.boundary=connector: the task fails when it asks for commit and abort of one transaction', async () => {
  const s = scriptedRun(CONNECTOR, { resumable: true })
  s.task.onHandOut = (records) => {
    s.task.context!.transaction!.commitTransaction(records[0])
    s.task.context!.transaction!.abortTransaction(records[0])
  }
  s.task.send('a')
  await s.run.run()
  assert.equal(s.run.state, 'failed')
  assert.match((s.failure as Error).message, /both commit and abort/)
  assert.deepEqual(s.producer.kept, [])
})

test('without transaction.boundary=connector a task has no transaction context', async () => {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  assert.equal(s.task.context?.transaction, undefined)
  await s.run.stop()
})
