import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptedRun, until } from './testing/run-scripted.ts'

const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `m${from + i}`)

test('exactly once: records and offsets are kept together, and an aborted transaction is sent again', async () => {
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

test('exactly once with an interval: batches share a transaction, a stop commits it', async () => {
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
