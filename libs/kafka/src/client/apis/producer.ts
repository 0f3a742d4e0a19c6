import { apiKeys, throttled } from '../api.ts'

export interface ProducerId {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** `producerId` -1 and `producerEpoch` -1: a new id, or the id of the transactional id, with the next epoch (KIP-360). */
export const initProducerIdV4 = throttled(
  apiKeys.initProducerId,
  4,
  (writer, transactionalId: string | null, transactionTimeoutMs: number, current: ProducerId) => {
    writer.appendString(transactionalId).appendInt32(transactionTimeoutMs)
    writer.appendInt64(current.producerId).appendInt16(current.producerEpoch)
  },
  (reader) => {
    const errorCode = reader.readInt16()
    return { errorCode, producerId: reader.readInt64(), producerEpoch: reader.readInt16() }
  },
)

export interface TopicPartitions {
  readonly name: string
  readonly partitions: readonly number[]
}

export const addPartitionsToTxnV3 = throttled(
  apiKeys.addPartitionsToTxn,
  3,
  (writer, transactionalId: string, producer: ProducerId, topics: readonly TopicPartitions[]) => {
    writer.appendString(transactionalId).appendInt64(producer.producerId).appendInt16(producer.producerEpoch)
    writer.appendArray(topics, ({ name, partitions }) => {
      writer.appendString(name).appendArray(partitions, (partition) => writer.appendInt32(partition), false)
    })
  },
  (reader) => {
    const topics = reader.readArray(() => {
      const name = reader.readString()
      const partitions = reader.readArray(() => ({ partition: reader.readInt32(), errorCode: reader.readInt16() }))
      return { name, partitions }
    })
    return { topics }
  },
)

export const endTxnV3 = throttled(
  apiKeys.endTxn,
  3,
  (writer, transactionalId: string, producer: ProducerId, commit: boolean) => {
    writer.appendString(transactionalId).appendInt64(producer.producerId).appendInt16(producer.producerEpoch)
    writer.appendBoolean(commit)
  },
  (reader) => ({ errorCode: reader.readInt16() }),
)
