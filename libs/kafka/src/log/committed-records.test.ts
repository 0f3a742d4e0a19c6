import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordsBatch } from '../client/index.ts'
import { committedRecords } from './committed-records.ts'

const TRANSACTIONAL = 16
const CONTROL = 32
const LOG_APPEND_TIME = 8

interface BatchShape {
  readonly first: bigint
  readonly keys?: readonly (string | null)[]
  readonly producerId?: bigint
  readonly attributes?: number
  readonly lastOffsetDelta?: number
  readonly marker?: 'abort' | 'commit'
}

function batch(shape: BatchShape): RecordsBatch {
  const keys = shape.keys ?? ['k']
  const marker = shape.marker && Buffer.from([0, 0, 0, shape.marker === 'abort' ? 0 : 1])
  return {
    firstOffset: shape.first,
    attributes: (shape.attributes ?? 0) | (marker ? TRANSACTIONAL | CONTROL : 0),
    lastOffsetDelta: shape.lastOffsetDelta ?? keys.length - 1,
    firstTimestamp: 1000n,
    maxTimestamp: 9000n,
    producerId: shape.producerId ?? -1n,
    producerEpoch: 0,
    firstSequence: 0,
    records: keys.map((key, i) => ({
      timestampDelta: BigInt(i),
      offsetDelta: i,
      key: marker ?? (key === null ? null : Buffer.from(key)),
      value: null,
      headers: [],
    })),
  }
}

function read(
  records: RecordsBatch[],
  from: bigint,
  aborted: { producerId: bigint; firstOffset: bigint }[] = [],
): { seen: string[]; next: bigint } {
  const result = committedRecords({ partitionIndex: 0, records, abortedTransactions: aborted }, from)
  return { seen: result.records.map((r) => `${String(r.key)}@${r.offset}`), next: result.next }
}

test('records before the requested offset are left out of a batch that begins earlier', () => {
  assert.deepEqual(read([batch({ first: 10n, keys: ['a', 'b', 'c'] })], 11n), { seen: ['b@11', 'c@12'], next: 13n })
})

test('offsets that compaction emptied are skipped', () => {
  assert.deepEqual(read([batch({ first: 10n, keys: [], lastOffsetDelta: 40 })], 10n), { seen: [], next: 51n })
})

test('records of an aborted transaction and control records are left out, and the records between them are returned', () => {
  const records = [
    batch({ first: 0n, keys: ['aborted'], producerId: 7n, attributes: TRANSACTIONAL }),
    batch({ first: 1n, keys: ['plain'] }),
    batch({ first: 2n, keys: ['other'], producerId: 8n, attributes: TRANSACTIONAL }),
    batch({ first: 3n, keys: ['aborted'], producerId: 7n, attributes: TRANSACTIONAL }),
    batch({ first: 4n, producerId: 7n, marker: 'abort' }),
    batch({ first: 5n, keys: ['again'], producerId: 7n, attributes: TRANSACTIONAL }),
    batch({ first: 6n, producerId: 8n, marker: 'commit' }),
    batch({ first: 7n, producerId: 7n, marker: 'commit' }),
  ]
  const aborted = [{ producerId: 7n, firstOffset: 0n }]
  assert.deepEqual(read(records, 0n, aborted), { seen: ['plain@1', 'other@2', 'again@5'], next: 8n })
})

test('two aborted transactions of one producer are both left out', () => {
  const records = [
    batch({ first: 0n, producerId: 7n, attributes: TRANSACTIONAL }),
    batch({ first: 1n, producerId: 7n, marker: 'abort' }),
    batch({ first: 2n, producerId: 7n, attributes: TRANSACTIONAL }),
    batch({ first: 3n, producerId: 7n, marker: 'abort' }),
  ]
  const aborted = [2n, 0n].map((firstOffset) => ({ producerId: 7n, firstOffset }))
  assert.deepEqual(read(records, 0n, aborted), { seen: [], next: 4n })
})

test('timestamps are those of the records, or the append time where the topic says so', () => {
  const timestamps = (attributes: number): number[] =>
    committedRecords(
      { partitionIndex: 0, records: [batch({ first: 0n, keys: ['a', 'b'], attributes })], abortedTransactions: null },
      0n,
    ).records.map((r) => r.timestamp)
  assert.deepEqual(timestamps(0), [1000, 1001])
  assert.deepEqual(timestamps(LOG_APPEND_TIME), [9000, 9000])
})

test('an answer without records does not change the position', () => {
  assert.deepEqual(committedRecords({ partitionIndex: 0, records: null, abortedTransactions: null }, 5n), {
    records: [],
    next: 5n,
    unreadable: [],
  })
})
