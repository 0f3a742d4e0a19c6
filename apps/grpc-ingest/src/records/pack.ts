import {
  type Header,
  type PackedBytes,
  PackedRecords,
  type PackedType,
  type SourceOffset,
  type SourcePartition,
} from '@tributary/connect-api'
import { type StructReader, takeBytes } from '../schema/index.ts'
import { copyBounds } from '../transport/index.ts'

/** A pack is closed when its JSON has this many bytes, so that the buffer of the JSON stays small. */
const FULL_BYTES = 256 * 1024
const START_RECORDS = 512
const START_KEY_BYTES = 4096
/** Bytes of UTF-8 for one unit of UTF-16, at most. */
const MAX_UNIT_BYTES = 3

/** The offset of a record by its place among the records since the last `begin`. */
export type OffsetAt = (index: number) => SourceOffset

export interface PackTarget {
  readonly topic: string
  readonly sourcePartition: SourcePartition
}

/**
 * Gathers records whose messages lie in one buffer, and makes a pack of them. The arrays are used again for the next pack, which gets
 * copies of their own size.
 */
export class Pack {
  readonly #target: PackTarget
  #messages: Buffer = Buffer.alloc(0)
  #count = 0
  #json = false
  #struct: StructReader | null = null
  /** The structs of the messages, if their values are structs. */
  #structs: unknown[] = []
  /** Bounds of the messages, of the JSON in the output, and of the keys. */
  #originals = new Int32Array(2 * START_RECORDS)
  #values = new Int32Array(2 * START_RECORDS)
  #keys = new Int32Array(2 * START_RECORDS)
  #timestamps = new Float64Array(START_RECORDS)
  #keyBytes = Buffer.allocUnsafeSlow(START_KEY_BYTES)
  #keyEnd = 0
  #keyType: PackedType | null = null
  /** End of the JSON in the output. */
  #end = 0

  constructor(target: PackTarget) {
    this.#target = target
  }

  /**
   * Begins a pack of messages in `messages`. `json`: their values are JSON, which is written at `end` of the output. `struct`: their
   * values are structs, added by `addStruct`.
   */
  begin(messages: Buffer, json: boolean, struct: StructReader | null = null): void {
    this.#messages = messages
    this.#json = json
    this.#struct = struct
    this.#structs = []
    this.#count = 0
    this.#end = 0
    this.#keyEnd = 0
    this.#keyType = null
  }

  get count(): number {
    return this.#count
  }

  /** Where the JSON of the next record begins. */
  get end(): number {
    return this.#end
  }

  get full(): boolean {
    return this.#end >= FULL_BYTES
  }

  /** Whether the pack can take a key of this type. All its keys have one type. */
  fits(key: string | Uint8Array | null): boolean {
    return key === null || this.#keyType === null || (typeof key === 'string') === (this.#keyType === 'text')
  }

  /** Adds the record of the message from `start` to `to`, whose JSON ends at `jsonEnd`. */
  add(start: number, to: number, jsonEnd: number, key: string | Uint8Array | null, timestamp: number): void {
    const index = this.#count++
    if (index === this.#timestamps.length) this.#grow()
    this.#originals[2 * index] = start
    this.#originals[2 * index + 1] = to
    this.#values[2 * index] = this.#end
    this.#values[2 * index + 1] = jsonEnd
    this.#timestamps[index] = timestamp
    this.#end = jsonEnd
    if (key === null) this.#keys[2 * index] = -1
    else this.#addKey(index, key)
  }

  /** The struct of the record that is added next. */
  addStruct(value: unknown): void {
    this.#structs.push(value)
  }

  /** The pack. `timed`: its records have the timestamps that were added. */
  take(offsetOf: OffsetAt, headers: readonly Header[] | undefined, timed: boolean): PackedRecords {
    const count = this.#count
    const originals: PackedBytes = { bytes: this.#messages, bounds: copyBounds(this.#originals, 2 * count) }
    const json = this.#json ? { bytes: takeBytes(this.#end), bounds: copyBounds(this.#values, 2 * count) } : null
    return new PackedRecords({
      count,
      ...this.#target,
      offsetOf,
      values: json ?? originals,
      valueType: json === null ? 'bytes' : 'text',
      data: this.#struct === null ? undefined : { ...this.#struct, values: this.#structs },
      keys: this.#keyType === null ? undefined : this.#takeKeys(),
      keyType: this.#keyType ?? undefined,
      headers,
      timestamps: timed ? this.#timestamps.slice(0, count) : undefined,
      originals: json === null ? undefined : originals,
    })
  }

  #addKey(index: number, key: string | Uint8Array): void {
    const start = this.#keyEnd
    const most = start + (typeof key === 'string' ? MAX_UNIT_BYTES * key.length : key.length)
    if (most > this.#keyBytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(most, 2 * this.#keyBytes.length))
      larger.set(this.#keyBytes.subarray(0, start))
      this.#keyBytes = larger
    }
    if (typeof key === 'string') {
      this.#keyType = 'text'
      this.#keyEnd += this.#keyBytes.write(key, start)
    } else {
      this.#keyType = 'bytes'
      this.#keyBytes.set(key, start)
      this.#keyEnd += key.length
    }
    this.#keys[2 * index] = start
    this.#keys[2 * index + 1] = this.#keyEnd
  }

  #takeKeys(): PackedBytes {
    const bytes = Buffer.from(this.#keyBytes.subarray(0, this.#keyEnd))
    return { bytes, bounds: copyBounds(this.#keys, 2 * this.#count) }
  }

  #grow(): void {
    const doubled = (full: Int32Array): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(2 * full.length)
      larger.set(full)
      return larger
    }
    this.#originals = doubled(this.#originals)
    this.#values = doubled(this.#values)
    this.#keys = doubled(this.#keys)
    const timestamps = new Float64Array(2 * this.#timestamps.length)
    timestamps.set(this.#timestamps)
    this.#timestamps = timestamps
  }
}
