import type { KafkaConnection } from '@tributary/config'
import { listOffsets } from '../admin/admin.ts'
import { fetchV13 } from '../client/index.ts'
import { call, Cluster, leadersOf } from '../cluster/cluster.ts'
import { committedRecords, type LogRecord } from './committed-records.ts'
import { checkCode, KafkaError } from '../cluster/errors.ts'

export interface ReadPartitionOptions {
  readonly topic: string
  readonly partition: number
  /** The first offset to read; 0 by default. */
  readonly from?: bigint
  /** The offset before which reading ends; absent: the present end of the log. */
  readonly until?: bigint
}

const MAX_BYTES = 32 << 20
const SCAN_BYTES = 1 << 20
const READ_COMMITTED = 1

/**
 * The records of a partition from an offset to the present end of the log (the last stable offset), as a read_committed
 * consumer sees them (KIP-98). One try: rejects with a KafkaError when the leader does not answer.
 */
export async function readPartition(connection: KafkaConnection, options: ReadPartitionOptions): Promise<LogRecord[]> {
  const read: LogRecord[] = []
  const cluster = new Cluster(connection)
  try {
    const unreadable = (reason: string): never => {
      throw new KafkaError('CORRUPT_MESSAGE', reason, false)
    }
    await scan(cluster, options, MAX_BYTES, (record) => void read.push(record), unreadable)
    return read
  } finally {
    await cluster.close()
  }
}

/** Resolves with the offset that follows what was read. `known`: the topic's id and leaders; absent: they are asked for. */
export async function scan(
  cluster: Cluster,
  { topic, partition, from = 0n, until }: ReadPartitionOptions,
  maxBytes: number,
  onRecord: (record: LogRecord) => void,
  onUnreadable: (reason: string) => void,
  known?: Awaited<ReturnType<typeof leadersOf>>,
): Promise<bigint> {
  const { id, leaders } = known ?? (await leadersOf(cluster, topic))
  const leader = await cluster.node(leaders.get(partition) ?? -1)
  const lacking = cluster.lacking('Read', 'Topic', topic)
  let offset = from
  while (until === undefined || offset < until) {
    const response = await call(leader, fetchV13, {
      ...{ maxWaitMs: 0, minBytes: 0, maxBytes, isolation: READ_COMMITTED, topicId: id },
      partitions: [{ partition, offset, maxBytes }],
    })
    checkCode(response.errorCode, `fetch from topic ${topic}`, lacking)
    const fetched = response.partitions[0]
    checkCode(fetched?.errorCode ?? -1, `fetch from ${topic}-${partition}`, lacking)
    const { records, next, unreadable } = committedRecords(fetched!, offset)
    for (const { reason } of unreadable) onUnreadable(reason)
    for (const record of records) if (until === undefined || record.offset < until) onRecord(record)
    // Without progress there is nothing up to the end that this answer could have brought.
    if (next >= fetched!.lastStableOffset || next === offset) return next
    offset = next
  }
  return offset
}

/** Reads parts of a partition, over connections that it keeps. One try each: rejects with a KafkaError. */
export class PartitionReader {
  readonly #cluster: Cluster
  readonly #at: { readonly topic: string; readonly partition: number }

  constructor(connection: KafkaConnection, topic: string, partition: number) {
    this.#cluster = new Cluster(connection)
    this.#at = { topic, partition }
  }

  /** The first offset that is there, the end, or the first offset of a record from a time on, in ms since the epoch; null: none. */
  async offset(at: 'earliest' | 'latest' | number): Promise<bigint | null> {
    const offset = (await listOffsets(this.#cluster, this.#at.topic, at)).offsets.get(this.#at.partition) ?? -1n
    return offset < 0n ? null : offset
  }

  /**
   * Shows `onRecord` the records one by one, without those that cannot be read, and holds no more than an answer of 1 MiB, or one
   * batch, in memory.
   */
  async scan(from: bigint, until: bigint, onRecord: (record: LogRecord) => void): Promise<void> {
    await scan(this.#cluster, { ...this.#at, from, until }, SCAN_BYTES, onRecord, () => undefined)
  }

  close(): Promise<void> {
    return this.#cluster.close()
  }
}
