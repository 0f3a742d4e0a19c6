import type { KafkaConnection } from '@tributary/config'
import { fetchV13 } from '../client/index.ts'
import { call, Cluster, leadersOf } from '../cluster/cluster.ts'
import { committedRecords, type LogRecord } from './committed-records.ts'
import { checkCode, KafkaError } from '../cluster/errors.ts'

export interface ReadPartitionOptions {
  readonly topic: string
  readonly partition: number
  /** The first offset to read; 0 by default. */
  readonly from?: bigint
}

const MAX_BYTES = 32 << 20
const READ_COMMITTED = 1

/**
 * The records of a partition from an offset to the present end of the log (the last stable offset), as a read_committed
 * consumer sees them (KIP-98). One try: rejects with a KafkaError when the leader does not answer.
 */
export async function readPartition(
  connection: KafkaConnection,
  { topic, partition, from = 0n }: ReadPartitionOptions,
): Promise<LogRecord[]> {
  const cluster = new Cluster(connection)
  try {
    const { id, leaders } = await leadersOf(cluster, topic)
    const leader = await cluster.node(leaders.get(partition) ?? -1)
    const lacking = cluster.lacking('Read', 'Topic', topic)
    const read: LogRecord[] = []
    for (let offset = from; ;) {
      const response = await call(leader, fetchV13, {
        ...{ maxWaitMs: 0, minBytes: 0, maxBytes: MAX_BYTES, isolation: READ_COMMITTED, topicId: id },
        partitions: [{ partition, offset, maxBytes: MAX_BYTES }],
      })
      checkCode(response.errorCode, `fetch from topic ${topic}`, lacking)
      const fetched = response.partitions[0]
      checkCode(fetched?.errorCode ?? -1, `fetch from ${topic}-${partition}`, lacking)
      const { records, next, unreadable } = committedRecords(fetched!, offset)
      if (unreadable[0]) throw new KafkaError('CORRUPT_MESSAGE', unreadable[0].reason, false)
      read.push(...records)
      // Without progress there is nothing up to the end that this answer could have brought.
      if (next >= fetched!.lastStableOffset || next === offset) return read
      offset = next
    }
  } finally {
    await cluster.close()
  }
}
