import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourcePartition, SourceRecord } from '@tributary/connect-api'
import { batchOf, offsetEntries } from './batch.ts'

const record = (sourcePartition: SourcePartition, n: number): SourceRecord => ({
  sourcePartition,
  sourceOffset: { n },
  topic: 't',
  key: null,
  value: n,
  timestamp: null,
})

test('a batch has the last offset of each partition, and removes those that the task has ended before that', () => {
  const [a, b, ended, begunAnew] = [{ p: 'a' }, { p: 'b' }, { p: 'x' }, { p: 'x' }]
  const records = [record(a, 1), record(ended, 2), record(b, 3), record(a, 4), record(begunAnew, 5)]
  const { offsets } = batchOf({ records, polled: null, filtered: 0, encoded: [], indexes: [], polledAt: 0 }, [ended])
  const entries = offsetEntries(offsets)
  assert.deepEqual(entries[0], { partition: { p: 'x' }, offset: null })
  assert.deepEqual(
    entries.slice(1).toSorted((x, y) => String(x.partition['p']).localeCompare(String(y.partition['p']))),
    [
      { partition: { p: 'a' }, offset: { n: 4 } },
      { partition: { p: 'b' }, offset: { n: 3 } },
      { partition: { p: 'x' }, offset: { n: 5 } },
    ],
  )
})
