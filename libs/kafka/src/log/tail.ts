import type { KafkaConnection } from '@tributary/config'
import { setImmediate } from 'node:timers/promises'
import { listOffsets } from '../admin/admin.ts'
import { fetchV13 } from '../client/index.ts'
import { call, Cluster, leadersOf } from '../cluster/cluster.ts'
import { checkCode, protocolErrorName } from '../cluster/errors.ts'
import { committedRecords, type LogRecord } from './committed-records.ts'

export interface FetchPlan {
  readonly cluster: Cluster
  readonly node: number
  readonly topic: string
  readonly topicId: string
  /** The next offset to read, by partition of this leader. `tailLeader` moves it on. */
  readonly positions: Map<number, bigint>
  readonly partitions: readonly number[]
  /** Called with records of one partition in their order. */
  onRecords(records: readonly LogRecord[]): void
  /** Called after every answer, when positions may have moved. */
  onProgress(): void
  /** A batch that cannot be read was skipped. */
  onUnreadable?(partition: number, offset: bigint, reason: string): void
  /** The log no longer has the requested offset; reading goes on at `to`. */
  onReset(partition: number, to: bigint): void
  /** Everything committed that the partition held at the time `at` (ms since the epoch) was passed on. */
  onEnd?(partition: number, at: number): void
}

/** How long a broker holds a fetch that finds nothing new. An idle log costs one request in this time. */
const MAX_WAIT_MS = 5000
/**
 * Limit of one answer. An answer is processed in one turn of the event loop: with batches of one record each, as
 * exactly-once tasks write them, 1 MiB holds about 3,000 records and takes about 40 ms of a processor, of which a
 * starting process may get a tenth. A larger limit reads a log no faster.
 */
const MAX_BYTES = 1024 * 1024
/** Limit of one partition, whose records are passed on in one turn of the event loop. */
const PARTITION_MAX_BYTES = 256 * 1024
/** Longest time in ms for which records are passed on in one turn of the event loop, up to the end of one record's work. */
const TURN_MS = 10
const READ_COMMITTED = 1

/**
 * Reads the partitions of one leader without end, by long-polling fetches on a connection of its own. Ends by
 * rejecting, with the error or with the reason of the signal.
 */
export async function tailLeader(plan: FetchPlan, signal: AbortSignal): Promise<never> {
  const connection = await plan.cluster.open(await plan.cluster.address(plan.node), MAX_WAIT_MS + 10_000)
  // Only closing the connection ends a fetch that the broker holds.
  const close = (): void => void connection.close()
  signal.addEventListener('abort', close, { once: true })
  const lacking = plan.cluster.lacking('Read', 'Topic', plan.topic)
  try {
    for (;;) {
      signal.throwIfAborted()
      const partitions = plan.partitions.map((partition) => {
        return { partition, offset: plan.positions.get(partition) ?? 0n, maxBytes: PARTITION_MAX_BYTES }
      })
      // A process that stood still finds an old answer, so the time of the request counts.
      const askedAt = Date.now()
      const response = await call(connection, fetchV13, {
        ...{ maxWaitMs: MAX_WAIT_MS, minBytes: 1, maxBytes: MAX_BYTES, isolation: READ_COMMITTED },
        ...{ topicId: plan.topicId, partitions },
      })
      signal.throwIfAborted()
      checkCode(response.errorCode, `fetch from topic ${plan.topic}`, lacking)
      for (const fetched of response.partitions) {
        const partition = fetched.partitionIndex
        if (protocolErrorName(fetched.errorCode) === 'OFFSET_OUT_OF_RANGE') {
          // The answer itself does not tell the start of the log: brokers fill in -1.
          const start = (await listOffsets(plan.cluster, plan.topic, 'earliest')).offsets.get(partition) ?? 0n
          plan.positions.set(partition, start)
          plan.onReset(partition, start)
          continue
        }
        checkCode(fetched.errorCode, `fetch from ${plan.topic}-${partition}`, lacking)
        const { records, next, unreadable } = committedRecords(fetched, plan.positions.get(partition) ?? 0n)
        for (const { offset, reason } of unreadable) plan.onUnreadable?.(partition, offset, reason)
        await passOn(plan, partition, records, signal)
        plan.positions.set(partition, next)
        if (next >= fetched.lastStableOffset) plan.onEnd?.(partition, askedAt)
        // A long log must not hold the event loop: heartbeats and other tasks run in between.
        if (records.length > 0) await setImmediate()
      }
      plan.onProgress()
    }
  } finally {
    signal.removeEventListener('abort', close)
    await connection.close()
  }
}

/**
 * Passes the records on in turns of some ms of the event loop. What a record means may cost its reader more than its bytes tell.
 */
async function passOn(
  { positions, onRecords }: Pick<FetchPlan, 'positions' | 'onRecords'>,
  partition: number,
  records: readonly LogRecord[],
  signal: AbortSignal,
): Promise<void> {
  for (let from = 0; from < records.length;) {
    const until = performance.now() + TURN_MS
    let to = from
    do onRecords([records[to++]!])
    while (to < records.length && performance.now() < until)
    from = to
    if (from === records.length) return
    positions.set(partition, records[from]!.offset)
    await setImmediate()
    signal.throwIfAborted()
  }
}

export interface TailTopicOptions {
  readonly connection: KafkaConnection
  readonly topic: string
  /** The first offset to read by partition, or what chooses it for Kafka's id of the topic. Partitions without an entry are not read. */
  readonly from:
    ReadonlyMap<number, bigint> | ((id: string, partitions: readonly number[]) => ReadonlyMap<number, bigint>)
  readonly onRecords: (records: readonly LogRecord[]) => void
  /** Called after every answer with the next offset by partition: of one leader's partitions. */
  readonly onProgress?: (positions: ReadonlyMap<number, bigint>) => void
  /** The log no longer has the next offset of a partition; reading goes on at `to`. */
  readonly onReset?: (partition: number, to: bigint) => void
  readonly onUnreadable?: (partition: number, offset: bigint, reason: string) => void
}

/**
 * Reads a topic of any kind without end, read_committed and without a consumer group. Ends by rejecting, with the error
 * (it does not retry) or with the reason of the signal. A partition that no longer has the offset is read from its
 * start.
 */
export async function tailTopic(options: TailTopicOptions, signal: AbortSignal): Promise<never> {
  const { topic, onRecords, onProgress, onUnreadable, onReset = () => undefined } = options
  const cluster = new Cluster(options.connection)
  const round = new AbortController()
  const tails: Promise<never>[] = []
  try {
    const { id, leaders } = await leadersOf(cluster, topic)
    const from = typeof options.from === 'function' ? options.from(id, [...leaders.keys()]) : options.from
    for (const [node, partitions] of Map.groupBy(from.keys(), (partition) => leaders.get(partition) ?? -1)) {
      const positions = new Map(partitions.map((partition) => [partition, from.get(partition)!]))
      const plan = {
        ...{ cluster, node, topic, topicId: id, positions, partitions, onRecords, onReset },
        onProgress: () => onProgress?.(positions),
        ...(onUnreadable && { onUnreadable }),
      }
      tails.push(tailLeader(plan, AbortSignal.any([signal, round.signal])))
    }
    return await Promise.race(tails)
  } finally {
    round.abort(new Error('another leader of the topic failed'))
    await Promise.allSettled(tails)
    await cluster.close()
  }
}
