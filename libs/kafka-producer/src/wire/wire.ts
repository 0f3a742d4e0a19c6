import type { KafkaConnection } from '@tributary/config'

export interface TopicMetadata {
  readonly brokers: readonly BrokerAddress[]
  /** Leader's node id by partition; -1 while there is none. */
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
/** The records of one produce request to one partition, as they stand in the request: one record batch. */
export interface EncodedBatch extends TopicPartition {
  readonly encoded: Uint8Array
}
/** A partition's part of a produce answer. `baseOffset` is -1n where the broker does not say it. */
export interface ProduceAnswer {
  readonly code: number
  readonly baseOffset: bigint
  readonly message: string | null
}

/**
 * The requests a producer needs, as one Kafka client sends them: one try each, no retry, no state of its own but its
 * connections. Rejects with BrokerError when the broker answered with an error code, else with ProducerError: kind
 * `retriable` when no answer came (whether the broker acted on the request is then unknown), `config` when credentials
 * or certificates are refused.
 */
export interface Wire {
  readonly driver: 'platformatic' | 'kafkajs'
  /** InitProducerId can carry the current id and epoch (KIP-360), which bumps without fencing a successor. */
  readonly canBumpEpoch: boolean
  /** From any broker. Never creates the topic. */
  metadata(topic: string): Promise<TopicMetadata>
  /** Answers in the order of the batches. acks=all. */
  produce(
    leader: BrokerAddress,
    transactionalId: string | null,
    batches: readonly EncodedBatch[],
  ): Promise<ProduceAnswer[]>
  findTransactionCoordinator(transactionalId: string): Promise<BrokerAddress>
  /** `coordinator` null: any broker. `current` null: a new producer, which fences former holders of the id. */
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

/** Makes the wire of a driver. `requestTimeoutMs`: a request without an answer for so long rejects with KAFKA_NO_ANSWER. */
export type CreateWire = (connection: KafkaConnection, requestTimeoutMs: number) => Wire
