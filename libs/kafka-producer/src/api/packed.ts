import { itemOf, lengthOf, type PackedBytes } from '@tributary/connect-api'
import type { ProducerRecord, RecordHeaders } from './record.ts'

export interface PackedProducerRecordsParts {
  readonly topic: string
  readonly partition: number
  readonly keys: PackedBytes | null
  readonly values: PackedBytes
  /** The items of `keys`, `values` and `timestamps` that are sent, in this order. Null: those from 0 to `count` - 1. */
  readonly selected: Int32Array | null
  readonly count: number
  /** Of every record. */
  readonly headers: RecordHeaders | undefined
  /** In whole ms since the epoch: by item, or the same for all. */
  readonly timestamps: Float64Array | number
}

/** Records of one partition whose keys and values lie in buffers. The bytes must not change until the send is settled. */
export class PackedProducerRecords {
  readonly topic: string
  readonly partition: number
  readonly keys: PackedBytes | null
  readonly values: PackedBytes
  readonly selected: Int32Array | null
  readonly count: number
  readonly headers: RecordHeaders | undefined
  readonly timestamps: Float64Array | number

  constructor(parts: PackedProducerRecordsParts) {
    this.topic = parts.topic
    this.partition = parts.partition
    this.keys = parts.keys
    this.values = parts.values
    this.selected = parts.selected
    this.count = parts.count
    this.headers = parts.headers
    this.timestamps = parts.timestamps
  }

  /** The place of record `index` in `keys`, `values` and `timestamps`. */
  itemOf(index: number): number {
    return this.selected === null ? index : this.selected[index]!
  }

  /** Bytes of the keys and values. */
  get byteCount(): number {
    let bytes = 0
    for (let i = 0; i < this.count; i++) {
      const item = this.itemOf(i)
      bytes += lengthOf(this.values, item) + (this.keys === null ? 0 : lengthOf(this.keys, item))
    }
    return bytes
  }

  timestampOf(index: number): number {
    return typeof this.timestamps === 'number' ? this.timestamps : this.timestamps[this.itemOf(index)]!
  }

  /** The record as an object, whose bytes are views of the buffers. */
  record(index: number): ProducerRecord {
    const { topic, partition, headers } = this
    const item = this.itemOf(index)
    const key = this.keys === null ? null : itemOf(this.keys, item)
    return { topic, partition, key, value: itemOf(this.values, item), headers, timestamp: this.timestampOf(index) }
  }
}
