import type { ProtocolRequest } from 'kafkajs/src/network/connectionPool.js'
import type { PartitionAnswer } from '../requests.ts'
import type { EncodedBatch } from '../wire.ts'

const PRODUCE = 0
const VERSION = 7
const ALL_REPLICAS = -1

/**
 * Produce request, version 7 (brokers from 2.1 on), in the shape that kafkajs' connections send:
 * transactional_id acks timeout_ms [topic [partition records]]
 */
export function produceRequest(
  transactionalId: string | null,
  timeoutMs: number,
  batches: readonly EncodedBatch[],
): ProtocolRequest<PartitionAnswer[]> {
  return {
    request: {
      apiKey: PRODUCE,
      apiVersion: VERSION,
      apiName: 'Produce',
      encode: () => {
        const buffer = encode(transactionalId, timeoutMs, batches)
        return Promise.resolve({ buf: buffer, buffer })
      },
    },
    response: {
      decode: (payload) => Promise.resolve(decode(payload)),
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

/** [topic [partition error_code base_offset log_append_time log_start_offset]] throttle_time_ms */
function decode(payload: Buffer): PartitionAnswer[] {
  const answers: PartitionAnswer[] = []
  let at = 4
  for (let topics = payload.readInt32BE(0); topics > 0; topics--) {
    const length = payload.readInt16BE(at)
    const topic = payload.toString('utf8', at + 2, at + 2 + length)
    at += 2 + length
    let partitions = payload.readInt32BE(at)
    for (at += 4; partitions > 0; partitions--, at += 30) {
      answers.push({
        topic,
        partition: payload.readInt32BE(at),
        code: payload.readInt16BE(at + 4),
        baseOffset: payload.readBigInt64BE(at + 6),
        message: null,
      })
    }
  }
  return answers
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
