import {
  addPartitionsToTxnV3,
  endTxnV3,
  findCoordinatorV3,
  FindCoordinatorKeyTypes,
  initProducerIdV4,
  metadataV9,
  ProtocolError,
  ResponseError,
  type Connection,
} from '@platformatic/kafka'
import type { HostPort, KafkaConnection } from '@tributary/config'
import { ConnectError } from '@tributary/connect-api'
import { errorTree, noAnswer, refusedConnection, mostSpecificCode } from '../connection-errors.ts'
import { BrokerError } from '../../errors.ts'
import { COORDINATOR_NOT_AVAILABLE } from '../../protocol-errors.ts'
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

/**
 * The requests on the connections of @platformatic/kafka (TCP, TLS, SASL, framing). Why its Producer is not used:
 * docs/decisions/40-own-kafka-sender.md.
 */
export class PlatformaticWire implements Wire {
  readonly driver = 'platformatic'
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
    const response = await this.#atAny(`metadata of ${topic}`, (connection) =>
      // The client throws when a partition has no leader; the answer is inside the error.
      metadataV9.api.async(connection, [topic], false).catch((error: unknown) => {
        if (error instanceof ResponseError) return error['response'] as metadataV9.MetadataResponse
        throw error
      }),
    )
    this.#known = response.brokers
    const found = response.topics[0]
    const partitions = found?.partitions ?? []
    if (found !== undefined && found.errorCode !== 0) throw new BrokerError(found.errorCode, `metadata of ${topic}`)
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
      produceV9(connection, transactionalId, this.#requestTimeoutMs, batches),
    )
    return inOrderOf(batches, answers)
  }

  async findTransactionCoordinator(transactionalId: string): Promise<BrokerAddress> {
    const response = await this.#atAny('find coordinator', (connection) =>
      findCoordinatorV3.api.async(connection, FindCoordinatorKeyTypes.TRANSACTION, [transactionalId]),
    )
    const coordinator = response.coordinators[0]
    if (coordinator === undefined) throw new BrokerError(COORDINATOR_NOT_AVAILABLE, 'find coordinator')
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
    const request = (connection: Connection): Promise<initProducerIdV4.InitProducerIdResponse> =>
      initProducerIdV4.api.async(connection, transactionalId, transactionTimeoutMs, producerId, epoch)
    const answer = await (coordinator === null ? this.#atAny(what, request) : this.#at(coordinator, what, request))
    return { producerId: answer.producerId, epoch: answer.producerEpoch }
  }

  async addPartitionsToTransaction(
    coordinator: BrokerAddress,
    transaction: TransactionIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    const topics = partitionsByTopic(partitions).map(([name, ids]) => ({ name, partitions: ids }))
    const { transactionalId, producerId, epoch } = transaction
    await this.#at(coordinator, 'add partitions to the transaction', (connection) =>
      addPartitionsToTxnV3.api.async(connection, [
        { transactionalId, producerId, producerEpoch: epoch, verifyOnly: false, topics },
      ]),
    )
  }

  async endTransaction(coordinator: BrokerAddress, transaction: TransactionIdentity, commit: boolean): Promise<void> {
    const { transactionalId, producerId, epoch } = transaction
    await this.#at(coordinator, 'end of the transaction', (connection) =>
      endTxnV3.api.async(connection, transactionalId, producerId, epoch, commit),
    )
  }

  close(): Promise<void> {
    return this.#connections.close()
  }

  #atAny<T>(what: string, request: (connection: Connection) => Promise<T>): Promise<T> {
    return atAnyBroker(this.#known, this.#settings.brokers, (to) => this.#at(to, what, request))
  }

  async #at<T>(to: HostPort, what: string, request: (connection: Connection) => Promise<T>): Promise<T> {
    const open = await this.#connections.get(to)
    try {
      return await request(open.connection)
    } catch (error) {
      if (error instanceof ConnectError) throw error
      const codes = [...errorTree(error)].filter((part) => part instanceof ProtocolError)
      if (error instanceof ResponseError && codes.length > 0) {
        throw new BrokerError(mostSpecificCode(codes.map((part) => part['apiCode'] as number)), what)
      }
      const cause = open.lastError ?? error
      const address = `${to.host}:${to.port}`
      // With TLS 1.3 the refusal of a client certificate arrives after the handshake.
      throw refusedConnection(cause, address, this.#settings) ?? noAnswer(what, address, cause)
    }
  }
}
