import type { OffsetEntry, SourceOffset, SourcePartition, SourceRecord } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'

/** A polled batch between its conversion and its acknowledgement. */
export interface Batch {
  readonly records: readonly SourceRecord[]
  readonly encoded: readonly ProducerRecord[]
  /** `encoded[i]` came from `records[indexes[i]]`. The dead letters at the end of `encoded` have no index. */
  readonly indexes: readonly number[]
  readonly offsets: ReadonlyMap<SourcePartition, SourceOffset>
  readonly byteCount: number
  /** Monotonic, ms. */
  readonly polledAt: number
}

/** A batch without records, whose position is committed after those of all batches before it. */
export function positionBatch({ partition, offset }: OffsetEntry, polledAt: number): Batch {
  const offsets = offset === null ? new Map<never, never>() : new Map([[partition, offset]])
  return { records: [], encoded: [], indexes: [], offsets, byteCount: 0, polledAt }
}

/** The last offset of each source partition. Partition objects are compared by identity; most batches have one. */
export function lastOffsets(records: readonly SourceRecord[]): Map<SourcePartition, SourceOffset> {
  const offsets = new Map<SourcePartition, SourceOffset>()
  let partition: SourcePartition | undefined
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i]!
    if (record.sourcePartition === partition) continue
    partition = record.sourcePartition
    if (!offsets.has(partition)) offsets.set(partition, record.sourceOffset)
  }
  return offsets
}

export function byteCountOf(records: readonly ProducerRecord[]): number {
  let bytes = 0
  for (const { key, value } of records) bytes += (value?.length ?? 0) + (key?.length ?? 0)
  return bytes
}
