import type { OffsetEntry, SourceOffset, SourcePartition } from '@tributary/connect-api'
import type { LogRecord } from '@tributary/kafka'
import { partitionForKey } from '@tributary/kafka-producer'
import {
  canonicalPartition,
  offsetKeyBytes,
  offsetValueBytes,
  readOffsetKey,
  readOffsetValue,
} from './offset-records.ts'
import { StoreLog, type StoreLogOptions } from './store-log.ts'
import type { OffsetRecord, OffsetStore } from './types.ts'

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
 * The store of the offsets topic. Connect may have written a partition's key with its fields in another order. Such a
 * key is kept, because compaction would never remove one of two different keys. If both keys exist the later record
 * counts.
 */
export class KafkaOffsetStore implements OffsetStore {
  readonly #connectors = new Map<string, Map<string, Stored>>()
  readonly #log: StoreLog

  constructor(options: Omit<StoreLogOptions, 'onRecord'>) {
    this.#log = new StoreLog({ ...options, onRecord: (record, key) => this.#apply(record, key) })
  }

  /** See StoreLog. */
  get trouble(): string | null {
    return this.#log.trouble
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#log.start(signal)
  }
  refresh(signal?: AbortSignal): Promise<void> {
    return this.#log.refresh(signal)
  }

  offsets(connector: string): readonly OffsetEntry[] {
    const stored = this.#connectors.get(connector)?.values() ?? []
    return Array.from(stored, (s) => ({ partition: s.partition, offset: newest(s)!.offset }))
  }

  offset(connector: string, partition: SourcePartition): SourceOffset | null {
    const stored = this.#connectors.get(connector)?.get(canonicalPartition(partition))
    return stored ? newest(stored)!.offset : null
  }

  encode(connector: string, entries: readonly OffsetEntry[]): OffsetRecord[] {
    const records: OffsetRecord[] = []
    for (const { partition, offset } of entries) {
      const stored = this.#connectors.get(connector)?.get(canonicalPartition(partition))
      const known = stored ? [...stored.byKey.keys()].map((key) => Buffer.from(key)) : []
      const current = stored ? Buffer.from(newest(stored)!.key) : offsetKeyBytes(connector, partition)
      // A removal removes every key. A write goes to the key that counts.
      const keys = offset === null && known.length > 0 ? known : [current]
      const value = offset === null ? null : offsetValueBytes(offset)
      for (const key of keys) {
        records.push({
          topic: this.#log.topicName,
          partition: partitionForKey(key, this.#log.partitionCount),
          key,
          value,
        })
      }
    }
    return records
  }

  write(connector: string, entries: readonly OffsetEntry[], signal?: AbortSignal): Promise<void> {
    return this.#log.append(this.encode(connector, entries), signal)
  }

  stop(): Promise<void> {
    return this.#log.stop()
  }

  #apply(record: LogRecord, key: string): void {
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
