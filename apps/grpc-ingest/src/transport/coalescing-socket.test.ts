import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as net from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { describe, test, type TestContext } from 'node:test'
import { CoalescingSocket, SocketReads } from './coalescing-socket.ts'

/** A PING frame, which is not joined with others. */
const ping = (fill: number): Buffer => Buffer.concat([Buffer.of(0, 0, 8, 6, 0, 0, 0, 0, 0), Buffer.alloc(8, fill)])

interface Rig {
  readonly server: net.Socket
  readonly client: net.Socket
  readonly reads: SocketReads
}

async function connected(t: TestContext): Promise<Rig> {
  const listener = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const reads = new SocketReads()
  const { port } = listener.address() as net.AddressInfo
  const client = net.connect({ port, host: '127.0.0.1', onread: reads.onread })
  const [[server]] = (await Promise.all([once(listener, 'connection'), once(client, 'connect')])) as [[net.Socket], []]
  t.after(() => {
    client.destroy()
    server.destroy()
    listener.close()
  })
  return { server, client, reads }
}

async function untilRead(socket: net.Socket, bytes: number): Promise<void> {
  while (socket.bytesRead < bytes) await setImmediate()
}

describe('what a socket reads', () => {
  test('waits for HTTP/2, and no other socket overwrites it', async (t) => {
    const [one, other] = [await connected(t), await connected(t)]
    const [duplex, otherDuplex] = [one, other].map(({ client, reads }) => new CoalescingSocket(client, reads).pause())
    for (let i = 1; i <= 3; i++) {
      one.server.write(ping(i))
      await untilRead(one.client, 17 * i)
      other.server.write(ping(100 + i))
      await untilRead(other.client, 17 * i)
    }
    one.server.end()
    other.server.end()
    assert.deepEqual(await buffer(duplex!), Buffer.concat([1, 2, 3].map(ping)))
    assert.deepEqual(await buffer(otherDuplex!), Buffer.concat([101, 102, 103].map(ping)))
  })

  test('before HTTP/2 has the socket is not lost', async (t) => {
    const { server, client, reads } = await connected(t)
    server.write(ping(1))
    await untilRead(client, 17)
    server.end(ping(2))
    await untilRead(client, 34)
    const duplex = new CoalescingSocket(client, reads)
    assert.deepEqual(await buffer(duplex), Buffer.concat([1, 2].map(ping)))
  })

  test('stops while HTTP/2 reads nothing', async (t) => {
    const { server, client, reads } = await connected(t)
    const duplex = new CoalescingSocket(client, reads).pause()
    const sent = Buffer.alloc(17 * 200_000, ping(1))
    server.end(sent)
    while (duplex.readableLength < duplex.readableHighWaterMark) await setImmediate()
    for (let i = 0; i < 100; i++) await setImmediate()
    assert.ok(duplex.readableLength < 512 * 1024, `${duplex.readableLength} bytes are held`)
    assert.ok(sent.equals(await buffer(duplex)))
  })

  test('is read to its end when the socket fails', async (t) => {
    const { server, client, reads } = await connected(t)
    const duplex = new CoalescingSocket(client, reads).pause()
    const failed = once(duplex, 'error')
    server.write(ping(1))
    await untilRead(client, 17)
    client.destroy(new Error('gone'))
    // `once` would reject with the error.
    await new Promise((resolve) => client.once('close', resolve))
    const chunks: Buffer[] = []
    duplex.on('data', (chunk: Buffer) => chunks.push(chunk)).resume()
    assert.deepEqual(((await failed) as [Error])[0].message, 'gone')
    assert.deepEqual(Buffer.concat(chunks), ping(1))
  })
})
