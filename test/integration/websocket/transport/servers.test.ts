import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { endsOf, feedProps, openFeed } from './open.ts'
import { type OtherServer, startGoServer, startPythonServer, startWsServer } from './other-servers.ts'

const COUNT = process.env['TRIBUTARY_TEST_LONG'] === '1' ? 20_000 : 1000

/** The messages of `/feed` and `/cut`. */
const FEED = Array.from(
  { length: COUNT },
  (_, i) => `message ${i + 1}` + ((i + 1) % 100 === 0 ? '.'.repeat(100_000) : ''),
)
const IS_BINARY = FEED.map((_, i) => (i + 1) % 10 === 0 && (i + 1) % 100 !== 0)

for (const [name, start] of [
  ['Python websockets', startPythonServer],
  ['Go gorilla/websocket', startGoServer],
  ['the ws package', startWsServer],
] as const) {
  describe(`a server of ${name}`, () => {
    let server: OtherServer
    before(async () => {
      server = await start()
    })
    after(() => server.stop())
    const url = (path: string): string => `ws://127.0.0.1:${server.port}${path}`

    for (const compression of [false, true]) {
      test(`is read to its close frame, ${compression ? 'compressed' : 'plain'}`, async () => {
        const feed = await openFeed(url(`/feed?count=${COUNT}`), { compression })
        const { code, reason } = await feed.ended()
        assert.deepEqual({ code, reason }, { code: 4000, reason: 'that was all' })
        assert.deepEqual(feed.texts, FEED)
        assert.deepEqual(feed.binary, IS_BINARY)
      })
    }

    test('is read to the last byte when it ends without a close frame', async () => {
      const feed = await openFeed(url(`/cut?count=${COUNT}`), { compression: false })
      feed.connection.pause()
      await new Promise(setImmediate)
      feed.connection.resume()
      assert.equal((await feed.ended()).code, 1006)
      assert.deepEqual(feed.texts, FEED)
    })

    test('gets the configured subprotocols, headers and query', async () => {
      const feed = await openFeed(url('/request?token=a%20b'), {
        subprotocols: ['feed.v9', 'feed.v1'],
        headers: { 'X-Key': 'k1', Authorization: 'Bearer t1' },
      })
      await feed.received(1)
      assert.equal(feed.connection.subprotocol, 'feed.v1')
      const { query, headers } = JSON.parse(feed.texts[0]!) as { query: string; headers: Record<string, string[]> }
      assert.equal(query, 'token=a%20b')
      assert.deepEqual(headers['X-Key'], ['k1'])
      assert.deepEqual(headers['Authorization'], ['Bearer t1'])
      feed.connection.terminate()
    })

    test('may choose no subprotocol', async () => {
      const feed = await openFeed(url('/echo'), { subprotocols: ['feed.v9'] })
      assert.equal(feed.connection.subprotocol, '')
      feed.connection.terminate()
    })

    test('gets answers to its pings', async () => {
      const feed = await openFeed(url('/ping'))
      await feed.ended()
      assert.deepEqual(feed.pings, ['a', 'b', 'c'])
      assert.deepEqual(feed.texts, ['a,b,c'])
    })

    test('answers our ping, our message and our close', async () => {
      const feed = await openFeed(url('/echo'))
      feed.connection.ping('now')
      feed.connection.send('{"op":"subscribe","channel":"ü"}')
      await feed.received(1)
      assert.deepEqual(feed.pongs, ['now'])
      assert.deepEqual(feed.texts, ['{"op":"subscribe","channel":"ü"}'])
      feed.connection.close(1000, 'done')
      assert.equal((await feed.ended()).code, 1000)
    })

    test('denies by a close code that comes before anything else, and only then', async () => {
      for (const code of [1008, 4401]) {
        const denied = await endsOf(feedProps(url(`/close?code=${code}`)), 3)
        assert.deepEqual(denied, ['WEBSOCKET_CLOSED', 'WEBSOCKET_CLOSED', 'WEBSOCKET_DENIED'])
        const subscription = { 'websocket.subscription.1.message': 's', 'websocket.subscription.1.ack.match': 'ok' }
        const limited = await endsOf(feedProps(url(`/close?code=${code}&reply=1`), subscription), 4)
        assert.deepEqual(limited, Array(4).fill('WEBSOCKET_CLOSED'))
      }
      const stopped = await endsOf(feedProps(url('/close?code=4014'), { 'websocket.reconnect.stop.codes': '4014' }), 1)
      assert.deepEqual(stopped, ['WEBSOCKET_DENIED'])
    })

    test('has a message that comes after its close frame reported as not sent', async () => {
      const feed = await openFeed(url('/close?code=4000'))
      await feed.ended()
      const error = await new Promise<Error>((resolve) => feed.connection.send('late', resolve))
      assert.match(error.message, /not open/)
    })

    test('has its refusal reported', async () => {
      await assert.rejects(openFeed(url('/deny')), /answered the handshake with 401 Unauthorized$/)
    })
  })
}
