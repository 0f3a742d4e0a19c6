import { Reader, readRecordsBatch } from '@platformatic/kafka'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { codecOf } from './compression.ts'
import { cutRun, eachRun, PartitionBatch, type Run } from './partition-batch.ts'
import { PendingSend } from './pending-send.ts'
import { anOwner } from '../testing/owner.ts'
import { encodeBatch } from './record-batch.ts'
import { PackedProducerRecords } from '../api/packed.ts'
import type { ProducerRecord } from '../api/record.ts'
import type { Compression, Sendable } from '../api/types.ts'

function batchOf(records: readonly Sendable[]): PartitionBatch {
  const runs: Run[] = []
  const listener = { sent: () => undefined, notSent: () => undefined }
  const send = new PendingSend(records, anOwner, new AbortController().signal, listener, () => undefined)
  eachRun(send, (run) => runs.push(run))
  return new PartitionBatch('t', 0, runs, { producerId: 2n ** 40n, epoch: 3 }, 2 ** 31 - 1)
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
  const [run] = batchOf(records).runs
  const [start] = cutRun(run!, 6)
  const [, middle] = cutRun(start, 3)
  const { records: decoded } = await decode(new PartitionBatch('t', 0, [middle], { producerId: 1n, epoch: 0 }, 0))
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

/** Items of random lengths, some null, with bytes between them that belong to none. */
function packed(count: number, lengths: () => number): { bytes: Buffer; bounds: Int32Array } {
  const bounds = new Int32Array(2 * count)
  let end = 0
  for (let i = 0; i < count; i++) {
    const length = lengths()
    if (length < 0) bounds.fill(-1, 2 * i, 2 * i + 2)
    else {
      bounds[2 * i] = end + 3
      bounds[2 * i + 1] = end += 3 + length
    }
  }
  return { bytes: randomBytes(end), bounds }
}

test('packed records are written as the same records one by one', async () => {
  for (let round = 0; round < 200; round++) {
    const count = 1 + Math.floor(Math.random() * 40)
    const length = (): number => Math.floor(Math.random() ** 4 * 20_000) - 1
    const selected = Int32Array.from({ length: count }, (_, i) => i).filter(() => Math.random() < 0.7)
    const pack = new PackedProducerRecords({
      topic: 't',
      partition: 0,
      keys: round % 2 === 0 ? null : packed(count, length),
      values: packed(count, length),
      selected: round % 3 === 0 || selected.length === 0 ? null : selected,
      count: round % 3 === 0 || selected.length === 0 ? count : selected.length,
      headers:
        round % 5 === 0
          ? [
              ['a', null],
              ['ключ', randomBytes(round)],
            ]
          : undefined,
      timestamps:
        round % 4 === 0
          ? 2 ** 41
          : Float64Array.from({ length: count }, () => 2 ** 41 + Math.floor(Math.random() * 1e6)),
    })
    const single = record({ value: Buffer.from('between two packs'), timestamp: 2 ** 41 })
    const batch = batchOf([pack, single, pack])
    const one = Array.from({ length: pack.count }, (_, i) => pack.record(i))
    const plain = batchOf([...one, single, ...one])
    assert.deepEqual([batch.count, batch.runs.length, plain.runs.length], [plain.count, 3, 1])
    const encoded = await encodeBatch(batch, null, false)
    assert.ok(encoded.length <= 61 + batch.bytes)
    assert.equal(Buffer.compare(encoded, await encodeBatch(plain, null, false)), 0)
  }
})
