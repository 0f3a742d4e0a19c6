import type { RecordsBatch } from '../client/index.ts'

/** One record of a log. `timestamp` in ms since the epoch. */
export interface LogRecord {
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: Buffer | null, value: Buffer | null])[]
  /** The timestamp is the broker's (`LogAppendTime`). Absent: it is the producer's. */
  readonly appended?: boolean
}

/** A batch that holds more than anybody should read, or bytes that are no records. It was skipped. */
export interface UnreadableBatch {
  readonly offset: bigint
  readonly reason: string
}

interface FetchedPartition {
  readonly partitionIndex: number
  readonly records?: readonly RecordsBatch[] | null
  readonly abortedTransactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[] | null
}

const TRANSACTIONAL = 1 << 4
const CONTROL = 1 << 5
const LOG_APPEND_TIME = 1 << 3
const ABORT_MARKER = 0

/**
 * The records of one fetched partition from offset `from` on that a read_committed consumer sees (KIP-98): without
 * control records and without the records of aborted transactions that the broker lists. `next` is the offset to fetch
 * next. It moves past records that were left out and records that compaction removed.
 */
export function committedRecords(
  fetched: FetchedPartition,
  from: bigint,
): { records: LogRecord[]; next: bigint; unreadable: UnreadableBatch[] } {
  const pending = [...(fetched.abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  const aborted = new Set<bigint>()
  const records: LogRecord[] = []
  const unreadable: UnreadableBatch[] = []
  let next = from
  for (const batch of fetched.records ?? []) {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta)
    while (pending.length > 0 && pending[0]!.firstOffset <= last) aborted.add(pending.shift()!.producerId)
    if (last >= next) next = last + 1n
    if (batch.unreadable !== undefined && last >= from)
      unreadable.push({ offset: batch.firstOffset, reason: batch.unreadable })
    if (batch.attributes & CONTROL) {
      if (markerType(batch) === ABORT_MARKER) aborted.delete(batch.producerId)
      continue
    }
    if (batch.attributes & TRANSACTIONAL && aborted.has(batch.producerId)) continue
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta)
      // The broker returns whole batches, also when the requested offset is inside one.
      if (offset < from) continue
      records.push({
        partition: fetched.partitionIndex,
        offset,
        timestamp: Number(
          batch.attributes & LOG_APPEND_TIME ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta,
        ),
        key: record.key,
        value: record.value,
        headers: record.headers,
        appended: (batch.attributes & LOG_APPEND_TIME) !== 0,
      })
    }
  }
  return { records, next, unreadable }
}

/**
 * The type in the key of a control record: int16 version, int16 type (0 abort, 1 commit). A batch that compaction
 * emptied has none.
 */
function markerType(batch: RecordsBatch): number | undefined {
  const key = batch.records[0]?.key
  return key && key.length >= 4 ? key.readInt16BE(2) : undefined
}
