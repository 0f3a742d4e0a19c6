import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { constants, createDeflateRaw } from 'node:zlib'
import { MessageInflater } from './message-inflater.ts'

const MIB = 1024 * 1024

/** Payloads from a server that keeps its compression context. */
async function deflated(messages: readonly Buffer[]): Promise<Buffer[]> {
  const stream = createDeflateRaw()
  const payloads: Buffer[] = []
  for (const message of messages) {
    const chunks: Buffer[] = []
    const collect = (chunk: Buffer): void => void chunks.push(chunk)
    stream.on('data', collect)
    stream.write(message)
    await promisify((kind: number, done: () => void) => stream.flush(kind, done))(constants.Z_SYNC_FLUSH)
    stream.off('data', collect)
    payloads.push(Buffer.concat(chunks).subarray(0, -4))
  }
  return payloads
}

test('messages may refer to all earlier data within the window, whatever their sizes', async () => {
  const block = randomBytes(20_000)
  const sizes = [100, 0, 1, 20_000, 5, 12_768, 19_999, 20_000, 200_000, 3, 20_000, 1]
  const messages = [...sizes, ...sizes].map((size) => Buffer.concat(Array<Buffer>(11).fill(block)).subarray(0, size))
  const payloads = await deflated(messages)
  assert.ok(payloads[7]!.length < 1000, 'it refers to a message before it')
  const inflater = new MessageInflater(MIB, true)
  for (const [i, payload] of payloads.entries()) assert.deepEqual(inflater.inflate([payload]), messages[i])
})

test('a message may refer to a message before the last one', async () => {
  const block = randomBytes(10_000)
  const other = (size: number): Buffer => randomBytes(size)
  const messages = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? block : other(100 * i)))
  const inflater = new MessageInflater(MIB, true)
  const payloads = await deflated(messages)
  for (const [i, payload] of payloads.entries()) assert.deepEqual(inflater.inflate([payload]), messages[i])
})

test('a message may be fragmented anywhere', async () => {
  const message = randomBytes(5000)
  const [payload] = await deflated([message])
  const parts = [payload!.subarray(0, 1), payload!.subarray(1, 2000), payload!.subarray(2000)]
  assert.deepEqual(new MessageInflater(MIB, false).inflate(parts), message)
})

test('queued messages keep no output buffers of zlib alive', async () => {
  const messages = Array.from({ length: 100 }, () => randomBytes(8000))
  const inflater = new MessageInflater(MIB, true)
  const kept = (await deflated(messages)).map((payload) => inflater.inflate([payload]))
  const bytes = [...new Set(kept.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)
  assert.ok(bytes < 4 * 100 * 8000, `${bytes} bytes`)
})

test('a message above the limit is refused, however small its compressed form', async () => {
  const [payload] = await deflated([Buffer.alloc(MIB + 1)])
  assert.ok(payload!.length < 2000)
  assert.throws(() => new MessageInflater(MIB, true).inflate([payload!]), { code: 'ERR_BUFFER_TOO_LARGE' })
  const [fits] = await deflated([Buffer.alloc(MIB)])
  assert.equal(new MessageInflater(MIB, true).inflate([fits!]).length, MIB)
})

test('invalid deflate data is refused', () => {
  assert.throws(() => new MessageInflater(MIB, true).inflate([Buffer.from('plain text')]), { code: 'Z_DATA_ERROR' })
})
