import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { gunzipSync, gzipSync, inflateRawSync, deflateRawSync, inflateSync, deflateSync } from 'node:zlib'
import { inflateMessage, type InflateSync } from './inflate.ts'

const PAIRS: readonly (readonly [string, (bytes: Buffer) => Buffer, InflateSync])[] = [
  ['gzip', gzipSync, gunzipSync],
  ['deflate', deflateSync, inflateSync],
  ['raw deflate', deflateRawSync, inflateRawSync],
]

/** Bytes of memory that the messages keep alive. */
function keptBytes(messages: readonly Buffer[]): number {
  return [...new Set(messages.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

describe('inflateMessage', () => {
  for (const [name, compress, inflate] of PAIRS) {
    test(`${name}: small messages that wait in a queue keep no output buffers of zlib alive`, () => {
      for (const size of [96, 1000, 5000]) {
        const messages = Array.from({ length: 1000 }, () => randomBytes(size))
        const kept = messages.map((message) => inflateMessage(inflate, compress(message), { maxOutputLength: 10_000 }))
        assert.deepEqual(kept, messages)
        assert.ok(keptBytes(kept) < 2.5 * 1000 * size, `${keptBytes(kept)} bytes for 1000 messages of ${size}`)
      }
    })
  }

  test('any ratio of compression works', () => {
    for (const size of [0, 1, 1024, 8192, 65_536, 1_000_000]) {
      const message = Buffer.alloc(size, 'a')
      assert.deepEqual(inflateMessage(gunzipSync, gzipSync(message), { maxOutputLength: 1_000_000 }), message)
    }
  })

  test('a message above the limit is refused', () => {
    assert.throws(() => inflateMessage(gunzipSync, gzipSync(Buffer.alloc(1001)), { maxOutputLength: 1000 }), {
      code: 'ERR_BUFFER_TOO_LARGE',
    })
  })
})
