import type { Header, SourceOffset, SourcePartition, SourceRecord } from './record.ts'
import { OPTIONAL_BYTES_SCHEMA, OPTIONAL_STRING_SCHEMA, type Schema } from './schema.ts'

/**
 * Byte strings in one buffer: item `i` is `bytes[bounds[2 * i]]` up to, but not including, `bytes[bounds[2 * i + 1]]`. A start of -1
 * stands for null.
 */
export interface PackedBytes {
  readonly bytes: Buffer
  readonly bounds: Int32Array
}

/** `text`: valid UTF-8 of a string, with OPTIONAL_STRING_SCHEMA. `bytes`: with OPTIONAL_BYTES_SCHEMA. */
export type PackedType = 'text' | 'bytes'

/** Data with a schema that the bytes of a value stand for, such as the struct of a message. */
export interface PackedData {
  readonly schema: Schema
  /** Makes the data of `bytes` from `start` to, but not including, `end`. The pack has been made of bytes that can be read. */
  readonly read: (bytes: Buffer, start: number, end: number) => unknown
  /** What `read` answers, by item, where the source has read it already. The pack drops this once the data is converted. */
  readonly values: readonly unknown[] | null
}

export interface PackedRecordsParts {
  /** Number of records (≥ 1). */
  readonly count: number
  readonly topic: string
  readonly sourcePartition: SourcePartition
  /** The offset of a record by its index, from 0. Asked for the last record of the pack, and where a record is needed as an object. */
  readonly offsetOf: (index: number) => SourceOffset
  readonly values: PackedBytes
  readonly valueType: PackedType
  /** The values of the records are this data, and `values` its bytes; `valueType` is then bytes. Absent: the values are `values`. */
  readonly data?: PackedData | undefined
  /** Absent: no record has a key. */
  readonly keys?: PackedBytes | undefined
  /** Default: text. */
  readonly keyType?: PackedType | undefined
  /** Of every record. Packs with the same headers should share the array. */
  readonly headers?: readonly Header[] | undefined
  /** By record, in ms since the epoch. Absent: the time of producing. */
  readonly timestamps?: Float64Array | undefined
  /** A record as an object, where `values` are not what the source returned. Set by the runtime, for a pack that it has converted. */
  readonly recordOf?: ((index: number) => SourceRecord) | undefined
  /** The received bytes, kept for the dead-letter queue. Absent: the values are what was received. */
  readonly originals?: PackedBytes | undefined
  /** Of every record; see SourceRecord. */
  readonly received?: SourceRecord['received']
}

/**
 * Consecutive records whose values lie in one buffer, so that none of them needs an object of its own. The bytes must not change
 * until Kafka has them. A source may return packs among its records; see `SourceTask.poll`.
 */
export class PackedRecords {
  readonly count: number
  readonly topic: string
  readonly sourcePartition: SourcePartition
  readonly values: PackedBytes
  readonly valueType: PackedType
  readonly keys: PackedBytes | undefined
  readonly keyType: PackedType
  readonly headers: readonly Header[] | undefined
  readonly timestamps: Float64Array | undefined
  readonly #parts: PackedRecordsParts
  #read: readonly unknown[] | null

  /** Throws RangeError unless each part has an item for each record. */
  constructor(parts: PackedRecordsParts) {
    const { count, values, keys, timestamps, originals } = parts
    if (!(Number.isInteger(count) && count >= 1)) throw new RangeError(`a pack holds 1 record or more, not ${count}`)
    for (const { bounds } of [values, keys ?? values, originals ?? values]) {
      if (bounds.length < 2 * count) throw new RangeError(`${bounds.length} bounds for ${count} records, two for each`)
    }
    if (timestamps !== undefined && timestamps.length < count) {
      throw new RangeError(`${timestamps.length} timestamps for ${count} records`)
    }
    this.count = count
    this.topic = parts.topic
    this.sourcePartition = parts.sourcePartition
    this.values = values
    this.valueType = parts.valueType
    this.keys = keys
    this.keyType = parts.keyType ?? 'text'
    this.headers = parts.headers
    this.timestamps = timestamps
    this.#read = parts.data?.values ?? null
    this.#parts = parts.data === undefined ? parts : { ...parts, data: { ...parts.data, values: null } }
  }

  /** Whether the values are data with a schema, and not `values` themselves. */
  get hasData(): boolean {
    return this.#parts.data !== undefined
  }

  get valueSchema(): Schema {
    return this.#parts.data?.schema ?? schemaOf(this.valueType)
  }

  /** The value of a record. */
  valueOf(index: number): unknown {
    const { data } = this.#parts
    if (data === undefined) return dataOf(itemOf(this.values, index), this.valueType)
    const { bytes, bounds } = this.values
    return this.#read !== null ? this.#read[index] : data.read(bytes, bounds[2 * index]!, bounds[2 * index + 1]!)
  }

  /** The data was converted, and so `valueOf` will hardly be called again: it reads the bytes anew. */
  dropData(): void {
    this.#read = null
  }

  offsetOf(index: number): SourceOffset {
    return this.#parts.offsetOf(index)
  }

  /** The record as an object. `index`: from 0. Its bytes are views of the pack's. */
  record(index: number): SourceRecord {
    const { originals, data, recordOf, received } = this.#parts
    if (recordOf !== undefined) return recordOf(index)
    const key = this.keys === undefined ? null : itemOf(this.keys, index)
    const bytes = data === undefined ? itemOf(this.values, index) : null
    const record: SourceRecord = {
      sourcePartition: this.sourcePartition,
      sourceOffset: this.offsetOf(index),
      topic: this.topic,
      partition: undefined,
      key: dataOf(key, this.keyType),
      keySchema: key === null ? null : schemaOf(this.keyType),
      value: data === undefined ? dataOf(bytes, this.valueType) : this.valueOf(index),
      valueSchema: this.valueSchema,
      headers: this.headers,
      timestamp: this.timestamps?.[index] ?? null,
      original: itemOf(originals ?? this.values, index) ?? undefined,
      originalIsText: originals === undefined && this.valueType === 'text' && bytes !== null,
      error: undefined,
    }
    return received === undefined ? record : { ...record, received }
  }
}

/** What `poll` returns: records, and packs of records. */
export type Polled = SourceRecord | PackedRecords

/** How many records an element of `poll`'s answer holds. */
export function recordsIn(polled: Polled): number {
  return polled instanceof PackedRecords ? polled.count : 1
}

/** The records of an element of `poll`'s answer, as objects. */
export function recordsOf(polled: Polled): SourceRecord[] {
  if (!(polled instanceof PackedRecords)) return [polled]
  return Array.from({ length: polled.count }, (_, i) => polled.record(i))
}

/** A view of an item; null for null. */
export function itemOf({ bytes, bounds }: PackedBytes, index: number): Buffer | null {
  const start = bounds[2 * index]!
  return start < 0 ? null : bytes.subarray(start, bounds[2 * index + 1])
}

/** Bytes of an item; 0 for null. */
export function lengthOf({ bounds }: PackedBytes, index: number): number {
  const start = bounds[2 * index]!
  return start < 0 ? 0 : bounds[2 * index + 1]! - start
}

/** Some of the items of a buffer: the first `count`, none of which is null, one behind the other. */
export interface PackedRun extends PackedBytes {
  readonly count: number
}

/** The items of all runs (at least one run, none of them empty), in order, in a buffer of their own. */
export function joinRuns(runs: readonly PackedRun[]): PackedRun {
  let [count, length] = [0, 0]
  for (const run of runs) {
    count += run.count
    length += run.bounds[2 * run.count - 1]! - run.bounds[0]!
  }
  const bytes = Buffer.allocUnsafe(length)
  const bounds = new Int32Array(2 * count)
  let [at, end] = [0, 0]
  for (const run of runs) {
    const last = 2 * run.count - 1
    const shift = end - run.bounds[0]!
    for (let i = 0; i <= last; i++) bounds[at++] = run.bounds[i]! + shift
    end += run.bytes.copy(bytes, end, run.bounds[0], run.bounds[last])
  }
  return { bytes, bounds, count }
}

function dataOf(bytes: Buffer | null, type: PackedType): string | Buffer | null {
  return bytes === null || type === 'bytes' ? bytes : bytes.toString()
}

function schemaOf(type: PackedType): Schema {
  return type === 'text' ? OPTIONAL_STRING_SCHEMA : OPTIONAL_BYTES_SCHEMA
}
