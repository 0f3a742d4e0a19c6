import { apiKeys, type Api } from '@tributary/kafka/client'
import { readProduceAnswer } from '../produce-answer.ts'
import type { PartitionAnswer } from '../requests.ts'
import type { EncodedBatch } from '../wire.ts'

const VERSION = 9
const ALL_REPLICAS = -1

/**
 * Produce request, version 9 (brokers from 2.8 on):
 * transactional_id acks timeout_ms [name [index records TAG_BUFFER] TAG_BUFFER] TAG_BUFFER
 */
export const produceV9: Api<
  [transactionalId: string | null, timeoutMs: number, batches: readonly EncodedBatch[]],
  PartitionAnswer[]
> = {
  ...{ key: apiKeys.produce, version: VERSION, flexible: true },
  write(writer, transactionalId, timeoutMs, batches) {
    writer.appendString(transactionalId).appendInt16(ALL_REPLICAS).appendInt32(timeoutMs)
    writer.appendArray([...Map.groupBy(batches, (batch) => batch.topic)], ([topic, partitions]) => {
      writer.appendString(topic).appendArray(partitions, ({ partition, encoded }) => {
        writer.appendInt32(partition).appendBytes(encoded)
      })
    })
    writer.appendTaggedFields()
  },
  read: (reader) => readProduceAnswer(reader, VERSION),
}
