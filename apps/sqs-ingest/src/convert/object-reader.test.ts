import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { S3Client } from '@aws-sdk/client-s3'
import { S3Server } from '../../test/s3-server.ts'
import { ObjectReader } from './object-reader.ts'

const NEVER = new AbortController().signal
const MAX = 1_000_000

describe('an object of S3', () => {
  const server = new S3Server()
  let client: S3Client
  before(async () => {
    client = await server.start()
  })
  after(() => {
    client.destroy()
    server.stop()
  })
  const readerOf = (objectMs = 30_000): ObjectReader => new ObjectReader(() => Promise.resolve(client), MAX, objectMs)
  const read = (key: string, reader = readerOf(), signal = NEVER): Promise<Buffer> =>
    reader.read({ bucket: 'b', key }, signal)

  test('is read up to the limit', async () => {
    for (const size of [0, 1, MAX]) {
      server.objects.set('b/sized', { body: Buffer.alloc(size, 7) })
      assert.deepEqual(await read('sized'), Buffer.alloc(size, 7))
    }
  })

  test('over the limit is refused before it is read', async () => {
    server.objects.set('b/large', { body: Buffer.alloc(MAX + 1) })
    const message = 's3://b/large has 1000001 bytes; message.claimcheck.max.bytes allows 1000000'
    await assert.rejects(read('large'), { code: 'SQS_CLAIM_CHECK', kind: 'data', message })
  })

  test('without a length is refused while it is read', async () => {
    server.objects.set('b/endless', { body: '', fault: 'endless' })
    await assert.rejects(read('endless'), {
      code: 'SQS_CLAIM_CHECK',
      kind: 'data',
      message: /more bytes than it announced/,
    })
    assert.ok(server.endlessBytes < 16 * MAX, `${server.endlessBytes} bytes were sent`)
  })

  test('that is refused gives its connection back', async () => {
    server.objects.set('b/large', { body: Buffer.alloc(8 * MAX) })
    for (let i = 0; i < 20; i++) await assert.rejects(read('large'), { code: 'SQS_CLAIM_CHECK' })
    assert.ok((await server.connections()) < 5, `${await server.connections()} connections are open`)
  })

  test('that is gone, archived or forbidden is a bad message', async () => {
    for (const error of [
      ['NoSuchKey', 404],
      ['NoSuchVersion', 404],
      ['NoSuchBucket', 404],
      ['MethodNotAllowed', 405],
      ['InvalidObjectState', 403],
      ['AccessDenied', 403],
    ] as const) {
      server.objects.set('b/bad', { body: '', error })
      const message = new RegExp(`^Failed to read the object s3://b/bad: .*${error[0]} of the test`)
      await assert.rejects(read('bad'), { code: 'SQS_OBJECT', kind: 'data', message })
    }
  })

  test('that S3 cannot deliver now is tried again', async () => {
    for (const error of [
      ['SlowDown', 503],
      ['InternalError', 500],
      ['RequestTimeout', 400],
    ] as const) {
      server.objects.set('b/later', { body: '', error })
      await assert.rejects(read('later'), { kind: 'retriable' }, error[0])
    }
    const gone = new ObjectReader(() => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })), MAX)
    await assert.rejects(gone.read({ bucket: 'b', key: 'k' }, NEVER), { kind: 'retriable' })
  })

  test('behind credentials that are wrong fails the task', async () => {
    for (const error of [
      ['InvalidAccessKeyId', 403],
      ['SignatureDoesNotMatch', 403],
      ['ExpiredToken', 400],
      ['PermanentRedirect', 301],
    ] as const) {
      server.objects.set('b/refused', { body: '', error })
      await assert.rejects(read('refused'), { kind: 'config' }, error[0])
    }
  })

  test('ten in a row that are forbidden, however often each is tried, mean that the role lacks the permission', async () => {
    for (let i = 0; i < 10; i++) server.objects.set(`b/forbidden${i}`, { body: '', error: ['AccessDenied', 403] })
    server.objects.set('b/good', { body: 'good' })
    const reader = readerOf()
    const refused = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await assert.rejects(read(`forbidden${i}`, reader), { kind: 'data' })
    }
    await refused(9)
    await read('good', reader)
    for (let tries = 0; tries < 3; tries++) await refused(9)
    await assert.rejects(read('forbidden9', reader), {
      code: 'SQS_DENIED',
      kind: 'config',
      message: /^S3 refused 10 objects in a row, the last one s3:\/\/b\/forbidden9: grant s3:GetObject/,
    })
  })

  test('that ends early is tried again', async () => {
    server.objects.set('b/cut', { body: Buffer.alloc(100_000), fault: 'cut' })
    await assert.rejects(read('cut'), { kind: 'retriable' })
  })

  test('that takes too long is tried again', async () => {
    server.objects.set('b/stalled', { body: 'half', fault: 'stall' })
    await assert.rejects(read('stalled', readerOf(50)), {
      code: 'SQS_OBJECT_INCOMPLETE',
      kind: 'retriable',
      message: 'S3 did not deliver s3://b/stalled within 50 ms; the message is tried again',
    })
  })

  test('is given up when the task stops', async () => {
    server.objects.set('b/stalled', { body: 'half', fault: 'stall' })
    const stopped = new AbortController()
    const reading = read('stalled', readerOf(), stopped.signal)
    setTimeout(() => stopped.abort(new Error('stopped')), 50)
    await assert.rejects(reading, { message: 'stopped' })
  })
})
