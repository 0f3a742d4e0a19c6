import type { SourceOffset, SourcePartition } from '@tributary/connect-api'
import { isObject, jsonBytes, toJson } from '../connect-json.ts'
import { boundedJson, nameOf, objectOrNull } from '../schema/checks.ts'

/**
 * Keys and values of Kafka Connect's offsets topic (OffsetStorageWriter): key `["connector",{partition}]`, value
 * `{offset}`. The fields of a partition are in the order of Java's HashMap, because Connect finds an offset by the
 * bytes of its key.
 */
export interface OffsetKey {
  readonly connector: string
  readonly partition: SourcePartition
}

/** Equal for equal partitions in spite of the order of their fields. */
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

/**
 * Parses a key. Returns null for the partition `null`, which carries no information. Throws an Error that says why a
 * key cannot be read.
 */
export function readOffsetKey(key: string): OffsetKey | null {
  const value = boundedJson(Buffer.from(key))
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== 'string') {
    throw new Error('the key is not ["connector",{partition}]')
  }
  const [connector, partition] = [nameOf(value[0], 'connector'), value[1] as unknown]
  if (partition === null) return null
  if (!isObject(partition)) throw new Error('the partition in the key is not an object')
  return { connector, partition: partition as SourcePartition }
}

/** Parses a value; null means that the offset was removed. Throws an Error that says why a value cannot be read. */
export function readOffsetValue(bytes: Uint8Array | null): SourceOffset | null {
  return objectOrNull(bytes) as SourceOffset | null
}

/**
 * Orders names like a java.util.HashMap into which the sorted names were put: by bucket, and within a bucket by
 * insertion. Connect makes the key of an offset from such a map, and finds the offset by the bytes of the key.
 */
function javaMapOrder(names: readonly string[]): string[] {
  // A HashMap has 16 buckets at first. The number doubles when three quarters of it are exceeded
  // (HashMap.DEFAULT_LOAD_FACTOR).
  let buckets = 16
  while (names.length > buckets * 0.75) buckets *= 2
  const bucket = (name: string): number => {
    const hash = javaHashCode(name)
    return (hash ^ (hash >>> 16)) & (buckets - 1)
  }
  return [...names].sort((a, b) => bucket(a) - bucket(b) || (a < b ? -1 : a > b ? 1 : 0))
}

/** java.lang.String.hashCode: over UTF-16 code units, as a signed 32-bit integer. */
function javaHashCode(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash
}
