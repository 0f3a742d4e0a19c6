import type { HostPort, KafkaConnection } from '@tributary/config'
import { ConnectError } from '@tributary/connect-api'
import kafkajs from 'kafkajs'
import { noAnswer } from '../connection-errors.ts'
import { BrokerError } from '../../errors.ts'
import { atAnyBroker, inOrderOf, partitionsByTopic } from '../requests.ts'
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
import { Brokers, type OpenBroker } from './brokers.ts'
import { produceRequest } from './produce-request.ts'

const TRANSACTION_COORDINATOR = 1

/** The requests on kafkajs' brokers and connections (TCP, TLS, SASL, framing), below its Producer. */
export class KafkajsWire implements Wire {
  readonly driver = 'kafkajs'
  /** kafkajs knows InitProducerId up to version 1. The request carries an id and epoch from version 3 on. */
  readonly canBumpEpoch = false
  readonly #settings: KafkaConnection
  readonly #brokers: Brokers
  readonly #requestTimeoutMs: number
  #known: readonly HostPort[] = []

  constructor(settings: KafkaConnection, requestTimeoutMs: number) {
    this.#settings = settings
    this.#requestTimeoutMs = requestTimeoutMs
    this.#brokers = new Brokers(settings, requestTimeoutMs)
  }

  async metadata(topic: string): Promise<TopicMetadata> {
    const response = await this.#atAny(`metadata of ${topic}`, ({ broker }) => broker.metadata([topic]))
    this.#known = response.brokers
    const leaders: number[] = []
    for (const { partitionId, leader } of response.topicMetadata[0]?.partitionMetadata ?? [])
      leaders[partitionId] = leader
    return { brokers: response.brokers, leaders }
  }

  async produce(
    leader: BrokerAddress,
    transactionalId: string | null,
    batches: readonly EncodedBatch[],
  ): Promise<ProduceAnswer[]> {
    const request = produceRequest(transactionalId, this.#requestTimeoutMs, batches)
    return inOrderOf(batches, await this.#at(leader, 'produce', ({ connections }) => connections.send(request)))
  }

  async findTransactionCoordinator(transactionalId: string): Promise<BrokerAddress> {
    const request = { groupId: transactionalId, coordinatorType: TRANSACTION_COORDINATOR }
    const found = await this.#atAny('find coordinator', ({ broker }) => broker.findGroupCoordinator(request))
    return found.coordinator
  }

  async initProducerId(
    coordinator: BrokerAddress | null,
    transactionalId: string | null,
    transactionTimeoutMs: number,
    current: ProducerIdentity | null,
  ): Promise<ProducerIdentity> {
    if (current !== null) throw new Error('kafkajs cannot raise an epoch; the caller asks canBumpEpoch first')
    const request = { transactionalId: transactionalId ?? undefined, transactionTimeout: transactionTimeoutMs }
    const send = ({ broker }: OpenBroker): ReturnType<typeof broker.initProducerId> => broker.initProducerId(request)
    const what = 'init producer id'
    const answer = await (coordinator === null ? this.#atAny(what, send) : this.#at(coordinator, what, send))
    return { producerId: BigInt(answer.producerId), epoch: answer.producerEpoch }
  }

  async addPartitionsToTransaction(
    coordinator: BrokerAddress,
    transaction: TransactionIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    const topics = partitionsByTopic(partitions).map(([topic, ids]) => ({ topic, partitions: ids }))
    const request = { ...wireIdentity(transaction), topics }
    await this.#at(coordinator, 'add partitions to the transaction', ({ broker }) => broker.addPartitionsToTxn(request))
  }

  async endTransaction(coordinator: BrokerAddress, transaction: TransactionIdentity, commit: boolean): Promise<void> {
    const request = { ...wireIdentity(transaction), transactionResult: commit }
    await this.#at(coordinator, 'end of the transaction', ({ broker }) => broker.endTxn(request))
  }

  close(): Promise<void> {
    return this.#brokers.close()
  }

  #atAny<T>(what: string, request: (open: OpenBroker) => Promise<T>): Promise<T> {
    return atAnyBroker(this.#known, this.#settings.brokers, (to) => this.#at(to, what, request))
  }

  async #at<T>(to: HostPort, what: string, request: (open: OpenBroker) => Promise<T>): Promise<T> {
    const open = await this.#brokers.get(to)
    try {
      return await request(open)
    } catch (error) {
      if (error instanceof ConnectError) throw error
      if (error instanceof kafkajs.KafkaJSProtocolError) throw new BrokerError(protocolCode(error), what)
      this.#brokers.forget(to, open)
      const address = `${to.host}:${to.port}`
      throw this.#brokers.refused(error, address) ?? noAnswer(what, address, error)
    }
  }
}

function wireIdentity(transaction: TransactionIdentity): {
  transactionalId: string
  producerId: string
  producerEpoch: number
} {
  return {
    transactionalId: transaction.transactionalId,
    producerId: String(transaction.producerId),
    producerEpoch: transaction.epoch,
  }
}

/** kafkajs knows the error codes up to 88. It gives the number of a later one only in the text of the error. */
function protocolCode(error: InstanceType<typeof kafkajs.KafkaJSProtocolError>): number {
  const UNKNOWN_TO_KAFKAJS = -99
  if (error.code !== UNKNOWN_TO_KAFKAJS) return error.code
  return Number(/-?\d+/.exec(error.message)?.[0] ?? -1)
}
