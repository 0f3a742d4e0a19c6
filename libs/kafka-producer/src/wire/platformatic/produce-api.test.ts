import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Connection, Writer } from '@platformatic/kafka'
import type { EncodedBatch } from '../wire.ts'
import { produceV9 } from './produce-api.ts'

/** The payload of a request, as a connection would send it. */
async function sent(transactionalId: string | null, batches: readonly EncodedBatch[]): Promise<Buffer> {
  let payload = Buffer.alloc(0)
  const send: Connection['send'] = (_key, _version, create, _parser, _tagged, _answerTagged, done) => {
    payload = Buffer.from((create() as Writer).buffer)
    done(null)
  }
  await produceV9({ send } as Connection, transactionalId, 30_000, batches)
  return payload
}

/** The same by the client's own fields. */
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

test('a request has the bytes that the fields of the client give', async () => {
  for (const transactionalId of [null, 'orders-0', 'größe'.repeat(60)]) {
    const alone = batch('events', 3, 100)
    assert.deepEqual(await sent(transactionalId, [alone]), reference(transactionalId, [[alone]]))
    const [a, b, c] = [batch('größe', 0, 127), batch('b'.repeat(249), 0x7fffffff, 20_000), batch('größe', 2, 3_000_000)]
    assert.deepEqual(await sent(transactionalId, [a, b, c]), reference(transactionalId, [[a, c], [b]]))
  }
  const many = Array.from({ length: 300 }, (_, i) => batch('events', i, i + 1))
  assert.deepEqual(await sent(null, many), reference(null, [many]))
})
