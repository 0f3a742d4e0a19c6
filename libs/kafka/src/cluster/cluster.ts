import { type HostPort, type KafkaConnection, parseHostPort } from '@tributary/config'
import {
  type Api,
  Connection,
  findCoordinatorV4,
  GROUP_KEY,
  type Metadata,
  metadataV12,
  missingRight,
  type Right,
} from '../client/index.ts'
import { checkCode, connectionError, KafkaError } from './errors.ts'

const CONNECT_TIMEOUT_MS = 5000

/**
 * The brokers of one cluster. It finds them from the bootstrap list and keeps one shared connection to each for short
 * requests. A request that occupies its connection (a join, a long-polling fetch) uses a connection of its own from
 * `open`, because a broker handles the requests of a connection one after the other.
 */
export class Cluster {
  readonly #connection: KafkaConnection
  readonly #shared = new Map<string, Promise<Connection>>()
  #brokers = new Map<number, HostPort>()
  #closed = false

  constructor(connection: KafkaConnection) {
    this.#connection = connection
  }

  /** The sentence of an error for a request that needs this right. */
  lacking(operation: Right['operation'], resource: Right['resource'], name: string): string {
    return missingRight(this.#connection, { operation, resource, name })
  }

  /**
   * The names, partitions and leaders of `topics`; a topic that does not exist has an `errorCode`. Never creates a
   * topic.
   */
  async metadata(topics: readonly string[]): Promise<Metadata> {
    const response = await call(await this.#any(), metadataV12, topics)
    this.#brokers = new Map(response.brokers.map((b) => [b.nodeId, { host: b.host, port: b.port }]))
    return response
  }

  /** The shared connection to a broker, by its node id. */
  async node(id: number): Promise<Connection> {
    return this.#share(await this.address(id))
  }

  /** The address of a broker. Throws a retriable error when the metadata does not name the broker. */
  async address(id: number): Promise<HostPort> {
    if (!this.#brokers.has(id)) await this.metadata([])
    const address = this.#brokers.get(id)
    if (!address) throw new KafkaError('BROKER_NOT_AVAILABLE', `broker ${id} is not in the cluster's metadata`, true)
    return address
  }

  /** A shared connection to some broker, for requests that any broker answers. */
  async any(): Promise<Connection> {
    return this.#any()
  }

  /**
   * Opens a new connection, which the caller closes. A request without an answer for `requestTimeoutMs` ends the
   * connection.
   */
  async open(address: HostPort, requestTimeoutMs = 30_000): Promise<Connection> {
    const { host, port } = address
    const options = { connectTimeoutMs: CONNECT_TIMEOUT_MS, requestTimeoutMs }
    const connection = await Connection.open(this.#connection, address, options).catch((error: unknown) => {
      throw connectionError(error, `connect to Kafka broker ${host}:${port}`)
    })
    if (this.#closed) {
      await connection.close()
      throw new KafkaError('NETWORK', 'the client is closed', false)
    }
    return connection
  }

  /** Closes all shared connections. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    const shared = [...this.#shared.values()]
    this.#shared.clear()
    for (const connection of await Promise.allSettled(shared)) {
      if (connection.status === 'fulfilled') await connection.value.close()
    }
  }

  async #any(): Promise<Connection> {
    const seeds = [...this.#brokers.values(), ...this.#connection.brokers.map(parseHostPort)]
    let last: unknown
    for (const address of seeds) {
      try {
        return await this.#share(address)
      } catch (error) {
        last = error
      }
    }
    throw last ?? new KafkaError('NETWORK', 'no Kafka broker is configured; set KAFKA_BROKERS', false)
  }

  async #share(address: HostPort): Promise<Connection> {
    if (this.#closed) throw new KafkaError('NETWORK', 'the client is closed', false)
    const name = `${address.host}:${address.port}`
    const present = this.#shared.get(name)
    if (present) {
      const connection = await present
      if (connection.isOpen) return connection
    }
    // The first caller after a loss replaces the connection; the others find the new one.
    if (this.#shared.get(name) === present) {
      const opening = this.open(address)
      this.#shared.set(name, opening)
      opening.catch(() => {
        if (this.#shared.get(name) === opening) this.#shared.delete(name)
      })
    }
    return this.#shared.get(name) ?? this.open(address)
  }
}

/**
 * Sends one request. Resolves also with a response that contains error codes, which the caller reads. Rejects when
 * there was no response.
 */
export async function call<A extends unknown[], R>(connection: Connection, api: Api<A, R>, ...args: A): Promise<R> {
  try {
    return await connection.request(api, ...args)
  } catch (error) {
    throw connectionError(error, `request to Kafka broker ${connection.host}:${connection.port}`)
  }
}

/**
 * The id of a topic and the leaders of its partitions. Throws UNKNOWN_TOPIC_OR_PARTITION, or a retriable error while a
 * partition has no leader.
 */
export async function leadersOf(
  cluster: Cluster,
  topic: string,
): Promise<{ id: string; leaders: Map<number, number> }> {
  const metadata = await cluster.metadata([topic])
  const lacking = cluster.lacking('Describe', 'Topic', topic)
  const found = metadata.topics.find((t) => t.name === topic)
  if (!found) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} is not in the metadata`, true)
  checkCode(found.errorCode, `metadata of topic ${topic}`, lacking)
  const leaders = new Map<number, number>()
  for (const partition of found.partitions) {
    checkCode(partition.errorCode, `metadata of ${topic}-${partition.partitionIndex}`, lacking)
    leaders.set(partition.partitionIndex, partition.leaderId)
  }
  return { id: found.topicId, leaders }
}

/** Finds the broker that coordinates a group. `operation`: the right that the caller needs on the group. */
export async function findCoordinator(
  cluster: Cluster,
  groupId: string,
  operation: 'Read' | 'Describe',
): Promise<HostPort & { nodeId: number }> {
  const response = await call(await cluster.any(), findCoordinatorV4, GROUP_KEY, [groupId])
  const found = response.coordinators[0]
  const lacking = cluster.lacking(operation, 'Group', groupId)
  checkCode(found?.errorCode ?? -1, `find the coordinator of group ${groupId}`, lacking, found?.errorMessage)
  return found!
}
