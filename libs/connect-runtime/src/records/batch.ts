import {
  inFlightCost,
  type OffsetEntry,
  packedCost,
  PackedRecords,
  type Polled,
  recordsIn,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
} from '@tributary/connect-api'
import { PackedProducerRecords, type ProducerRecord, type Sendable } from '@tributary/kafka-producer'

/** A polled batch between its conversion and its acknowledgement. */
export interface Batch {
  readonly records: readonly Polled[]
  /** The records in `records`, those of packs counted one by one. */
  readonly recordCount: number
  /** Of these, those in `encoded`: neither filtered out, nor skipped, nor dead letters. */
  readonly written: number
  /** Of these, those that a transform filtered out. */
  readonly filtered: number
  /** What `poll` returned; null if more of its records follow, or none of them is in this batch. */
  readonly polled: readonly Polled[] | null
  readonly encoded: readonly Sendable[]
  /** `encoded[i]` came from `records[indexes[i]]`. The dead letters at the end of `encoded` have no index. */
  readonly indexes: readonly number[]
  readonly offsets: ReadonlyMap<SourcePartition, SourceOffset | null>
  /** Bytes of keys and values. */
  readonly byteCount: number
  /** What the batch costs of the memory budget. */
  readonly memoryCost: number
  /** Monotonic, ms. */
  readonly polledAt: number
}

/** A batch without records, whose position is committed after those of all batches before it. */
export function positionBatch({ partition, offset }: OffsetEntry, polledAt: number): Batch {
  const offsets = offset === null ? new Map<never, never>() : new Map([[partition, offset]])
  const none = { recordCount: 0, written: 0, filtered: 0, byteCount: 0, memoryCost: 0 }
  return { ...none, records: [], polled: null, encoded: [], indexes: [], offsets, polledAt }
}

/** `removed`: source partitions that the task has ended. */
export function batchOf(parts: BatchParts, removed: readonly SourcePartition[]): Batch {
  const { records, encoded, indexes } = parts
  const [offsets, recordCount] = [lastOffsets(records, removed), countRecords(records)]
  const { count, ...sizes } = sizesOf(encoded)
  const deadLetters = encoded.length - indexes.length
  return { ...parts, recordCount, written: count - deadLetters, offsets, ...sizes }
}

export type BatchParts = Pick<Batch, 'records' | 'polled' | 'filtered' | 'encoded' | 'indexes' | 'polledAt'>

export function countRecords(polled: readonly Polled[]): number {
  let count = 0
  for (let i = 0; i < polled.length; i++) count += recordsIn(polled[i]!)
  return count
}

export function offsetEntries(offsets: Batch['offsets']): OffsetEntry[] {
  return Array.from(offsets, ([partition, offset]) => ({ partition, offset }))
}

/** A record of `encoded` as an object, and its source record; null for a dead letter. `index`: its place in the send. */
export function encodedRecord(
  { records, encoded, indexes }: Batch,
  index: number,
): { readonly encoded: ProducerRecord; readonly record: SourceRecord | null } {
  let rest = index
  for (let i = 0; i < encoded.length; i++) {
    const element = encoded[i]!
    const count = element instanceof PackedProducerRecords ? element.count : 1
    if (rest >= count) {
      rest -= count
      continue
    }
    const source = records[indexes[i] ?? -1]
    if (!(element instanceof PackedProducerRecords)) {
      return { encoded: element, record: (source as SourceRecord | undefined) ?? null }
    }
    return { encoded: element.record(rest), record: (source as PackedRecords).record(element.itemOf(rest)) }
  }
  throw new RangeError(`the batch has no record ${index}`)
}

/**
 * The last offset of each source partition; null for those that are `removed`. Partition objects are compared by identity; most
 * batches have one. Removed ones come first, since a partition with the same content may have begun anew in this batch.
 */
function lastOffsets(
  records: readonly Polled[],
  removed: readonly SourcePartition[],
): Map<SourcePartition, SourceOffset | null> {
  const offsets = new Map<SourcePartition, SourceOffset | null>()
  for (const partition of removed) offsets.set(partition, null)
  let partition: SourcePartition | undefined
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i]!
    if (record.sourcePartition === partition) continue
    partition = record.sourcePartition
    if (offsets.has(partition)) continue
    offsets.set(partition, record instanceof PackedRecords ? record.offsetOf(record.count - 1) : record.sourceOffset)
  }
  return offsets
}

function sizesOf(encoded: readonly Sendable[]): Pick<Batch, 'byteCount' | 'memoryCost'> & { readonly count: number } {
  let [plain, plainBytes, packed, packedBytes] = [0, 0, 0, 0]
  for (let i = 0; i < encoded.length; i++) {
    const record = encoded[i]!
    if (record instanceof PackedProducerRecords) {
      packed += record.count
      packedBytes += record.byteCount
    } else {
      plain++
      plainBytes += (record.value?.length ?? 0) + (record.key?.length ?? 0)
    }
  }
  const memoryCost = inFlightCost(plain, plainBytes) + packedCost(packed, packedBytes)
  return { count: plain + packed, byteCount: plainBytes + packedBytes, memoryCost }
}
