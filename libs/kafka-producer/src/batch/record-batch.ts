import { crc32c, Writer } from '@platformatic/kafka'
import type { Codec } from './compression.ts'
import type { PartitionBatch } from './partition-batch.ts'
import type { ProducerRecord } from '../api/types.ts'

/** Bytes of a batch before its records (https://kafka.apache.org/documentation/#recordbatch). */
const BATCH_HEADER_BYTES = 61
const LENGTH_AT = 8
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const TRANSACTIONAL = 1 << 4
const MAGIC = 2
/** The leader fills it in. */
const NO_LEADER_EPOCH = -1

const encoder = new TextEncoder()

/** UTF-8 of header names. A task uses the same few names for all records. */
const headerNames = new Map<string, Uint8Array>()
const MAX_HEADER_NAMES = 1024

function headerName(name: string): Uint8Array {
  let bytes = headerNames.get(name)
  if (bytes === undefined) {
    if (headerNames.size >= MAX_HEADER_NAMES) headerNames.clear()
    headerNames.set(name, (bytes = encoder.encode(name)))
  }
  return bytes
}

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
function writeRecords(batch: PartitionBatch, out: Uint8Array, at: number): number {
  const baseTimestamp = batch.firstRecord().timestamp
  let offsetDelta = 0
  let end = at
  for (const run of batch.runs) {
    const { records } = run.send
    for (let i = run.from; i < run.to; i++) {
      end = writeRecord(records[i]!, offsetDelta++, baseTimestamp, out, end)
    }
  }
  return end
}

function writeRecord(
  record: ProducerRecord,
  offsetDelta: number,
  baseTimestamp: number,
  out: Uint8Array,
  at: number,
): number {
  const { key, value, headers } = record
  const timestampDelta = zigZag(record.timestamp - baseTimestamp)
  const offset = offsetDelta * 2
  let length = 1 + varintSize(timestampDelta) + varintSize(offset) + bytesSize(key) + bytesSize(value)
  if (headers === undefined) length++
  else length += headersSize(headers)

  let end = writeVarint(out, at, length * 2)
  out[end++] = 0 // attributes, unused
  end = writeVarint(out, end, timestampDelta)
  end = writeVarint(out, end, offset)
  end = writeBytes(out, end, key)
  end = writeBytes(out, end, value)
  if (headers === undefined) {
    out[end++] = 0
    return end
  }
  end = writeVarint(out, end, headers.length * 2)
  for (const [name, content] of headers) {
    end = writeBytes(out, end, headerName(name))
    end = writeBytes(out, end, content)
  }
  return end
}

function headersSize(headers: NonNullable<ProducerRecord['headers']>): number {
  let size = varintSize(headers.length * 2)
  for (const [name, content] of headers) size += bytesSize(headerName(name)) + bytesSize(content)
  return size
}

/** The arithmetic uses doubles, because timestamp deltas may have more than 32 bits. */
function zigZag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

function varintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  let size = 3
  for (let rest = value / 0x200000; rest >= 1; rest /= 0x80) size++
  return size
}

function bytesSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length * 2) + bytes.length
}

function writeVarint(out: Uint8Array, at: number, value: number): number {
  let end = at
  let rest = value
  while (rest >= 0x80000000) {
    out[end++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  while (rest >= 0x80) {
    out[end++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  out[end++] = rest
  return end
}

/** The length as zigzag varint (-1 for null), then the bytes. */
function writeBytes(out: Uint8Array, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) {
    out[at] = 1
    return at + 1
  }
  const end = writeVarint(out, at, bytes.length * 2)
  out.set(bytes, end)
  return end + bytes.length
}

/** Writes the 61 bytes of the header. The records already stand from byte 61 of `out` to its end. */
function withHeader(batch: PartitionBatch, out: Uint8Array, attributes: number): Uint8Array {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength)
  const baseTimestamp = BigInt(batch.firstRecord().timestamp)
  view.setBigInt64(0, 0n) // base offset, the leader's to set
  view.setInt32(LENGTH_AT, out.length - LENGTH_AT - 4)
  view.setInt32(12, NO_LEADER_EPOCH)
  view.setInt8(16, MAGIC)
  view.setInt16(ATTRIBUTES_AT, attributes)
  view.setInt32(23, batch.count - 1)
  view.setBigInt64(27, baseTimestamp)
  view.setBigInt64(35, BigInt(maxTimestamp(batch)))
  view.setBigInt64(43, batch.identity.producerId)
  view.setInt16(51, batch.identity.epoch)
  view.setInt32(53, batch.baseSequence)
  view.setInt32(57, batch.count)
  view.setUint32(CRC_AT, checksum(out.subarray(ATTRIBUTES_AT)))
  return out
}

/** The CRC-32C of the client is native where possible. It takes only buffers of the client without a copy. */
function checksum(bytes: Uint8Array): number {
  return crc32c(Writer.create().append(bytes as Buffer).dynamicBuffer)
}

function maxTimestamp(batch: PartitionBatch): number {
  let max = -1
  for (const run of batch.runs) {
    for (let i = run.from; i < run.to; i++) {
      const { timestamp } = run.send.records[i]!
      if (timestamp > max) max = timestamp
    }
  }
  return max
}
