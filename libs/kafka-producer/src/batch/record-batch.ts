import { crc32c } from '@tributary/kafka/client'
import type { Codec } from './compression.ts'
import type { PartitionBatch } from './partition-batch.ts'

/** Bytes of a batch before its records (https://kafka.apache.org/documentation/#recordbatch). */
const BATCH_HEADER_BYTES = 61
const LENGTH_AT = 8
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const TRANSACTIONAL = 1 << 4
const MAGIC = 2
/** The leader fills it in. */
const NO_LEADER_EPOCH = -1

/** The batch as it stands in a produce request and in the log (record batch version 2, KIP-98). */
export function encodeBatch(
  batch: PartitionBatch,
  codec: Codec | null,
  transactional: boolean,
): Uint8Array | Promise<Uint8Array> {
  const room = Buffer.allocUnsafe(BATCH_HEADER_BYTES + batch.bytes)
  const end = writeRecords(batch, room, BATCH_HEADER_BYTES)
  const attributes = transactional ? TRANSACTIONAL : 0
  if (codec === null) return withHeader(batch, room.subarray(0, end), attributes)
  const finish = (compressed: Uint8Array): Uint8Array => {
    const out = Buffer.allocUnsafe(BATCH_HEADER_BYTES + compressed.length)
    out.set(compressed, BATCH_HEADER_BYTES)
    return withHeader(batch, out, attributes | codec.id)
  }
  const compressed = codec.compress(room.subarray(BATCH_HEADER_BYTES, end))
  return compressed instanceof Promise ? compressed.then(finish) : finish(compressed)
}

/**
 * Writes the records of the batch, uncompressed, to `out` from `at` on. `out` has room for `batch.bytes` bytes there.
 * Returns the end position. Hot path: copies directly from the caller's records to the bytes of the request.
 */
function writeRecords(batch: PartitionBatch, out: Buffer, at: number): number {
  const { baseTimestamp } = batch
  let offsetDelta = 0
  let end = at
  for (const { records, from, to } of batch.runs) {
    for (let i = from; i < to; i++) end = records.write(i, offsetDelta++, baseTimestamp, out, end)
  }
  return end
}

/** Writes the 61 bytes of the header. The records already stand from byte 61 of `out` to its end. */
function withHeader(batch: PartitionBatch, out: Uint8Array, attributes: number): Uint8Array {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength)
  view.setBigInt64(0, 0n) // base offset, the leader's to set
  view.setInt32(LENGTH_AT, out.length - LENGTH_AT - 4)
  view.setInt32(12, NO_LEADER_EPOCH)
  view.setInt8(16, MAGIC)
  view.setInt16(ATTRIBUTES_AT, attributes)
  view.setInt32(23, batch.count - 1)
  view.setBigInt64(27, BigInt(batch.baseTimestamp))
  view.setBigInt64(35, BigInt(maxTimestamp(batch)))
  view.setBigInt64(43, batch.identity.producerId)
  view.setInt16(51, batch.identity.epoch)
  view.setInt32(53, batch.baseSequence)
  view.setInt32(57, batch.count)
  view.setUint32(CRC_AT, crc32c(out.subarray(ATTRIBUTES_AT)))
  return out
}

function maxTimestamp(batch: PartitionBatch): number {
  let max = -1
  for (const { records, from, to } of batch.runs) {
    for (let i = from; i < to; i++) max = Math.max(max, records.timestampOf(i))
  }
  return max
}
