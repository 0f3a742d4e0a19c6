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
  /** Why the records cannot be read; absent when they are there. */
  readonly unreadable?: string
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

/** Most bytes of one batch after decompression. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024

/** How many bytes of decompressed batches an answer may still bring. The batches behind them are fetched again. */
export interface DecompressedBudget {
  left: number
}

export function decompressedBudget(): DecompressedBudget {
  return { left: MAX_BATCH_BYTES }
}

/**
 * The whole batches of a fetched partition. The broker cuts the last one off where the limit of the request is reached. A batch
 * whose records cannot be read has none: whoever reads the log must get past it. Throws RangeError for bytes that are no batches.
 */
export function readRecordBatches(bytes: Buffer, budget: DecompressedBudget = decompressedBudget()): RecordsBatch[] {
  const batches: RecordsBatch[] = []
  for (let at = 0; bytes.length - at >= HEAD_BYTES && budget.left > 0;) {
    const length = bytes.readInt32BE(at + LENGTH_AT)
    if (length <= 0) throw new RangeError(`a record batch has ${length} bytes`)
    const end = at + HEAD_BYTES + length
    if (end > bytes.length) break
    batches.push(readableBatch(bytes.subarray(at, end), budget))
    at = end
  }
  return batches
}

function readableBatch(bytes: Buffer, budget: DecompressedBudget): RecordsBatch {
  try {
    return readRecordBatch(bytes, budget)
  } catch (error) {
    return { ...readHeader(new Reader(bytes)), records: [], unreadable: (error as Error).message }
  }
}

/** Throws RangeError for a batch that is not of version 2 as it says, or for a compression that does not exist. */
export function readRecordBatch(bytes: Buffer, budget: DecompressedBudget = decompressedBudget()): RecordsBatch {
  const reader = new Reader(bytes)
  const header = readHeader(reader)
  const count = reader.readInt32()
  const compression = header.attributes & COMPRESSION
  const packed = bytes.subarray(reader.position)
  const unpacked = compression === 0 ? packed : decompress(compression, packed, MAX_BATCH_BYTES)
  if (compression !== 0) budget.left -= unpacked.length
  const body = new Reader(unpacked)
  const records: BatchedRecord[] = []
  for (let i = 0; i < count; i++) records.push(readRecord(body))
  return { ...header, records }
}

function readHeader(reader: Reader): Omit<RecordsBatch, 'records'> {
  const firstOffset = reader.readInt64()
  reader.skip(4 + 4 + 1 + 4) // length, partition_leader_epoch, magic, crc
  const attributes = reader.readInt16()
  return {
    firstOffset,
    attributes,
    lastOffsetDelta: reader.readInt32(),
    firstTimestamp: reader.readInt64(),
    maxTimestamp: reader.readInt64(),
    producerId: reader.readInt64(),
    producerEpoch: reader.readInt16(),
    firstSequence: reader.readInt32(),
  }
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
