import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DataCoalescer } from './data-coalescer.ts'

const [DATA, PING] = [0, 6]
const [END_STREAM, PADDED] = [1, 8]

function frame(payload: string, { type = DATA, flags = 0, stream = 1 } = {}): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header.set([type, flags], 3)
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, Buffer.from(payload)])
}

/** What comes out for frames that are read at once. */
const joined = (...frames: Buffer[]): string => new DataCoalescer().push(Buffer.concat(frames)).toString('latin1')
const text = (...frames: Buffer[]): string => Buffer.concat(frames).toString('latin1')

describe('DATA frames of one read', () => {
  test('become one', () => {
    const long = 'x'.repeat(1000)
    assert.equal(joined(frame('one'), frame(''), frame('two'), frame(long)), text(frame(`onetwo${long}`)))
  })

  test('become one across the end of the read, whose last frame is cut', () => {
    const coalescer = new DataCoalescer()
    const last = frame('two')
    const out = [Buffer.concat([frame('one'), last.subarray(0, 10)]), last.subarray(10)].map((bytes) =>
      String(coalescer.push(bytes)),
    )
    assert.equal(out.join(''), text(frame('onetwo')))
  })

  test('wait for nothing but the rest of a header', () => {
    const coalescer = new DataCoalescer()
    const bytes = Buffer.concat([frame('one'), frame('two', { stream: 3 })])
    const out = Array.from(bytes, (byte) => coalescer.push(Buffer.of(byte)).length)
    assert.deepEqual(out, [...[0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 1, 1], ...[0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 1, 1]])
  })

  test('stay apart where the joined one would be larger than 16 KiB', () => {
    const half = frame('x'.repeat(8192))
    assert.equal(joined(half, half, half), text(frame('x'.repeat(16_384)), half))
  })

  for (const [name, other] of Object.entries({
    'of another stream': frame('two', { stream: 3 }),
    padded: frame('\u0001two_', { flags: PADDED }),
    'the end of the stream': frame('two', { flags: END_STREAM }),
    'of another type': frame('12345678', { type: PING, stream: 0 }),
  })) {
    test(`stay apart where one is ${name}`, () => {
      assert.equal(joined(frame('one'), other, frame('three')).startsWith(text(frame('one'), other)), true)
    })
  }
})
