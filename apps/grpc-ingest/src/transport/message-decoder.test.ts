import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { messagesIn, type MessageRun } from './message-run.ts'
import { FramingError, lengthPrefixed, MessageDecoder } from './message-decoder.ts'

function decoded(decoder: MessageDecoder, ...chunks: Buffer[]): Buffer[] {
  const out: MessageRun[] = []
  for (const chunk of chunks) decoder.push(chunk, out)
  return out.flatMap(messagesIn)
}

function decode(decoder: MessageDecoder, ...chunks: Buffer[]): string[] {
  return decoded(decoder, ...chunks).map(String)
}

function compressed(message: Buffer): Buffer {
  const frame = lengthPrefixed(message)
  frame[0] = 1
  return frame
}

describe('MessageDecoder', () => {
  const texts = ['one', '', 'three', 'x'.repeat(300)]
  const stream = Buffer.concat(texts.map((text) => lengthPrefixed(Buffer.from(text))))

  test('finds the messages wherever the chunks are cut', () => {
    for (let size = 1; size <= stream.length; size++) {
      const chunks: Buffer[] = []
      for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size))
      assert.deepEqual(decode(new MessageDecoder(1000), ...chunks), texts, `chunks of ${size} bytes`)
    }
  })

  test('copies nothing of a message that lies in one chunk', () => {
    assert.ok(decoded(new MessageDecoder(1000), stream).every((message) => message.buffer === stream.buffer))
  })

  test('holds no output buffer of zlib for a small compressed message', () => {
    for (const [encoding, compress] of [['gzip', gzipSync] as const, ['deflate', deflateSync] as const]) {
      const decoder = new MessageDecoder(1000, encoding)
      const sent = Array.from({ length: 1000 }, (_, i) => compressed(compress(Buffer.alloc(96, i))))
      const out = decoded(decoder, ...sent)
      const bytes = [...new Set(out.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)
      assert.ok(bytes < 2.5 * 1000 * 96, `1000 ${encoding} messages of 96 bytes hold ${bytes} bytes`)
    }
  })

  test('takes a message of the limit, and says both sizes of one above it', () => {
    assert.deepEqual(decode(new MessageDecoder(5), lengthPrefixed(Buffer.from('12345'))), ['12345'])
    const out: MessageRun[] = []
    const decoder = new MessageDecoder(5)
    assert.throws(
      () =>
        decoder.push(Buffer.concat([lengthPrefixed(Buffer.from('ok')), lengthPrefixed(Buffer.from('123456'))]), out),
      (error: unknown) => {
        assert.ok(error instanceof FramingError)
        assert.equal(error.status.tooLarge, true)
        assert.match(error.message, /6 bytes came, the limit is 5 bytes/)
        return true
      },
    )
    assert.deepEqual(out.flatMap(messagesIn).map(String), ['ok'])
  })

  test('reads compressed messages between others', () => {
    const text = Buffer.from('a'.repeat(100))
    const both = (bytes: Buffer): Buffer => Buffer.concat([compressed(bytes), lengthPrefixed(Buffer.from('plain'))])
    assert.deepEqual(decode(new MessageDecoder(1000, 'gzip'), both(gzipSync(text))), [String(text), 'plain'])
    assert.deepEqual(decode(new MessageDecoder(1000, 'deflate'), both(deflateSync(text))), [String(text), 'plain'])
  })

  test('does not let a small compressed message become a huge one', () => {
    const bomb = compressed(gzipSync(Buffer.alloc(10_000_000)))
    assert.throws(() => decode(new MessageDecoder(100_000, 'gzip'), bomb), /more than 100000 bytes once uncompressed/)
  })

  test('refuses what was not offered, not announced, or is broken', () => {
    for (const encoding of ['snappy', 'constructor', '__proto__']) {
      assert.throws(() => new MessageDecoder(1000, encoding), new RegExp(`compressed with ${encoding}`))
    }
    assert.throws(() => decode(new MessageDecoder(1000), compressed(Buffer.from('x'))), /no grpc-encoding/)
    assert.throws(
      () => decode(new MessageDecoder(1000, 'gzip'), compressed(Buffer.from('x'))),
      /cannot be uncompressed/,
    )
  })
})
