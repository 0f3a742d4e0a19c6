import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Polled } from '@tributary/connect-api'
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
