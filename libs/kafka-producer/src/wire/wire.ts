import type { KafkaConnection } from '@tributary/config'

export interface TopicMetadata {
  readonly brokers: readonly BrokerAddress[]
  /** The node id of the leader by partition; -1 while there is none. */
  readonly leaders: readonly number[]
}
export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly epoch: number
}
export interface TransactionIdentity extends ProducerIdentity {
  readonly transactionalId: string
}
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}
/** The record batch of one produce request for one partition. */
export interface EncodedBatch extends TopicPartition {
  readonly encoded: Uint8Array
}
/** The part of a produce answer for one partition. `baseOffset` is -1n when the broker does not say it. */
export interface ProduceAnswer {
  readonly code: number
  readonly baseOffset: bigint
  readonly message: string | null
}

/**
 * The requests that a producer needs, as one Kafka client sends them: one try each, no retry, and no state but
 * connections. A request rejects with BrokerError when the broker answered with an error code, else with ConnectError:
 * of kind `retriable` when no answer came (whether the broker acted on the request is then unknown), of kind `config`
 * when credentials or certificates are refused.
 */
export interface Wire {
  readonly driver: 'tributary' | 'kafkajs'
  /**
   * Whether InitProducerId can carry the current id and epoch (KIP-360), which takes a new epoch without fencing a
   * newer producer.
   */
  readonly canBumpEpoch: boolean
  /** Asks any broker. Never creates the topic. */
  metadata(topic: string): Promise<TopicMetadata>
  /** Answers in the order of the batches. acks=all. */
  produce(
    leader: BrokerAddress,
    transactionalId: string | null,
    batches: readonly EncodedBatch[],
  ): Promise<ProduceAnswer[]>
  findTransactionCoordinator(transactionalId: string): Promise<BrokerAddress>
  /**
   * `coordinator` null: asks any broker. `current` null: starts a new producer, which fences the earlier producers of
   * the id.
   */
  initProducerId(
    coordinator: BrokerAddress | null,
    transactionalId: string | null,
    transactionTimeoutMs: number,
    current: ProducerIdentity | null,
  ): Promise<ProducerIdentity>
  addPartitionsToTransaction(
    coordinator: BrokerAddress,
    transaction: TransactionIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<void>
  endTransaction(coordinator: BrokerAddress, transaction: TransactionIdentity, commit: boolean): Promise<void>
  close(): Promise<void>
}

/** Creates the wire of a driver. A request without an answer for `requestTimeoutMs` rejects with `KAFKA_NO_ANSWER`. */
export type CreateWire = (connection: KafkaConnection, requestTimeoutMs: number) => Wire
