import { abortable, sleep } from '@tributary/async'
import type { KafkaConnection } from '@tributary/config'
import {
  type Connection,
  createTopicsV7,
  deleteTopicsV6,
  describeConfigsV4,
  describeGroupsV5,
  incrementalAlterConfigsV1,
  listOffsetsV7,
  TOPIC_RESOURCE,
} from '../client/index.ts'
import { Backoff } from '../cluster/backoff.ts'
import { call, Cluster, findCoordinator, leadersOf } from '../cluster/cluster.ts'
import { checkCode, KafkaError, protocolError } from '../cluster/errors.ts'
import { fenceProducers } from './fence-producers.ts'
import { decodePayload } from '../group/group-payload.ts'

/** A topic to create. -1 partitions or replicas: the default of the broker (KIP-464). */
export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs?: Readonly<Record<string, string>>
}

export interface TopicDescription {
  readonly name: string
  readonly id: string
  readonly partitions: readonly {
    readonly partition: number
    readonly leader: number
    readonly replicas: readonly number[]
  }[]
}

export interface GroupMemberDescription {
  readonly memberId: string
  readonly clientId: string
  readonly host: string
  /** What the member joined with, decoded; null while the group rebalances, and for a member of another kind. */
  readonly metadata: unknown
  readonly metadataBytes: Buffer
}

export interface GroupDescription {
  readonly groupId: string
  /** Kafka's state: Dead (the group does not exist), Empty, PreparingRebalance, CompletingRebalance or Stable. */
  readonly state: string
  readonly members: readonly GroupMemberDescription[]
}

const REQUEST_TIMEOUT_MS = 30_000

/**
 * Topics, offsets and groups. Every call retries errors that may heal (an outage, a moved leader) for up to
 * `timeoutMs`, and rejects with a KafkaError.
 */
export class KafkaAdmin {
  readonly #cluster: Cluster
  readonly #timeoutMs: number

  constructor(connection: KafkaConnection, options: { readonly timeoutMs?: number } = {}) {
    this.#cluster = new Cluster(connection)
    this.#timeoutMs = options.timeoutMs ?? 30_000
  }

  /**
   * Creates a topic. Resolves with false when the topic exists already. A new topic may be unknown to some brokers for a
   * moment.
   */
  createTopic(topic: NewTopic, signal?: AbortSignal): Promise<boolean> {
    const doing = `create topic ${topic.name}`
    const lacking = this.#cluster.lacking('Create', 'Topic', topic.name)
    return this.#retry(signal, async () => {
      const configs = Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value }))
      const request = {
        name: topic.name,
        numPartitions: topic.partitions,
        replicationFactor: topic.replicationFactor,
        configs,
      }
      const response = await call(await this.#controller(), createTopicsV7, [request], REQUEST_TIMEOUT_MS)
      const answer = response.topics[0]
      const error = protocolError(answer?.errorCode ?? -1, doing, lacking, answer?.errorMessage)
      if (answer?.errorCode !== 0 && error.code !== 'TOPIC_ALREADY_EXISTS') throw error
      return answer?.errorCode === 0
    })
  }

  /** Deletes topics. Resolves also when a topic does not exist. */
  deleteTopics(names: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#retry(signal, async () => {
      const response = await call(await this.#controller(), deleteTopicsV6, names, REQUEST_TIMEOUT_MS)
      for (const answer of response.responses) {
        const error = protocolError(
          answer.errorCode,
          `delete topic ${answer.name}`,
          this.#cluster.lacking('Delete', 'Topic', String(answer.name)),
          answer.errorMessage,
        )
        if (answer.errorCode !== 0 && error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      }
    })
  }

  /** The descriptions by name; null for a topic that does not exist. */
  describeTopics(names: readonly string[], signal?: AbortSignal): Promise<Map<string, TopicDescription | null>> {
    return this.#retry(signal, async () => {
      const { topics } = await this.#cluster.metadata(names)
      const described = new Map<string, TopicDescription | null>()
      for (const name of names) {
        const topic = topics.find((t) => t.name === name)
        const error = protocolError(
          topic?.errorCode ?? 3,
          `describe topic ${name}`,
          this.#cluster.lacking('Describe', 'Topic', name),
        )
        if (!topic || topic.errorCode !== 0) {
          if (error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
          described.set(name, null)
          continue
        }
        const partitions = topic.partitions
          .map((p) => ({ partition: p.partitionIndex, leader: p.leaderId, replicas: p.replicaNodes }))
          .sort((a, b) => a.partition - b.partition)
        described.set(name, { name, id: topic.topicId, partitions })
      }
      return described
    })
  }

  /**
   * The settings of a topic, with the defaults of the broker. Throws UNKNOWN_TOPIC_OR_PARTITION,
   * TOPIC_AUTHORIZATION_FAILED.
   */
  topicConfig(topic: string, keys: readonly string[], signal?: AbortSignal): Promise<Map<string, string | null>> {
    return this.#retry(signal, async () => {
      const resource = { resourceType: TOPIC_RESOURCE, resourceName: topic, configurationKeys: keys }
      const response = await call(await this.#cluster.any(), describeConfigsV4, [resource])
      const result = response.results[0]
      const lacking = this.#cluster.lacking('DescribeConfigs', 'Topic', topic)
      checkCode(result?.errorCode ?? -1, `describe the configuration of topic ${topic}`, lacking, result?.errorMessage)
      return new Map(result!.configs.map((c) => [c.name, c.value]))
    })
  }

  /** Sets settings of a topic, or removes them (null), and leaves the others as they are (KIP-339). */
  alterTopicConfig(
    topic: string,
    settings: Readonly<Record<string, string | null>>,
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#retry(signal, async () => {
      const changes = Object.entries(settings).map(([name, value]) => ({ name, value }))
      const resource = { resourceType: TOPIC_RESOURCE, resourceName: topic, changes }
      const response = await call(await this.#controller(), incrementalAlterConfigsV1, [resource])
      const result = response.responses[0]
      const lacking = this.#cluster.lacking('AlterConfigs', 'Topic', topic)
      checkCode(result?.errorCode ?? -1, `alter the configuration of topic ${topic}`, lacking, result?.errorMessage)
    })
  }

  /**
   * The offsets by partition. `latest` is the high watermark: one after the last record that every in-sync replica has,
   * records of open transactions included; `stable` is the end before the first open transaction.
   */
  listOffsets(topic: string, at: 'earliest' | 'latest' | 'stable', signal?: AbortSignal): Promise<Map<number, bigint>> {
    return this.#retry(signal, async () => (await listOffsets(this.#cluster, topic, at)).offsets)
  }

  /**
   * A group and its members. A broker returns the metadata of members only while the group is stable, so this waits for
   * a running rebalance for up to `settleMs` (default 2000) and then answers without the metadata.
   */
  async describeGroup(
    groupId: string,
    options: { settleMs?: number; signal?: AbortSignal } = {},
  ): Promise<GroupDescription> {
    const deadline = performance.now() + (options.settleMs ?? 2000)
    for (;;) {
      const group = await this.#retry(options.signal, () => this.#describeGroup(groupId))
      if (!group.state.endsWith('Rebalance') || performance.now() >= deadline) return group
      await sleep(50, options.signal)
    }
  }

  /**
   * Fences every producer that holds one of the transactional ids and aborts what they left open (KIP-618). With a
   * signal it retries until that aborts, without one for `timeoutMs`.
   */
  fenceProducers(transactionalIds: readonly string[], signal?: AbortSignal): Promise<void> {
    return fenceProducers(this.#cluster, transactionalIds, signal ?? AbortSignal.timeout(this.#timeoutMs))
  }

  describeCluster(signal?: AbortSignal): Promise<{ clusterId: string; controllerId: number; brokers: string[] }> {
    return this.#retry(signal, async () => {
      const { clusterId, controllerId, brokers } = await this.#cluster.metadata([])
      return { clusterId: clusterId ?? '', controllerId, brokers: brokers.map((b) => `${b.host}:${b.port}`) }
    })
  }

  close(): Promise<void> {
    return this.#cluster.close()
  }

  async #describeGroup(groupId: string): Promise<GroupDescription> {
    const address = await findCoordinator(this.#cluster, groupId, 'Describe')
    const response = await call(await this.#cluster.node(address.nodeId), describeGroupsV5, [groupId])
    const group = response.groups[0]
    checkCode(group?.errorCode ?? -1, `describe group ${groupId}`, this.#cluster.lacking('Describe', 'Group', groupId))
    const members = group!.members.map((m) => ({
      memberId: m.memberId,
      clientId: m.clientId,
      host: m.clientHost,
      metadata: decodePayload(m.memberMetadata),
      metadataBytes: m.memberMetadata,
    }))
    return { groupId, state: group!.groupState, members }
  }

  async #controller(): Promise<Connection> {
    const { controllerId } = await this.#cluster.metadata([])
    return this.#cluster.node(controllerId)
  }

  async #retry<T>(signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
    const limit = AbortSignal.timeout(this.#timeoutMs)
    const ends = signal ? AbortSignal.any([signal, limit]) : limit
    const backoff = new Backoff(50, 1000)
    let last: unknown
    for (;;) {
      try {
        return await abortable(attempt(), ends)
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (limit.aborted)
          throw last ?? new KafkaError('REQUEST_TIMED_OUT', `no answer within ${this.#timeoutMs} ms`, true)
        if (!(error instanceof KafkaError) || !error.retriable) throw error
        last = error
        await sleep(backoff.next(), ends).catch(() => undefined)
      }
    }
  }
}

const LATEST = -1n
const EARLIEST = -2n
const READ_UNCOMMITTED = 0
const READ_COMMITTED = 1

/**
 * The offsets of all partitions, asked of their leaders, in one try, and the id of the topic that has them. `stable`:
 * the end before the first open transaction. A number: the first record from that time on, in ms since the epoch; -1 for none.
 */
export async function listOffsets(
  cluster: Cluster,
  topic: string,
  at: 'earliest' | 'latest' | 'stable' | number,
): Promise<{ readonly id: string; readonly offsets: Map<number, bigint> }> {
  const { id, leaders } = await leadersOf(cluster, topic)
  const byNode = Map.groupBy(leaders.keys(), (partition) => leaders.get(partition)!)
  const offsets = new Map<number, bigint>()
  const timestamp = typeof at === 'number' ? BigInt(at) : at === 'earliest' ? EARLIEST : LATEST
  const isolation = at === 'stable' ? READ_COMMITTED : READ_UNCOMMITTED
  const lacking = cluster.lacking('Describe', 'Topic', topic)
  const ask = async (node: number, ids: readonly number[]): Promise<void> => {
    const partitions = ids.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }))
    const request = [{ name: topic, partitions }]
    const response = await call(await cluster.node(node), listOffsetsV7, isolation, request)
    for (const partition of response.topics[0]?.partitions ?? []) {
      checkCode(partition.errorCode, `list offsets of ${topic}-${partition.partitionIndex}`, lacking)
      offsets.set(partition.partitionIndex, partition.offset)
    }
  }
  await Promise.all(Array.from(byNode, ([node, ids]) => ask(node, ids)))
  return { id, offsets }
}
