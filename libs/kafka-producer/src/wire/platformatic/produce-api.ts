import { createAPI, Writer, type Reader } from '@platformatic/kafka'
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

/** The parser of the client would throw at the first error code and create an object for every field. */
function parseResponse(
  _correlationId: number,
  _apiKey: number,
  _apiVersion: number,
  reader: Reader,
): PartitionAnswer[] {
  const answers: PartitionAnswer[] = []
  reader.readArray(() => {
    const topic = reader.readString()
    reader.readArray(() => {
      const partition = reader.readInt32()
      const code = reader.readInt16()
      const baseOffset = reader.readInt64()
      reader.skip(16) // log append time, log start offset
      let message: string | null = null
      reader.readArray(() => {
        reader.readInt32() // index of the record
        message ??= reader.readNullableString()
      })
      message = reader.readNullableString() ?? message
      answers.push({ topic, partition, code, baseOffset, message })
    })
  })
  return answers
}

const PRODUCE = 0
const VERSION = 9

export const produceV9 = createAPI<
  [transactionalId: string | null, timeoutMs: number, batches: readonly EncodedBatch[]],
  PartitionAnswer[]
>(PRODUCE, VERSION, createRequest, parseResponse)
