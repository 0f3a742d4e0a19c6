import { Reader, readRecordsBatch } from '@platformatic/kafka'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecOf } from './compression.ts'
import { PartitionBatch, recordBytes } from './partition-batch.ts'
import { PendingSend } from './pending-send.ts'
import { encodeBatch } from './record-batch.ts'
import type { Compression, ProducerRecord } from '../api/types.ts'

function batchOf(records: readonly ProducerRecord[], from = 0, to = records.length): PartitionBatch {
  const send = new PendingSend(records, () => undefined)
  const bytes = records.slice(from, to).reduce((sum, record) => sum + recordBytes(record), 0)
  return new PartitionBatch('t', 0, [{ send, from, to, bytes }], { producerId: 2n ** 40n, epoch: 3 }, 2 ** 31 - 1)
}

function record(over: Partial<ProducerRecord>): ProducerRecord {
  return { topic: 't', partition: 0, key: null, value: null, timestamp: 1_000, ...over }
}

async function decode(batch: PartitionBatch, compression: Compression = 'none', transactional = false) {
  const encoded = await encodeBatch(batch, codecOf(compression), transactional)
  return readRecordsBatch(Reader.from(Buffer.from(encoded)))
}

test('the header carries identity, sequence, timestamps and counts', async () => {
  const batch = batchOf([record({}), record({ timestamp: 5_000 }), record({ timestamp: 900 })])
  const { records, crc, ...header } = await decode(batch, 'none', true)
  assert.equal(records.length, 3)
  assert.ok(crc !== 0)
  assert.deepEqual(header, {
    firstOffset: 0n,
    length: (await encodeBatch(batch, null, true)).length - 12,
    partitionLeaderEpoch: -1,
    magic: 2,
    attributes: 1 << 4,
    lastOffsetDelta: 2,
    firstTimestamp: 1_000n,
    maxTimestamp: 5_000n,
    producerId: 2n ** 40n,
    producerEpoch: 3,
    firstSequence: 2 ** 31 - 1,
  })
})

test('records of every size and timestamp come back as they were, within the estimate', async () => {
  const sizes = [0, 1, 63, 64, 127, 128, 8_191, 8_192, 1_048_575, 1_048_576]
  const deltas = [0, 1, -1, 63, -64, 64, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 40, -(2 ** 40)]
  const records = [
    ...sizes.map((size) => record({ value: new Uint8Array(size).fill(size & 0xff) })),
    ...sizes.map((size) => record({ key: Buffer.alloc(size, 'k') })),
    ...deltas.map((delta) => record({ timestamp: 2 ** 41 + delta })),
    record({
      headers: [
        ['ключ', null],
        ['', Buffer.alloc(0)],
        ['x'.repeat(200), Buffer.alloc(70_000, 1)],
      ],
    }),
    ...Array.from({ length: 9_000 }, () => record({})),
  ]
  records.unshift(record({ timestamp: 2 ** 41 }))
  const batch = batchOf(records)
  const encoded = await encodeBatch(batch, null, false)
  assert.ok(encoded.length <= 61 + batch.bytes)
  const decoded = readRecordsBatch(Reader.from(Buffer.from(encoded)))
  decoded.records.forEach((got, i) => {
    const want = records[i]!
    assert.equal(got.offsetDelta, i)
    assert.equal(Number(decoded.firstTimestamp + got.timestampDelta), want.timestamp)
    assert.ok(same(got.key, want.key) && same(got.value, want.value), `record ${i}`)
    assert.equal(got.headers.length, want.headers?.length ?? 0)
    got.headers.forEach(([name, value], h) => {
      assert.equal(String(name), want.headers![h]![0])
      assert.ok(same(value, want.headers![h]![1]))
    })
  })
})

test('a run in the middle of a send is encoded alone', async () => {
  const records = Array.from({ length: 10 }, (_, i) => record({ value: Buffer.from(`${i}`) }))
  const { records: decoded } = await decode(batchOf(records, 3, 6))
  assert.deepEqual(
    decoded.map(({ value }) => String(value)),
    ['3', '4', '5'],
  )
})

for (const [compression, id] of [
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
] as const) {
  test(`${compression} is marked as codec ${id} and shrinks what repeats`, async () => {
    const batch = batchOf(Array.from({ length: 500 }, () => record({ value: Buffer.alloc(100, 'a') })))
    const decoded = await decode(batch, compression)
    assert.equal(decoded.attributes, id)
    assert.equal(decoded.records.length, 500)
    assert.ok(decoded.length < 10_000)
  })
}

function same(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0
}
