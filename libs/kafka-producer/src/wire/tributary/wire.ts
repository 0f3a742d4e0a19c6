import type { HostPort, KafkaConnection } from '@tributary/config'
import { ConnectError } from '@tributary/connect-api'
import {
  addPartitionsToTxnV3,
  type Connection,
  endTxnV3,
  findCoordinatorV3,
  initProducerIdV4,
  isDenied,
  metadataV9,
  missingRight,
  type Right,
  TRANSACTION_KEY,
} from '@tributary/kafka/client'
import { noAnswer, refusedConnection, mostSpecificCode } from '../connection-errors.ts'
import { BrokerError } from '../../errors.ts'
import { protocolErrorOf } from '../../protocol-errors.ts'
import type {
  BrokerAddress,
  EncodedBatch,
  ProduceAnswer,
  ProducerIdentity,
  TopicMetadata,
  TopicPartition,
  TransactionIdentity,
  Wire,
} from '../wire.ts'
import { Connections } from './connections.ts'
import { atAnyBroker, inOrderOf, partitionsByTopic } from '../requests.ts'
import { produceV9 } from './produce-api.ts'

/** The requests on our own client, that of @tributary/kafka. */
export class TributaryWire implements Wire {
  readonly driver = 'tributary'
  readonly canBumpEpoch = true
  readonly #settings: KafkaConnection
  readonly #connections: Connections
  readonly #requestTimeoutMs: number
  #known: readonly HostPort[] = []

  constructor(settings: KafkaConnection, requestTimeoutMs: number) {
    this.#settings = settings
    this.#requestTimeoutMs = requestTimeoutMs
    this.#connections = new Connections(settings, requestTimeoutMs)
  }

  async metadata(topic: string): Promise<TopicMetadata> {
    const what = `metadata of ${topic}`
    const response = await this.#atAny(what, (connection) => connection.request(metadataV9, [topic]))
    this.#known = response.brokers
    const found = response.topics[0]
    const partitions = found?.partitions ?? []
    if (found !== undefined && found.errorCode !== 0)
      // Describe would do for this request alone.
      this.#check(found.errorCode, what, { operation: 'Write', resource: 'Topic', name: topic })
    const leaders: number[] = []
    for (const partition of partitions) leaders[partition.partitionIndex] = partition.leaderId
    return { brokers: response.brokers, leaders }
  }

  async produce(
    leader: BrokerAddress,
    transactionalId: string | null,
    batches: readonly EncodedBatch[],
  ): Promise<ProduceAnswer[]> {
    const answers = await this.#at(leader, 'produce', (connection) =>
      connection.request(produceV9, transactionalId, this.#requestTimeoutMs, batches),
    )
    return inOrderOf(batches, answers).map((answer, i) => {
      const topic: Right = { operation: 'Write', resource: 'Topic', name: batches[i]!.topic }
      return answer.code === 0
        ? answer
        : { ...answer, message: this.#lacking(answer.code, transactionalId, topic) ?? answer.message }
    })
  }

  async findTransactionCoordinator(transactionalId: string): Promise<BrokerAddress> {
    const what = 'find coordinator'
    const coordinator = await this.#atAny(what, (connection) =>
      connection.request(findCoordinatorV3, TRANSACTION_KEY, transactionalId),
    )
    // Describe would do for this request alone.
    const right: Right = { operation: 'Write', resource: 'TransactionalId', name: transactionalId }
    this.#check(coordinator.errorCode, what, right)
    return coordinator
  }

  async initProducerId(
    coordinator: BrokerAddress | null,
    transactionalId: string | null,
    transactionTimeoutMs: number,
    current: ProducerIdentity | null,
  ): Promise<ProducerIdentity> {
    const what = 'init producer id'
    // -1/-1 takes the id over (KIP-360). The coordinator would fence 0/0, which the producer of the client sends.
    const { producerId, epoch } = current ?? { producerId: -1n, epoch: -1 }
    const request = (connection: Connection) =>
      connection.request(initProducerIdV4, transactionalId, transactionTimeoutMs, { producerId, producerEpoch: epoch })
    const answer = await (coordinator === null ? this.#atAny(what, request) : this.#at(coordinator, what, request))
    const right: Right =
      transactionalId === null
        ? { operation: 'IdempotentWrite', resource: 'Cluster', name: 'kafka-cluster' }
        : { operation: 'Write', resource: 'TransactionalId', name: transactionalId }
    this.#check(answer.errorCode, what, right)
    return { producerId: answer.producerId, epoch: answer.producerEpoch }
  }

  async addPartitionsToTransaction(
    coordinator: BrokerAddress,
    transaction: TransactionIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    const what = 'add partitions to the transaction'
    const named = partitionsByTopic(partitions).map(([name, ids]) => ({ name, partitions: ids }))
    const { transactionalId, producerId, epoch } = transaction
    const { topics } = await this.#at(coordinator, what, (connection) =>
      connection.request(addPartitionsToTxnV3, transactionalId, { producerId, producerEpoch: epoch }, named),
    )
    const codes = topics.flatMap(({ name, partitions }) => partitions.map(({ errorCode }) => ({ errorCode, name })))
    const code = mostSpecificCode(codes.map(({ errorCode }) => errorCode))
    const name = codes.find(({ errorCode }) => errorCode === code)?.name ?? ''
    if (code !== 0)
      throw new BrokerError(
        code,
        what,
        this.#lacking(code, transactionalId, { operation: 'Write', resource: 'Topic', name }),
      )
  }

  async endTransaction(coordinator: BrokerAddress, transaction: TransactionIdentity, commit: boolean): Promise<void> {
    const { transactionalId, producerId, epoch } = transaction
    const what = 'end of the transaction'
    const { errorCode } = await this.#at(coordinator, what, (connection) =>
      connection.request(endTxnV3, transactionalId, { producerId, producerEpoch: epoch }, commit),
    )
    this.#check(errorCode, what, { operation: 'Write', resource: 'TransactionalId', name: transactionalId })
  }

  close(): Promise<void> {
    return this.#connections.close()
  }

  #check(code: number, what: string, right: Right): void {
    if (code !== 0) throw new BrokerError(code, what, this.#lacking(code, null, right))
  }

  /** The sentence for a code that says that a right is missing: `right`, or the one on the transactional id. null for other codes. */
  #lacking(code: number, transactionalId: string | null, right: Right): string | null {
    const { name } = protocolErrorOf(code)
    if (!isDenied(name)) return null
    const ofId = name.startsWith('TRANSACTIONAL_ID') && transactionalId !== null
    return missingRight(
      this.#settings,
      ofId ? { operation: 'Write', resource: 'TransactionalId', name: transactionalId } : right,
    )
  }

  #atAny<T>(what: string, request: (connection: Connection) => Promise<T>): Promise<T> {
    return atAnyBroker(this.#known, this.#settings.brokers, (to) => this.#at(to, what, request))
  }

  async #at<T>(to: HostPort, what: string, request: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#connections.get(to)
    try {
      return await request(connection)
    } catch (error) {
      if (error instanceof ConnectError) throw error
      const address = `${to.host}:${to.port}`
      // With TLS 1.3 the refusal of a client certificate arrives after the handshake.
      throw refusedConnection(error, address, this.#settings) ?? noAnswer(what, address, error)
    }
  }
}
