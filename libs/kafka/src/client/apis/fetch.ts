import { apiKeys, throttled } from '../api.ts'
import { decompressedBudget, readRecordBatches, type RecordsBatch } from '../records.ts'

/** No session (KIP-227): every request names all that it wants. */
const NO_SESSION = 0
const FULL_FETCH_EPOCH = -1

export interface FetchRequest {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  /** 1: read_committed (KIP-98). */
  readonly isolation: 0 | 1
  readonly topicId: string
  readonly partitions: readonly { readonly partition: number; readonly offset: bigint; readonly maxBytes: number }[]
}

export interface FetchedPartition {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
  readonly abortedTransactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[] | null
  readonly records: readonly RecordsBatch[]
}

/** Brokers from 3.1 on: topics by their ids. */
export const fetchV13 = throttled(
  apiKeys.fetch,
  13,
  (writer, { maxWaitMs, minBytes, maxBytes, isolation, topicId, partitions }: FetchRequest) => {
    writer.appendInt32(-1) // replica_id: a client
    writer.appendInt32(maxWaitMs).appendInt32(minBytes).appendInt32(maxBytes).appendInt8(isolation)
    writer.appendInt32(NO_SESSION).appendInt32(FULL_FETCH_EPOCH)
    writer.appendArray([topicId], (id) => {
      writer.appendUuid(id).appendArray(partitions, ({ partition, offset, maxBytes: partitionMaxBytes }) => {
        writer.appendInt32(partition).appendInt32(-1) // current_leader_epoch
        writer.appendInt64(offset).appendInt32(-1) // last_fetched_epoch
        writer.appendInt64(-1n).appendInt32(partitionMaxBytes) // log_start_offset: of followers
      })
    })
    writer.appendArray([], () => undefined) // forgotten_topics_data
    writer.appendString('') // rack_id
  },
  (reader) => {
    const errorCode = reader.readInt16()
    const budget = decompressedBudget()
    reader.readInt32() // session_id
    const topics = reader.readArray(() => {
      const topicId = reader.readUuid()
      const partitions = reader.readArray((): FetchedPartition => {
        const partitionIndex = reader.readInt32()
        const partitionError = reader.readInt16()
        reader.readInt64() // high_watermark
        const lastStableOffset = reader.readInt64()
        const logStartOffset = reader.readInt64()
        const abortedTransactions = reader.readNullableArray(() => ({
          producerId: reader.readInt64(),
          firstOffset: reader.readInt64(),
        }))
        reader.readInt32() // preferred_read_replica
        const records = readRecordBatches(reader.readBytes(), budget)
        return {
          partitionIndex,
          errorCode: partitionError,
          lastStableOffset,
          logStartOffset,
          abortedTransactions,
          records,
        }
      })
      return { topicId, partitions }
    })
    return { errorCode, partitions: topics.flatMap(({ partitions }) => partitions) }
  },
)
