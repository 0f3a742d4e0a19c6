import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Writer } from '@platformatic/kafka'
import { Writer as OurWriter } from '@tributary/kafka/client'
import type { EncodedBatch } from '../wire.ts'
import { produceV9 } from './produce-api.ts'

/** The body of a request, as a connection would send it. */
function sent(transactionalId: string | null, batches: readonly EncodedBatch[]): Buffer {
  const writer = new OurWriter()
  produceV9.write(writer, transactionalId, 30_000, batches)
  return Buffer.concat(writer.parts())
}

/** The same by the fields of another client. */
function reference(transactionalId: string | null, topics: readonly (readonly EncodedBatch[])[]): Buffer {
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(-1)
    .appendInt32(30_000)
    .appendArray([...topics], (writer, batches) => {
      writer.appendString(batches[0]!.topic).appendArray([...batches], (inner, { partition, encoded }) => {
        inner.appendInt32(partition).appendBytes(encoded as Buffer)
      })
    })
    .appendTaggedFields().buffer
}

const batch = (topic: string, partition: number, bytes: number): EncodedBatch => {
  return { topic, partition, encoded: Buffer.alloc(bytes, partition) }
}

test('a request has the bytes that another client writes', () => {
  for (const transactionalId of [null, 'orders-0', 'größe'.repeat(60)]) {
    const alone = batch('events', 3, 100)
    assert.deepEqual(sent(transactionalId, [alone]), reference(transactionalId, [[alone]]))
    const [a, b, c] = [batch('größe', 0, 127), batch('b'.repeat(249), 0x7fffffff, 20_000), batch('größe', 2, 3_000_000)]
    assert.deepEqual(sent(transactionalId, [a, b, c]), reference(transactionalId, [[a, c], [b]]))
  }
  const many = Array.from({ length: 300 }, (_, i) => batch('events', i, i + 1))
  assert.deepEqual(sent(null, many), reference(null, [many]))
})
