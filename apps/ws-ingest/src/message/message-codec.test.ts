import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameCodec } from './message-codec.ts'
import { asItCame, Frame } from './message.ts'

const frame = (text: string, binary: boolean, number: number): Frame =>
  new Frame(Buffer.from(text), binary, 1_700_000_000_123.5, { number })

test('a message comes back from disk as it was, of the connection that it came by', () => {
  const codec = new FrameCodec(asItCame)
  for (const original of [frame('', false, 1), frame('häß', false, 2), frame('\u0000\u00ff', true, 70_000)]) {
    const back = codec.decode(codec.encode(original))
    assert.deepEqual(
      [back.data, back.binary, back.receivedAt, back.connection],
      [original.data, original.binary, original.receivedAt, original.connection],
    )
  }
})

test('the messages of a connection share it, whether they were on disk or not', () => {
  const codec = new FrameCodec(asItCame)
  for (const number of [1, 2, 5]) {
    const inMemory = frame('a', false, number)
    const second = new Frame(Buffer.from('b'), false, 0, inMemory.connection)
    for (const bytes of [inMemory, second].map((each) => codec.encode(each))) {
      assert.equal(codec.decode(bytes).connection, inMemory.connection)
    }
  }
})

test('the messages of earlier runs are of none of the connections of this one, and of as many as they came by', () => {
  const [oldest, older, codec] = [new FrameCodec(asItCame), new FrameCodec(asItCame), new FrameCodec(asItCame)]
  const connections = [
    oldest.encode(frame('a', false, 1)),
    oldest.encode(frame('b', false, 1)),
    oldest.encode(frame('c', false, 2)),
    older.encode(frame('d', false, 2)),
    codec.encode(frame('e', false, 2)),
  ].map((bytes) => codec.decode(bytes).connection)
  assert.deepEqual(
    connections.map(({ number }) => number),
    [0, 0, 0, 0, 2],
  )
  assert.equal(connections[0], connections[1])
  assert.equal(new Set(connections).size, 4)
})

test('a message that another version wrote is refused by name', () => {
  const codec = new FrameCodec(asItCame)
  const bytes = codec.encode(frame('a', false, 1))
  bytes[0] = 9
  assert.throws(() => codec.decode(bytes), { code: 'SPILL_FORMAT', message: /has format 9, this version reads 1/ })
  assert.throws(() => codec.decode(Buffer.alloc(0)), { code: 'SPILL_FORMAT' })
})
