import { decompress } from './codecs.ts'
import { Reader } from './reader.ts'

/** Record batches of version 2 (https://kafka.apache.org/documentation/#recordbatch). */
export interface RecordsBatch {
  readonly firstOffset: bigint
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly firstTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly records: readonly BatchedRecord[]
}

/** Keys, values and headers are views of the answer's bytes. */
export interface BatchedRecord {
  readonly timestampDelta: bigint
  readonly offsetDelta: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: Buffer | null, value: Buffer | null])[]
}

/** First offset and length. */
const HEAD_BYTES = 8 + 4
const LENGTH_AT = 8
const COMPRESSION = 0b111

/**
 * The whole batches of a fetched partition. The broker cuts the last one off where the limit of the request is reached. Throws
 * RangeError for bytes that are no batches.
 */
export function readRecordBatches(bytes: Buffer): RecordsBatch[] {
  const batches: RecordsBatch[] = []
  for (let at = 0; bytes.length - at >= HEAD_BYTES;) {
    const length = bytes.readInt32BE(at + LENGTH_AT)
    if (length <= 0) throw new RangeError(`a record batch has ${length} bytes`)
    const end = at + HEAD_BYTES + length
    if (end > bytes.length) break
    batches.push(readRecordBatch(bytes.subarray(at, end)))
    at = end
  }
  return batches
}

/** Throws RangeError for a batch that is not of version 2 as it says, or for a compression that does not exist. */
export function readRecordBatch(bytes: Buffer): RecordsBatch {
  const reader = new Reader(bytes)
  const firstOffset = reader.readInt64()
  reader.skip(4 + 4 + 1 + 4) // length, partition_leader_epoch, magic, crc
  const attributes = reader.readInt16()
  const header = {
    firstOffset,
    attributes,
    lastOffsetDelta: reader.readInt32(),
    firstTimestamp: reader.readInt64(),
    maxTimestamp: reader.readInt64(),
    producerId: reader.readInt64(),
    producerEpoch: reader.readInt16(),
    firstSequence: reader.readInt32(),
  }
  const count = reader.readInt32()
  const compression = attributes & COMPRESSION
  const packed = bytes.subarray(reader.position)
  const body = new Reader(compression === 0 ? packed : decompress(compression, packed))
  const records: BatchedRecord[] = []
  for (let i = 0; i < count; i++) records.push(readRecord(body))
  return { ...header, records }
}

function readRecord(reader: Reader): BatchedRecord {
  reader.readVarInt() // length
  reader.readInt8() // attributes, unused
  const timestampDelta = reader.readVarInt64()
  const offsetDelta = reader.readVarInt()
  const key = reader.readVarIntBytes()
  const value = reader.readVarIntBytes()
  const headers: [Buffer | null, Buffer | null][] = []
  for (let left = reader.readVarInt(); left > 0; left--)
    headers.push([reader.readVarIntBytes(), reader.readVarIntBytes()])
  return { timestampDelta, offsetDelta, key, value, headers }
}
