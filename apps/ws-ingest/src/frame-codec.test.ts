import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameCodec } from './frame-codec.ts'
import { Frame } from './frame.ts'
import { asItCame } from './record/decode-message.ts'

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

test('the messages of a connection share it, and those of another run are of none of this one', () => {
  const [codec, next] = [new FrameCodec(asItCame), new FrameCodec(asItCame)]
  const [a, b, c] = [frame('a', false, 1), frame('b', false, 1), frame('c', false, 2)].map((each) => codec.encode(each))
  assert.equal(codec.decode(a!).connection, codec.decode(b!).connection)
  assert.equal(codec.decode(c!).connection.number, 2)
  assert.equal(next.decode(a!).connection.number, 0)
  assert.equal(next.decode(c!).connection, next.decode(a!).connection)
})

test('a message that another version wrote is refused by name', () => {
  const codec = new FrameCodec(asItCame)
  const bytes = codec.encode(frame('a', false, 1))
  bytes[0] = 9
  assert.throws(() => codec.decode(bytes), { code: 'SPILL_FORMAT', message: /has format 9, this version reads 1/ })
  assert.throws(() => codec.decode(Buffer.alloc(0)), { code: 'SPILL_FORMAT' })
})
