import assert from 'node:assert/strict'
import { test } from 'node:test'
import { itemOf } from '@tributary/connect-api'
import { MessageCodec } from './message-codec.ts'
import { plainDecode } from './message.ts'
import type { MessageRun } from './message-run.ts'
import { runOf } from './testing.ts'

const message = (text: string, binary: boolean, number: number): MessageRun =>
  runOf(binary ? Buffer.from(text) : text, { number }, 1_700_000_000_123.5)

test('a decoded message equals the encoded one, and has the same connection', () => {
  const codec = new MessageCodec(plainDecode)
  for (const original of [message('', false, 1), message('häß', false, 2), message('\u0000\u00ff', true, 70_000)]) {
    const back = codec.decode(codec.encode(original))
    assert.deepEqual(
      [itemOf(back, 0), back.binary, back.validText, back.receivedAt, back.connection],
      [itemOf(original, 0), original.binary, original.validText, original.receivedAt, original.connection],
    )
  }
})

test('the messages of a connection share one object, whether or not they were on disk', () => {
  const codec = new MessageCodec(plainDecode)
  for (const number of [1, 2, 5]) {
    const inMemory = message('a', false, number)
    const second = runOf('b', inMemory.connection)
    for (const bytes of [inMemory, second].map((each) => codec.encode(each))) {
      assert.equal(codec.decode(bytes).connection, inMemory.connection)
    }
  }
})

test('the messages of predecessors have connections of their own, none of which belongs to this run', () => {
  const [oldest, older, codec] = [
    new MessageCodec(plainDecode),
    new MessageCodec(plainDecode),
    new MessageCodec(plainDecode),
  ]
  const connections = [
    oldest.encode(message('a', false, 1)),
    oldest.encode(message('b', false, 1)),
    oldest.encode(message('c', false, 2)),
    older.encode(message('d', false, 2)),
    codec.encode(message('e', false, 2)),
  ].map((bytes) => codec.decode(bytes).connection)
  assert.deepEqual(
    connections.map(({ number }) => number),
    [0, 0, 0, 0, 2],
  )
  assert.equal(connections[0], connections[1])
  assert.equal(new Set(connections).size, 4)
})

test('a message in the format of another version is refused', () => {
  const codec = new MessageCodec(plainDecode)
  const bytes = codec.encode(message('a', false, 1))
  bytes[0] = 9
  assert.throws(() => codec.decode(bytes), { code: 'SPILL_FORMAT', message: /has format 9, this version reads 1/ })
  assert.throws(() => codec.decode(Buffer.alloc(0)), { code: 'SPILL_FORMAT' })
})
