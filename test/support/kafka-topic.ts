import {
  AclOperations,
  AclPermissionTypes,
  Admin,
  ResourcePatternTypes,
  ResourceTypes,
  Connection,
  fetchV12,
  listOffsetsV6,
  metadataV12,
  ResponseError,
  type RecordsBatch,
} from '@platformatic/kafka'
import { randomUUID } from 'node:crypto'
import { until } from './until.ts'

/** Creates a topic with a random name and waits until each broker knows a leader of each partition. Returns the name. */
export async function createTopic(
  brokers: readonly string[],
  options: { readonly partitions?: number; readonly config?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const name = `t-${randomUUID()}`
  const partitions = options.partitions ?? 1
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] })
  try {
    const configs = Object.entries(options.config ?? {}).map(([key, value]) => ({ name: key, value }))
    await admin.createTopics({ topics: [name], partitions, replicas: 1, configs })
  } finally {
    await admin.close()
  }
  await untilKnown(brokers, name, partitions)
  return name
}

/**
 * Waits until each of the brokers shows the topic with leaders of so many partitions; 0: none shows the topic. The controller
 * answers a create or delete as soon as it has written that down, and a broker replays it a moment later.
 */
export async function untilKnown(brokers: readonly string[], topic: string, partitions: number): Promise<void> {
  for (const broker of brokers) {
    const connection = await connect([broker])
    try {
      const shown = (): Promise<boolean> => shows(connection, topic, partitions)
      await until(`broker ${broker} shows ${partitions} partitions of ${topic}`, shown)
    } finally {
      await connection.close()
    }
  }
}

async function shows(connection: Connection, topic: string, partitions: number): Promise<boolean> {
  let answer: Awaited<ReturnType<typeof metadataV12.api.async>>
  try {
    answer = await metadataV12.api.async(connection, [topic], false, false)
  } catch (error) {
    // The package throws the error of a topic, which is that of a topic not known yet.
    if (error instanceof ResponseError) return partitions === 0
    throw error
  }
  const found = answer.topics[0]?.partitions ?? []
  return found.length === partitions && found.every(({ errorCode, leaderId }) => errorCode === 0 && leaderId >= 0)
}

/** Needs a broker with an authorizer. */
export async function denyWrite(brokers: readonly string[], user: string, topic: string): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] })
  try {
    const what = {
      resourceType: ResourceTypes.TOPIC,
      resourceName: topic,
      resourcePatternType: ResourcePatternTypes.LITERAL,
    }
    const deny = { operation: AclOperations.WRITE, permissionType: AclPermissionTypes.DENY }
    await admin.createAcls({ creations: [{ ...what, principal: `User:${user}`, host: '*', ...deny }] })
  } finally {
    await admin.close()
  }
}

/** The offset that the next record of the partition will have. */
export async function readEndOffset(brokers: readonly string[], topic: string, partition = 0): Promise<bigint> {
  const connection = await connect(brokers)
  try {
    const wanted = { partitionIndex: partition, currentLeaderEpoch: -1, timestamp: -1n }
    const answer = await listOffsetsV6.api.async(connection, -1, 0, [{ name: topic, partitions: [wanted] }])
    return answer.topics[0]!.partitions[0]!.offset
  } finally {
    await connection.close()
  }
}

async function connect(brokers: readonly string[]): Promise<Connection> {
  const [host = '', port = ''] = (brokers[0] ?? '').split(':')
  const connection = new Connection('test')
  await connection.connect(host, Number(port))
  return connection
}

export interface KeptRecord {
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [string, Buffer | null])[]
  /** In ms since the epoch: the producer's time, or the broker's in a topic with LogAppendTime. */
  readonly timestamp: bigint
}

const READ_COMMITTED = 1
const READ_UNCOMMITTED = 0
const CONTROL = 1 << 5
const TRANSACTIONAL = 1 << 4
const LOG_APPEND_TIME = 1 << 3

/**
 * All records of a partition in the order of the log, by plain fetches: what the broker wrote, whatever the producer
 * reports. `committed` reads like a read_committed consumer, up to the last stable offset and without aborted records.
 * `from`: the first offset, 0 by default.
 */
export async function readPartition(
  brokers: readonly string[],
  topic: string,
  partition = 0,
  options: { readonly committed?: boolean; readonly from?: bigint } = {},
): Promise<KeptRecord[]> {
  const connection = await connect(brokers)
  const kept: KeptRecord[] = []
  const aborting = new Set<bigint>()
  try {
    for (let offset = options.from ?? 0n; ;) {
      const isolation = options.committed === true ? READ_COMMITTED : READ_UNCOMMITTED
      const wanted = { partition, currentLeaderEpoch: -1, fetchOffset: offset, lastFetchedEpoch: -1 }
      const topics = [{ topicId: topic, partitions: [{ ...wanted, partitionMaxBytes: 16 << 20 }] }]
      const answer = await fetchV12.api.async(connection, 0, 1, 32 << 20, isolation, 0, -1, topics, [], '')
      const part = answer.responses[0]?.partitions[0]
      if (part === undefined) throw new Error(`no answer for ${topic}-${partition}`)
      const end = options.committed === true ? part.lastStableOffset : part.highWatermark
      const aborted = [...(part.abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset))
      for (const batch of part.records ?? []) {
        while (aborted[0] !== undefined && aborted[0].firstOffset <= batch.firstOffset) {
          aborting.add(aborted.shift()!.producerId)
        }
        if ((batch.attributes & CONTROL) !== 0) aborting.delete(batch.producerId)
        else if ((batch.attributes & TRANSACTIONAL) === 0 || !aborting.has(batch.producerId))
          kept.push(...records(batch, offset))
        offset = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n
      }
      if (offset >= end) return kept.filter((record) => record.offset < end)
      if ((part.records ?? []).length === 0) throw new Error(`fetch at ${offset} of ${end} gave nothing`)
    }
  } finally {
    await connection.close()
  }
}

function records(batch: RecordsBatch, from: bigint): KeptRecord[] {
  // The broker writes its own time only into the batch, and leaves the producer's times in the records.
  const appended = (batch.attributes & LOG_APPEND_TIME) !== 0
  return batch.records
    .map((record) => ({
      offset: batch.firstOffset + BigInt(record.offsetDelta),
      key: record.key,
      value: record.value,
      headers: record.headers.map(([name, value]) => [String(name), value] as const),
      timestamp: appended ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta,
    }))
    .filter((record) => record.offset >= from)
}
