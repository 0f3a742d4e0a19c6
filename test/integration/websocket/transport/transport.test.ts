import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test, type TestContext } from 'node:test'
import { ConfigError, NotConnectedError } from '@tributary/connect-api'
import { fixture } from '../../../support/grpc-ticker.ts'
import { MessageDeflater, closeFrame, frame, OPCODE } from './raw-frames.ts'
import { OpenFeed, openFeed } from './open.ts'
import { type RawPeer, startRawServer } from './raw-server.ts'
import { until } from '../../../support/until.ts'

type Options = Parameters<typeof openFeed>[1]

const pem = (name: string): Buffer => readFileSync(fixture(`tls/${name}`))

/** An open connection, and the server's side of it. */
async function connected(
  t: TestContext,
  options: Options = {},
  secure = false,
): Promise<{ feed: OpenFeed; peer: RawPeer }> {
  const server = await startRawServer(undefined, secure ? { key: pem('server.key'), cert: pem('server.crt') } : null)
  t.after(() => server.stop())
  const url = `${secure ? 'wss' : 'ws'}://127.0.0.1:${server.port}/feed?token=abc`
  const feed = await openFeed(url, { compression: false, tls: { ca: pem('ca.crt') }, ...options })
  t.after(() => feed.connection.terminate())
  return { feed, peer: await server.peer(0) }
}

const texts = (from: number, to: number, length = 0): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `message ${from + i}`.padEnd(length, '.'))
const framesOf = (messages: readonly string[]): Buffer =>
  Buffer.concat(messages.map((text) => frame(OPCODE.text, text)))

/** No timer fires here: everything that the tests await is caused by the socket. */
const withoutTimers = (t: TestContext): void => t.mock.timers.enable({ apis: ['setTimeout'] })

describe('the end of a WebSocket connection', () => {
  test('is reported when the close frame arrives, although the server keeps TCP open', async (t) => {
    const { feed, peer } = await connected(t)
    withoutTimers(t)
    peer.send(framesOf(texts(1, 3)), closeFrame(4001, 'come back later'))
    const { code, reason, error } = await feed.ended()
    assert.deepEqual({ code, reason }, { code: 4001, reason: 'come back later' })
    assert.ok(error instanceof NotConnectedError)
    assert.match(error.message, /^ws:\/\/127\.0\.0\.1:\d+\/feed closed the connection with code 4001: come back later$/)
    assert.deepEqual(feed.texts, texts(1, 3))
    t.mock.timers.reset()
    assert.equal(await peer.closeCode(), 4001)
  })

  test('is reported when the server ends its side without a close frame, although it continues to read', async (t) => {
    const { feed, peer } = await connected(t)
    withoutTimers(t)
    peer.send(framesOf(texts(1, 3)))
    peer.socket.end()
    const { code, error } = await feed.ended()
    assert.equal(code, 1006)
    assert.match(error.message, /closed the connection without a close frame/)
    assert.deepEqual(feed.texts, texts(1, 3))
  })

  test('is reported when a server that reads nothing ends its side', async (t) => {
    const { feed, peer } = await connected(t)
    peer.socket.pause()
    for (let i = 0; i < 512; i++) feed.connection.send('.'.repeat(64 * 1024))
    withoutTimers(t)
    peer.socket.end(framesOf(texts(1, 3)))
    assert.equal((await feed.ended()).code, 1006)
    assert.deepEqual(feed.texts, texts(1, 3))
  })

  test('is reported with its cause when the connection is reset', async (t) => {
    const { feed, peer } = await connected(t)
    peer.send(framesOf(texts(1, 3)))
    await feed.received(3)
    peer.reset()
    const { code, error } = await feed.ended()
    assert.equal(code, 1006)
    assert.match(error.message, /broke \(1006\): .*ECONNRESET/)
  })

  test('follows a close of ours that the server never answers', async (t) => {
    const { feed, peer } = await connected(t)
    feed.connection.close(1000, 'Connector shutdown')
    assert.equal((await feed.ended()).code, 1006)
    assert.deepEqual(
      peer.framesOf(OPCODE.close).map(({ payload }) => payload.subarray(2).toString()),
      ['Connector shutdown'],
    )
  })

  test('follows all messages that the server sends before it answers our close', async (t) => {
    const { feed, peer } = await connected(t)
    feed.connection.close(1000, '')
    assert.equal(await peer.closeCode(), 1000)
    peer.send(framesOf(texts(1, 500)), closeFrame(1000))
    assert.equal((await feed.ended()).code, 1000)
    assert.deepEqual(feed.texts, texts(1, 500))
  })

  test('is not reported after terminate, and the server learns of the end', async (t) => {
    const { feed, peer } = await connected(t)
    feed.connection.terminate()
    await until('the server hears of the end', () => peer.ended)
    assert.deepEqual(feed.ends, [])
  })
})

/** More bytes than the buffers of both sockets hold, together with those that the client has read already. */
const MANY = texts(1, 3000, 1000)
/**
 * Bytes that the client's kernel receives at once, so that a reset cannot discard them. Node reads fewer bytes of a
 * paused socket.
 */
const WINDOWFUL = texts(1, 100, 1000)

for (const secure of [false, true]) {
  describe(`messages that arrived during a pause, ${secure ? 'with' : 'without'} TLS`, () => {
    const pausedBehind = async (t: TestContext): Promise<{ feed: OpenFeed; peer: RawPeer }> => {
      const both = await connected(t, {}, secure)
      both.feed.connection.pause()
      return both
    }
    const allThere = async (feed: OpenFeed, code: number, messages = MANY): Promise<void> => {
      feed.connection.resume()
      assert.equal((await feed.ended()).code, code)
      assert.equal(feed.messages.length, messages.length)
      assert.deepEqual(feed.texts, messages)
    }
    /** Waits until the kernel has taken everything. */
    const sent = (peer: RawPeer): Promise<unknown> => until('all is on its way', () => peer.socket.writableLength === 0)

    test('are delivered after the server closed properly', async (t) => {
      const { feed, peer } = await pausedBehind(t)
      peer.send(framesOf(MANY), closeFrame(1001))
      peer.socket.end()
      await allThere(feed, 1001)
    })

    test('are delivered after the server ended only TCP', async (t) => {
      const { feed, peer } = await pausedBehind(t)
      peer.send(framesOf(MANY))
      peer.socket.end()
      await allThere(feed, 1006)
    })

    test('are delivered after the server reset the connection', async (t) => {
      const { feed, peer } = await pausedBehind(t)
      peer.send(framesOf(WINDOWFUL))
      await sent(peer)
      peer.reset()
      await allThere(feed, 1006, WINDOWFUL)
    })

    test('are delivered although we wrote to the lost connection', async (t) => {
      const { feed, peer } = await pausedBehind(t)
      peer.send(framesOf(WINDOWFUL))
      await sent(peer)
      peer.reset()
      // The kernel accepts writes until the reset has arrived.
      for (let i = 0; i < 20; i++) {
        feed.connection.send('{"op":"ping"}')
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await allThere(feed, 1006, WINDOWFUL)
    })

    test('stay with the server, because they are not read', async (t) => {
      const { feed, peer } = await pausedBehind(t)
      // The kernel holds less than 64 MiB of a connection.
      for (let i = 0; i < 1024; i++) peer.send(frame(OPCODE.binary, Buffer.alloc(64 * 1024)))
      let waiting = 0
      await until('the server cannot write any more', () => {
        const before = waiting
        waiting = peer.socket.writableLength
        return waiting === before
      })
      assert.ok(waiting > 16 * 1024 * 1024)
      assert.ok(feed.messages.length <= 2)
      feed.connection.resume()
      await feed.received(1024)
    })
  })
}

describe('a message of a WebSocket server', () => {
  test('that is compressed and was not inflated when the server ended is delivered', async (t) => {
    const server = await startRawServer((peer) => peer.accept({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }))
    t.after(() => server.stop())
    const feed = await openFeed(`ws://127.0.0.1:${server.port}/`)
    const peer = await server.peer(0)
    feed.connection.pause()
    const deflater = new MessageDeflater({})
    const frames: Buffer[] = []
    for (const text of MANY) frames.push(frame(OPCODE.text, await deflater.deflate(Buffer.from(text)), { rsv: 4 }))
    peer.send(...frames)
    peer.socket.end()
    feed.connection.resume()
    assert.equal((await feed.ended()).code, 1006)
    assert.deepEqual(feed.texts, MANY)
  })

  test('that is compressed is not passed on during a pause, however much one read holds', async (t) => {
    const server = await startRawServer((peer) => peer.accept({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }))
    t.after(() => server.stop())
    const opened = new OpenFeed()
    const first = opened.received(1).then(() => opened.messages.length)
    opened.onMessage = () => opened.connection.pause()
    const feed = await openFeed(`ws://127.0.0.1:${server.port}/`, {}, t.signal, opened)
    const peer = await server.peer(0)
    const deflater = new MessageDeflater({})
    const frames: Buffer[] = []
    for (let i = 0; i < 100; i++) {
      frames.push(frame(OPCODE.binary, await deflater.deflate(Buffer.alloc(100_000, i)), { rsv: 4 }))
    }
    peer.send(...frames)
    assert.equal(await first, 1)
    for (let i = 2; i <= 10; i++) {
      feed.connection.resume()
      await feed.received(i)
      assert.equal(feed.messages.length, i)
    }
    peer.reset()
    assert.equal((await feed.ended()).code, 1006)
    assert.equal(feed.messages.length, 100, 'what was read comes before the end of the connection')
  })

  test('that arrives with the answer to the handshake waits for the code after the await', async (t) => {
    const server = await startRawServer((peer) => peer.accept({}, framesOf(texts(1, 5))))
    t.after(() => server.stop())
    const feed = await openFeed(`ws://127.0.0.1:${server.port}/`)
    assert.deepEqual(feed.texts, [])
    feed.connection.pause()
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.deepEqual(feed.texts, [])
    feed.connection.resume()
    await feed.received(5)
    assert.deepEqual(feed.texts, texts(1, 5))
    feed.connection.terminate()
  })

  test('above the limit ends the connection for good, after the messages before it', async (t) => {
    const { feed, peer } = await connected(t)
    peer.send(framesOf(texts(1, 3)), frame(OPCODE.binary, Buffer.alloc(64 * 1024 * 1024)))
    const { code, error } = await feed.ended()
    assert.equal(code, 1009)
    assert.ok(error instanceof ConfigError)
    assert.equal(error.field, 'websocket.max.message.bytes')
    assert.match(error.message, /sent a message larger than websocket\.max\.message\.bytes/)
    assert.equal(await peer.closeCode(), 1009)
    assert.deepEqual(feed.texts, texts(1, 3))
  })

  test('above the limit only when inflated ends the connection too', async (t) => {
    const server = await startRawServer((peer) => peer.accept({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }))
    t.after(() => server.stop())
    const feed = await openFeed(`ws://127.0.0.1:${server.port}/`, { maxMessageBytes: 1_000_000 })
    const peer = await server.peer(0)
    const deflated = await new MessageDeflater({}).deflate(Buffer.alloc(2_000_000, 'a'))
    assert.ok(deflated.length < 10_000)
    peer.send(frame(OPCODE.text, deflated, { rsv: 4 }))
    const { code, error } = await feed.ended()
    assert.equal(code, 1009)
    assert.equal(error.kind, 'config')
    assert.equal(await peer.closeCode(), 1009)
  })

  test('that cannot be inflated ends the connection, and a reconnect follows', async (t) => {
    const server = await startRawServer((peer) => peer.accept({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }))
    t.after(() => server.stop())
    const feed = await openFeed(`ws://127.0.0.1:${server.port}/`)
    const peer = await server.peer(0)
    peer.send(framesOf(texts(1, 2)), frame(OPCODE.text, 'not deflated', { rsv: 4 }), framesOf(texts(3, 3)))
    const { code, error } = await feed.ended()
    assert.equal(code, 1007)
    assert.equal(error.kind, 'retriable')
    assert.equal(await peer.closeCode(), 1007)
    assert.deepEqual(feed.texts, texts(1, 2))
  })

  test('that is not UTF-8 ends the connection, or is delivered with its bytes without validation', async (t) => {
    const bad = Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex')
    const strict = await connected(t)
    strict.peer.send(framesOf(texts(1, 1)), frame(OPCODE.text, bad), framesOf(texts(2, 2)))
    const { code, error } = await strict.feed.ended()
    assert.equal(code, 1007)
    assert.equal(error.kind, 'retriable')
    assert.deepEqual(strict.feed.texts, texts(1, 1))
    const lenient = await connected(t, { utf8Validation: false })
    lenient.peer.send(frame(OPCODE.text, bad), framesOf(texts(2, 2)))
    await lenient.feed.received(2)
    assert.deepEqual(lenient.feed.messages, [bad, Buffer.from('message 2')])
    assert.deepEqual(lenient.feed.binary, [false, false])
  })

  test('with a mask, as only clients may send, is a protocol error', async (t) => {
    const { feed, peer } = await connected(t)
    peer.send(frame(OPCODE.text, 'masked', { masked: true }))
    assert.equal((await feed.ended()).code, 1002)
    assert.equal(await peer.closeCode(), 1002)
  })
})

describe('pings', () => {
  test('of a server are answered and reported in order, however many arrive at once', async (t) => {
    const { feed, peer } = await connected(t)
    const names = Array.from({ length: 250 }, (_, i) => `ping ${i}`)
    peer.send(...names.map((name) => frame(OPCODE.ping, name)), framesOf(texts(1, 1)))
    await until('all are answered', () => peer.framesOf(OPCODE.pong).length === names.length)
    assert.deepEqual(
      peer.framesOf(OPCODE.pong).map(({ payload }) => payload.toString()),
      names,
    )
    assert.deepEqual(feed.pings, names)
  })

  test('beyond the limit of pending answers are answered by the latest pong', async (t) => {
    const { feed, peer } = await connected(t)
    const count = 20_000
    peer.send(...Array.from({ length: count }, (_, i) => frame(OPCODE.ping, String(i))), framesOf(texts(1, 1)))
    await feed.received(1)
    assert.equal(feed.pings.length, count)
    await until('the last one is answered', () => peer.framesOf(OPCODE.pong).at(-1)?.payload.toString() === '19999')
    assert.deepEqual(feed.ends, [])
  })

  test('of ours are sent, and the pong is reported', async (t) => {
    const { feed, peer } = await connected(t)
    feed.connection.ping('are you there')
    await until('the ping', () => peer.framesOf(OPCODE.ping).length === 1)
    assert.equal(peer.framesOf(OPCODE.ping)[0]!.payload.toString(), 'are you there')
    peer.send(frame(OPCODE.pong, 'are you there'))
    await until('the pong', () => feed.pongs.length === 1)
    assert.deepEqual(feed.pongs, ['are you there'])
  })
})
