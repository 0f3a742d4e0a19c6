import { createAPI, Writer } from '@platformatic/kafka'
import { readProduceAnswer } from '../produce-answer.ts'
import type { PartitionAnswer } from '../requests.ts'
import type { EncodedBatch } from '../wire.ts'

const ALL_REPLICAS = -1

/**
 * Produce request, version 9 (brokers from 2.8 on):
 * transactional_id acks timeout_ms [name [index records TAG_BUFFER] TAG_BUFFER] TAG_BUFFER
 */
function createRequest(transactionalId: string | null, timeoutMs: number, batches: readonly EncodedBatch[]): Writer {
  const byTopic = [...Map.groupBy(batches, (batch) => batch.topic)]
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(ALL_REPLICAS)
    .appendInt32(timeoutMs)
    .appendArray(byTopic, (topics, [topic, partitions]) => {
      topics.appendString(topic).appendArray(partitions, (writer, batch) => {
        writer.appendInt32(batch.partition).appendBytes(batch.encoded as Buffer)
      })
    })
    .appendTaggedFields()
}

const PRODUCE = 0
const VERSION = 9

export const produceV9 = createAPI<
  [transactionalId: string | null, timeoutMs: number, batches: readonly EncodedBatch[]],
  PartitionAnswer[]
>(PRODUCE, VERSION, createRequest, (_correlationId, _apiKey, version, reader) => readProduceAnswer(reader, version))
