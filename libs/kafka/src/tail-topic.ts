import type { KafkaConnection } from '@tributary/config'
import { Cluster, leadersOf } from './cluster.ts'
import type { LogRecord } from './committed-records.ts'
import { tailLeader } from './log-fetcher.ts'

export interface TailTopicOptions {
  readonly connection: KafkaConnection
  readonly topic: string
  /** Partition → first offset to read. A partition that is not named is not read. */
  readonly from: ReadonlyMap<number, bigint>
  readonly onRecords: (records: readonly LogRecord[]) => void
}

/**
 * Reads a topic of any kind, read_committed and without a consumer group, for ever. Ends by rejecting: with what went wrong
 * (nothing is tried again), or with the signal's reason. A log that no longer has an offset is read from its start.
 */
export async function tailTopic(options: TailTopicOptions, signal: AbortSignal): Promise<never> {
  const { topic, onRecords } = options
  const cluster = new Cluster(options.connection)
  const round = new AbortController()
  const tails: Promise<never>[] = []
  try {
    const { id, leaders } = leadersOf(await cluster.metadata([topic]), topic)
    const wanted = [...options.from.keys()]
    for (const [node, partitions] of Map.groupBy(wanted, (partition) => leaders.get(partition) ?? -1)) {
      const positions = new Map(options.from)
      const ignore = (): void => undefined
      const plan = { cluster, node, topic, topicId: id, positions, partitions, onRecords }
      tails.push(tailLeader({ ...plan, onProgress: ignore, onReset: ignore }, AbortSignal.any([signal, round.signal])))
    }
    return await Promise.race(tails)
  } finally {
    round.abort(new Error('another leader of the topic failed'))
    await Promise.allSettled(tails)
    await cluster.close()
  }
}
