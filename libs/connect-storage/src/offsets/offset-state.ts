import type { OffsetEntry, SourceOffset, SourcePartition } from '@tributary/connect-api'
import { canonicalPartition, readOffsetKey, readOffsetValue } from './offset-records.ts'

interface StoredOffset {
  readonly offset: SourceOffset
  readonly timestamp: number
  readonly position: bigint
}
/** The offsets of one source partition, by the text of each key that was written for the partition. */
interface Stored {
  readonly partition: SourcePartition
  readonly byKey: Map<string, StoredOffset>
}

/**
 * The offsets to which the records of the offsets topic add up. Connect may have written a partition's key with its
 * fields in another order. Such a key is kept, because compaction would never remove one of two different keys. If both
 * keys exist the later record counts.
 */
export class OffsetState {
  readonly #connectors = new Map<string, Map<string, Stored>>()

  offsets(connector: string): readonly OffsetEntry[] {
    const stored = this.#connectors.get(connector)?.values() ?? []
    return Array.from(stored, (s) => ({ partition: s.partition, offset: newest(s)!.offset }))
  }

  offset(connector: string, partition: SourcePartition): SourceOffset | null {
    const stored = this.#connectors.get(connector)?.get(canonicalPartition(partition))
    return stored ? newest(stored)!.offset : null
  }

  /** The keys that were written for the partition; the one that counts comes first. */
  keys(connector: string, partition: SourcePartition): readonly string[] {
    const stored = this.#connectors.get(connector)?.get(canonicalPartition(partition))
    if (stored === undefined) return []
    const current = newest(stored)!.key
    return [current, ...[...stored.byKey.keys()].filter((key) => key !== current)]
  }

  /** Throws an Error that says why the record cannot be read. */
  apply(
    record: { readonly value: Uint8Array | null; readonly timestamp: number; readonly offset: bigint },
    key: string,
  ): void {
    const read = readOffsetKey(key)
    if (read === null) return
    const offset = readOffsetValue(record.value)
    const name = canonicalPartition(read.partition)
    let partitions = this.#connectors.get(read.connector)
    if (!partitions) this.#connectors.set(read.connector, (partitions = new Map<string, Stored>()))
    const stored = partitions.get(name) ?? { partition: read.partition, byKey: new Map<string, StoredOffset>() }
    if (offset === null) stored.byKey.delete(key)
    else stored.byKey.set(key, { offset, timestamp: record.timestamp, position: record.offset })
    if (stored.byKey.size > 0) partitions.set(name, stored)
    else partitions.delete(name)
    if (partitions.size === 0) this.#connectors.delete(read.connector)
  }
}

/**
 * The newest record. Different keys may be in different partitions of the topic, where only the timestamp orders them.
 */
function newest(stored: Stored): { key: string; offset: SourceOffset } | null {
  let best: (StoredOffset & { readonly key: string }) | null = null
  for (const [key, entry] of stored.byKey) {
    const later =
      !best ||
      entry.timestamp > best.timestamp ||
      (entry.timestamp === best.timestamp && entry.position > best.position)
    if (later) best = { key, ...entry }
  }
  return best
}
