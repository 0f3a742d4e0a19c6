import type { OffsetEntry, SourceOffset, SourcePartition, SourceRecord } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'

/** A polled batch between its conversion and its acknowledgement. */
export interface Batch {
  readonly records: readonly SourceRecord[]
  readonly encoded: readonly ProducerRecord[]
  /** `encoded[i]` came from `records[indexes[i]]`. The dead letters at the end of `encoded` have no index. */
  readonly indexes: readonly number[]
  readonly offsets: ReadonlyMap<SourcePartition, SourceOffset | null>
  readonly byteCount: number
  /** Monotonic, ms. */
  readonly polledAt: number
}

/** A batch without records, whose position is committed after those of all batches before it. */
export function positionBatch({ partition, offset }: OffsetEntry, polledAt: number): Batch {
  const offsets = offset === null ? new Map<never, never>() : new Map([[partition, offset]])
  return { records: [], encoded: [], indexes: [], offsets, byteCount: 0, polledAt }
}

/** `removed`: source partitions that the task has ended. */
export function batchOf(
  records: readonly SourceRecord[],
  encoded: readonly ProducerRecord[],
  indexes: readonly number[],
  removed: readonly SourcePartition[],
  polledAt: number,
): Batch {
  const offsets = lastOffsets(records, removed)
  return { records, encoded, indexes, offsets, byteCount: byteCountOf(encoded), polledAt }
}

export function offsetEntries(offsets: Batch['offsets']): OffsetEntry[] {
  return Array.from(offsets, ([partition, offset]) => ({ partition, offset }))
}

/**
 * The last offset of each source partition; null for those that are `removed`. Partition objects are compared by identity; most
 * batches have one. Removed ones come first, since a partition with the same content may have begun anew in this batch.
 */
function lastOffsets(
  records: readonly SourceRecord[],
  removed: readonly SourcePartition[],
): Map<SourcePartition, SourceOffset | null> {
  const offsets = new Map<SourcePartition, SourceOffset | null>(removed.map((partition) => [partition, null]))
  let partition: SourcePartition | undefined
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i]!
    if (record.sourcePartition === partition) continue
    partition = record.sourcePartition
    if (!offsets.has(partition)) offsets.set(partition, record.sourceOffset)
  }
  return offsets
}

function byteCountOf(records: readonly ProducerRecord[]): number {
  let bytes = 0
  for (const { key, value } of records) bytes += (value?.length ?? 0) + (key?.length ?? 0)
  return bytes
}
