import { Reader, readRecordsBatch } from '@platformatic/kafka'
import type { PartitionBatch } from '../batch/partition-batch.ts'
import type {
  BrokerAddress,
  ProduceAnswer,
  ProducerIdentity,
  TopicMetadata,
  TopicPartition,
  TransactionIdentity,
  Wire,
} from '../wire/wire.ts'

const broker: BrokerAddress = { nodeId: 1, host: 'fake', port: 9092 }

/** One batch as the broker received it. */
export interface SeenBatch {
  readonly partition: number
  readonly values: readonly string[]
  readonly identity: ProducerIdentity
  readonly baseSequence: number
}

/**
 * A broker that answers each batch as the test says, by default with success. For situations into which no real broker
 * can be brought.
 */
export class FakeWire implements Wire {
  readonly driver = 'tributary'
  readonly canBumpEpoch = true
  /** The batches of each request. */
  readonly requests: SeenBatch[][] = []
  readonly transactionRequests: string[] = []
  /** The answer to a batch: an error code, or an error with which the request rejects. */
  answer: (batch: SeenBatch, request: number) => number | Error = () => 0
  /** The epoch of the next producer id. */
  nextEpoch = 0
  #nextOffset = 0n

  metadata(): Promise<TopicMetadata> {
    return Promise.resolve({ brokers: [broker], leaders: [1, 1, 1, 1] })
  }

  async produce(
    _leader: BrokerAddress,
    _transactionalId: string | null,
    batches: readonly PartitionBatch[],
  ): Promise<ProduceAnswer[]> {
    const seen = batches.map(see)
    this.requests.push(seen)
    await Promise.resolve()
    return seen.map((batch) => {
      const answer = this.answer(batch, this.requests.length)
      if (answer instanceof Error) throw answer
      const baseOffset = this.#nextOffset
      if (answer === 0) this.#nextOffset += BigInt(batch.values.length)
      return { code: answer, baseOffset: answer === 0 ? baseOffset : -1n, message: null }
    })
  }

  findTransactionCoordinator(): Promise<BrokerAddress> {
    return Promise.resolve(broker)
  }

  initProducerId(): Promise<ProducerIdentity> {
    this.transactionRequests.push('init')
    return Promise.resolve({ producerId: 7n, epoch: this.nextEpoch++ })
  }

  addPartitionsToTransaction(
    _coordinator: BrokerAddress,
    _transaction: TransactionIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    this.transactionRequests.push(`add ${partitions.map(({ partition }) => partition).join(',')}`)
    return Promise.resolve()
  }

  endTransaction(_coordinator: BrokerAddress, _transaction: TransactionIdentity, commit: boolean): Promise<void> {
    this.transactionRequests.push(commit ? 'commit' : 'abort')
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function see(batch: PartitionBatch): SeenBatch {
  const { records } = readRecordsBatch(Reader.from(Buffer.from(batch.encoded)))
  const values = records.map(({ value }) => String(value ?? ''))
  return { partition: batch.partition, values, identity: batch.identity, baseSequence: batch.baseSequence }
}
