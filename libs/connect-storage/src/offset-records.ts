import type { SourceOffset, SourcePartition } from '@tributary/connect-api'
import { fromJson, isObject, jsonBytes, toJson } from './connect-json.ts'
import { javaMapOrder } from './java-map-order.ts'

/**
 * Keys and values of Kafka Connect's offsets topic: key `["connector",{partition}]`, value `{offset}` (OffsetStorageWriter).
 * A partition's fields stand in the order of Java's HashMap, in which Connect looks them up by their bytes.
 */
export interface OffsetKey {
  readonly connector: string
  readonly partition: SourcePartition
}

/** Equal for equal partitions, whatever the order of their fields. */
export function canonicalPartition(partition: SourcePartition): string {
  return toJson(partition, 'sorted')
}

export function offsetKeyBytes(connector: string, partition: SourcePartition): Buffer {
  const ordered = javaMapOrder(Object.keys(partition)).map((name) => [name, partition[name]])
  return jsonBytes([connector, Object.fromEntries(ordered)])
}

export function offsetValueBytes(offset: SourceOffset): Buffer {
  return jsonBytes(offset)
}

/** Throws an Error that says why a key cannot be read; null for the partition `null`, which says nothing. */
export function readOffsetKey(key: string): OffsetKey | null {
  const value = fromJson(Buffer.from(key))
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== 'string') {
    throw new Error('the key is not ["connector",{partition}]')
  }
  const [connector, partition] = value as [string, unknown]
  if (partition === null) return null
  if (!isObject(partition)) throw new Error('the partition in the key is not an object')
  return { connector, partition: partition as SourcePartition }
}

/** null: the offset was removed. Throws an Error that says why a value cannot be read. */
export function readOffsetValue(bytes: Uint8Array | null): SourceOffset | null {
  const value = bytes === null ? null : fromJson(bytes)
  if (value !== null && !isObject(value)) throw new Error('the offset is not an object')
  return value as SourceOffset | null
}
