import { apiKeys, Reader } from '@tributary/kafka/client'
import type { ProtocolRequest } from 'kafkajs/src/network/connectionPool.js'
import { readProduceAnswer } from '../produce-answer.ts'
import type { PartitionAnswer } from '../requests.ts'
import type { EncodedBatch } from '../wire.ts'

const VERSION = 8
const ALL_REPLICAS = -1

/**
 * Produce request, version 8 (brokers from 2.4 on), in the shape that kafkajs' connections send:
 * transactional_id acks timeout_ms [topic [partition records]]
 */
export function produceRequest(
  transactionalId: string | null,
  timeoutMs: number,
  batches: readonly EncodedBatch[],
): ProtocolRequest<PartitionAnswer[]> {
  return {
    request: {
      apiKey: apiKeys.produce,
      apiVersion: VERSION,
      apiName: 'Produce',
      encode: () => {
        const buffer = encode(transactionalId, timeoutMs, batches)
        return Promise.resolve({ buf: buffer, buffer })
      },
    },
    response: {
      decode: (payload) => Promise.resolve(readProduceAnswer(new Reader(payload), VERSION)),
      parse: (answers) => Promise.resolve(answers),
    },
  }
}

function encode(transactionalId: string | null, timeoutMs: number, batches: readonly EncodedBatch[]): Buffer {
  const byTopic = Map.groupBy(batches, (batch) => batch.topic)
  const parts: Uint8Array[] = [
    nullableString(transactionalId),
    int16(ALL_REPLICAS),
    int32(timeoutMs),
    int32(byTopic.size),
  ]
  for (const [topic, partitions] of byTopic) {
    parts.push(nullableString(topic), int32(partitions.length))
    for (const { partition, encoded } of partitions) {
      parts.push(int32(partition), int32(encoded.length), encoded)
    }
  }
  return Buffer.concat(parts)
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function nullableString(text: string | null): Buffer {
  if (text === null) return int16(-1)
  const bytes = Buffer.from(text)
  return Buffer.concat([int16(bytes.length), bytes])
}
