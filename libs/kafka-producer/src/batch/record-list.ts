import { lengthOf, type PackedBytes } from '@tributary/connect-api'
import { PackedProducerRecords } from '../api/packed.ts'
import type { ProducerRecord } from '../api/record.ts'
import type { Sendable } from '../api/types.ts'
import {
  bytesSize,
  headersSize,
  varintSize,
  writeBytes,
  writeHeaders,
  writeSlice,
  writeVarint,
  zigZag,
} from './varint.ts'

/** Consecutive records of a send, read by index, whatever form the caller has them in. */
export interface RecordList {
  readonly length: number
  /** The place of record 0 among the records of the send. */
  readonly base: number
  topicOf(index: number): string
  partitionOf(index: number): number
  timestampOf(index: number): number
  /** An upper bound of the encoded bytes of a record. Cheap, because it is computed for each record. */
  bytesOf(index: number): number
  /** Writes a record (https://kafka.apache.org/documentation/#record) to `out` from `at` on, and returns the end. Hot path. */
  write(index: number, offsetDelta: number, baseTimestamp: number, out: Buffer, at: number): number
}

/** The lists of a send, in order. Usually there is one. */
export function listsOf(records: readonly Sendable[]): readonly RecordList[] {
  const [only] = records
  if (records.length === 1 && only instanceof PackedProducerRecords) return [new PackedList(only, 0)]
  const lists: RecordList[] = []
  let base = 0
  let from = 0
  const addPlain = (to: number): void => {
    if (from === to) return
    const plain = from === 0 && to === records.length ? records : records.slice(from, to)
    lists.push(new PlainList(plain as readonly ProducerRecord[], base))
    base += to - from
  }
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    if (!(record instanceof PackedProducerRecords)) continue
    addPlain(i)
    lists.push(new PackedList(record, base))
    base += record.count
    from = i + 1
  }
  addPlain(records.length)
  return lists
}

/** Bytes of a record besides its key, value and headers, at most: seven varints and the attributes. */
const RECORD_OVERHEAD = 40
const HEADER_OVERHEAD = 10
const NO_HEADERS = encoded(undefined)

class PlainList implements RecordList {
  readonly length: number
  readonly base: number
  readonly #records: readonly ProducerRecord[]

  constructor(records: readonly ProducerRecord[], base: number) {
    this.#records = records
    this.length = records.length
    this.base = base
  }

  topicOf(index: number): string {
    return this.#records[index]!.topic
  }

  partitionOf(index: number): number {
    return this.#records[index]!.partition
  }

  timestampOf(index: number): number {
    return this.#records[index]!.timestamp
  }

  bytesOf(index: number): number {
    const { key, value, headers } = this.#records[index]!
    return RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0) + headerBytes(headers)
  }

  write(index: number, offsetDelta: number, baseTimestamp: number, out: Buffer, at: number): number {
    const { key, value, headers, timestamp } = this.#records[index]!
    const timestampDelta = zigZag(timestamp - baseTimestamp)
    const offset = offsetDelta * 2
    const length =
      1 + varintSize(timestampDelta) + varintSize(offset) + bytesSize(key) + bytesSize(value) + headersSize(headers)
    let end = writeVarint(out, at, length * 2)
    out[end++] = 0 // attributes, unused
    end = writeVarint(out, end, timestampDelta)
    end = writeVarint(out, end, offset)
    end = writeBytes(out, end, key)
    end = writeBytes(out, end, value)
    return writeHeaders(out, end, headers)
  }
}

class PackedList implements RecordList {
  readonly length: number
  readonly base: number
  readonly #records: PackedProducerRecords
  /** The encoded headers, which are the same for all records. */
  readonly #headers: Buffer
  /** An upper bound of the encoded bytes of a record besides its key and value. */
  readonly #overhead: number

  constructor(records: PackedProducerRecords, base: number) {
    this.#records = records
    this.length = records.count
    this.base = base
    this.#headers = records.headers === undefined ? NO_HEADERS : encoded(records.headers)
    this.#overhead = RECORD_OVERHEAD + this.#headers.length
  }

  topicOf(): string {
    return this.#records.topic
  }

  partitionOf(): number {
    return this.#records.partition
  }

  timestampOf(index: number): number {
    return this.#records.timestampOf(index)
  }

  bytesOf(index: number): number {
    const { keys, values } = this.#records
    const item = this.#records.itemOf(index)
    return this.#overhead + lengthOf(values, item) + (keys === null ? 0 : lengthOf(keys, item))
  }

  write(index: number, offsetDelta: number, baseTimestamp: number, out: Buffer, at: number): number {
    const records = this.#records
    const { keys, values } = records
    const headers = this.#headers
    const item = records.itemOf(index)
    const timestampDelta = zigZag(records.timestampOf(index) - baseTimestamp)
    const offset = offsetDelta * 2
    const keySize = keys === null ? 1 : itemSize(keys, item)
    const length =
      1 + varintSize(timestampDelta) + varintSize(offset) + keySize + itemSize(values, item) + headers.length
    let end = writeVarint(out, at, length * 2)
    out[end++] = 0 // attributes, unused
    end = writeVarint(out, end, timestampDelta)
    end = writeVarint(out, end, offset)
    if (keys === null) out[end++] = 1
    else end = writeItem(out, end, keys, item)
    end = writeItem(out, end, values, item)
    if (headers.length === 1) {
      out[end++] = 0 // no headers
      return end
    }
    return end + headers.copy(out, end)
  }
}

function encoded(headers: ProducerRecord['headers']): Buffer {
  const bytes = Buffer.allocUnsafe(headersSize(headers))
  writeHeaders(bytes, 0, headers)
  return bytes
}

function headerBytes(headers: ProducerRecord['headers']): number {
  if (headers === undefined) return 0
  let bytes = 0
  // A UTF-16 code unit takes at most three bytes of UTF-8.
  for (const [name, value] of headers) bytes += HEADER_OVERHEAD + 3 * name.length + (value === null ? 0 : value.length)
  return bytes
}

function itemSize({ bounds }: PackedBytes, item: number): number {
  const start = bounds[2 * item]!
  if (start < 0) return 1
  const length = bounds[2 * item + 1]! - start
  return varintSize(length * 2) + length
}

function writeItem(out: Buffer, at: number, { bytes, bounds }: PackedBytes, item: number): number {
  return writeSlice(out, at, bytes, bounds[2 * item]!, bounds[2 * item + 1]!)
}
