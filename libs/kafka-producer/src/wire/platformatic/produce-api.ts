import { type Connection, Writer } from '@platformatic/kafka'
import { readProduceAnswer } from '../produce-answer.ts'
import type { PartitionAnswer } from '../requests.ts'
import type { EncodedBatch } from '../wire.ts'

const PRODUCE = 0
const VERSION = 9
const ALL_REPLICAS = -1
/** Bytes of an unsigned varint of 32 bits, at most. */
const VARINT_BYTES = 5

/** Sends a produce request and reads its answer. */
export function produceV9(
  connection: Connection,
  transactionalId: string | null,
  timeoutMs: number,
  batches: readonly EncodedBatch[],
): Promise<PartitionAnswer[]> {
  const { promise, resolve, reject } = Promise.withResolvers<PartitionAnswer[]>()
  const create = (): Writer => createRequest(transactionalId, timeoutMs, batches)
  const done = (error: Error | null, answers?: PartitionAnswer[]): void => {
    if (error === null) resolve(answers!)
    else reject(error)
  }
  connection.send(PRODUCE, VERSION, create, (_id, _key, version, reader) => readProduceAnswer(reader, version), true, true, done) // prettier-ignore
  return promise
}

/**
 * Produce request, version 9 (brokers from 2.8 on):
 * transactional_id acks timeout_ms [name [index records TAG_BUFFER] TAG_BUFFER] TAG_BUFFER
 *
 * All fields but the records stand in one buffer: a busy process sends a thousand requests a second, and the client's Writer makes
 * a buffer for each field.
 */
function createRequest(transactionalId: string | null, timeoutMs: number, batches: readonly EncodedBatch[]): Writer {
  const topics = byTopic(batches)
  const fields = Buffer.allocUnsafe(roomFor(transactionalId, topics, batches.length))
  const writer = Writer.create()
  let at = transactionalId === null ? writeVarint(fields, 0, 0) : writeString(fields, 0, transactionalId)
  at = fields.writeInt16BE(ALL_REPLICAS, at)
  at = fields.writeInt32BE(timeoutMs, at)
  at = writeVarint(fields, at, topics.length + 1)
  let from = 0
  for (const ofTopic of topics) {
    at = writeString(fields, at, ofTopic[0]!.topic)
    at = writeVarint(fields, at, ofTopic.length + 1)
    for (const { partition, encoded } of ofTopic) {
      at = fields.writeInt32BE(partition, at)
      at = writeVarint(fields, at, encoded.length + 1)
      writer.append(fields.subarray(from, at)).append(encoded as Buffer)
      from = at
      fields[at++] = 0
    }
    fields[at++] = 0
  }
  fields[at++] = 0
  return writer.append(fields.subarray(from, at))
}

function byTopic(batches: readonly EncodedBatch[]): (readonly EncodedBatch[])[] {
  return batches.length === 1 ? [batches] : [...Map.groupBy(batches, ({ topic }) => topic).values()]
}

function roomFor(
  transactionalId: string | null,
  topics: readonly (readonly EncodedBatch[])[],
  batches: number,
): number {
  let bytes = 2 + 4 + 2 * VARINT_BYTES + Buffer.byteLength(transactionalId ?? '') + 1
  for (const [first] of topics) bytes += 2 * VARINT_BYTES + Buffer.byteLength(first!.topic) + 1
  return bytes + batches * (4 + VARINT_BYTES + 1)
}

/** KIP-482: the length and one, then the bytes. */
function writeString(out: Buffer, at: number, text: string): number {
  const start = writeVarint(out, at, Buffer.byteLength(text) + 1)
  return start + out.write(text, start)
}

function writeVarint(out: Buffer, at: number, value: number): number {
  let end = at
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) out[end++] = (rest & 0x7f) | 0x80
  out[end++] = rest
  return end
}
