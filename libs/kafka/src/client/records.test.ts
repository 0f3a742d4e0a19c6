import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { committedRecords } from '../log/committed-records.ts'
import { COMPRESSIONS, wasmCodecs } from './codecs.ts'
import { readRecordBatches } from './records.ts'

const HEAD_BYTES = 61

/** A batch of version 2 with these bytes behind its header. */
function batchOf(firstOffset: bigint, compression: number, body: Buffer, count = 1): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeBigInt64BE(firstOffset, 0)
  head.writeInt32BE(HEAD_BYTES - 12 + body.length, 8)
  head.writeInt8(2, 16)
  head.writeInt16BE(compression, 21)
  head.writeInt32BE(count - 1, 23)
  head.writeInt32BE(count, 57)
  return Buffer.concat([head, body])
}

/** A record with the key `k`. */
const RECORD = Buffer.from([16, 0, 0, 0, 2, 'k'.charCodeAt(0), 2, 'v'.charCodeAt(0), 0])

test('a small batch that becomes large when it is decompressed is skipped, and what follows is read', () => {
  const zeros = Buffer.alloc(24 * 1024 * 1024)
  const snappy = wasmCodecs().snappyCompress(zeros)
  const bombs: [number, Buffer][] = [
    [COMPRESSIONS.gzip, gzipSync(zeros)],
    [COMPRESSIONS.zstd, zstdCompressSync(zeros)],
    [COMPRESSIONS.lz4, wasmCodecs().lz4Compress(zeros)],
    [COMPRESSIONS.snappy, snappy],
  ]
  for (const [compression, body] of bombs) {
    const answer = Buffer.concat([batchOf(0n, compression, body), batchOf(1n, 0, RECORD)])
    const records = readRecordBatches(answer)
    const read = committedRecords({ partitionIndex: 0, records, abortedTransactions: null }, 0n)
    assert.deepEqual(
      read.records.map(({ offset, key }) => [offset, String(key)]),
      [[1n, 'k']],
      `compression ${compression}`,
    )
    assert.deepEqual([read.next, read.unreadable.map(({ offset }) => offset)], [2n, [0n]])
  }
})

test('batches below the limit are read with every compression', () => {
  const bodies: [number, Buffer][] = [
    [COMPRESSIONS.gzip, gzipSync(RECORD)],
    [COMPRESSIONS.zstd, zstdCompressSync(RECORD)],
    [COMPRESSIONS.lz4, wasmCodecs().lz4Compress(RECORD)],
    [COMPRESSIONS.snappy, wasmCodecs().snappyCompress(RECORD)],
  ]
  for (const [compression, body] of bodies) {
    const [batch] = readRecordBatches(batchOf(0n, compression, body))
    assert.deepEqual([batch?.unreadable, String(batch?.records[0]?.value)], [undefined, 'v'])
  }
})

test('one answer decompresses so much, and leaves the batches behind for the next', () => {
  const large = gzipSync(Buffer.concat([RECORD, Buffer.alloc(12 * 1024 * 1024)]))
  const answer = Buffer.concat([0n, 1n, 2n].map((offset) => batchOf(offset, COMPRESSIONS.gzip, large)))
  assert.equal(readRecordBatches(answer).length, 2)
})

test('bytes that are no records, and a count of records that there are not, cost only their batch', () => {
  const broken = [batchOf(0n, COMPRESSIONS.gzip, deflateRawSync(RECORD)), batchOf(0n, 0, RECORD, 2 ** 31 - 1)]
  for (const bytes of broken) {
    const [first, next] = readRecordBatches(Buffer.concat([bytes, batchOf(2n ** 31n, 0, RECORD)]))
    assert.deepEqual([first?.records.length, typeof first?.unreadable], [0, 'string'])
    assert.equal(next?.records.length, 1)
  }
})

test('a snappy block of a negative length ends nothing but its batch', () => {
  const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
  const negative = Buffer.concat([head, Buffer.of(0xff, 0xff, 0xff, 0xfc), Buffer.of(0)])
  const [batch] = readRecordBatches(batchOf(0n, COMPRESSIONS.snappy, negative))
  assert.match(batch?.unreadable ?? '', /snappy block/)
})
