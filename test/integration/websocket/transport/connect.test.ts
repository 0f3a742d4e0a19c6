import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as net from 'node:net'
import { inspect } from 'node:util'
import { describe, test, type TestContext } from 'node:test'
import { NotConnectedError } from '@tributary/connect-api'
import { dialerOf, feedProps, OpenFeed, openFeed } from './open.ts'
import { type RawPeer, type RawServer, startRawServer } from './raw-server.ts'
import { until } from '../../../support/until.ts'

async function served(t: TestContext, serve: (peer: RawPeer) => void): Promise<RawServer & { url: string }> {
  const server = await startRawServer(serve)
  t.after(() => server.stop())
  return { ...server, url: `ws://127.0.0.1:${server.port}/feed` }
}

/** Opens a connection, which the test terminates at its end. */
async function opens(t: TestContext, ...args: Parameters<typeof openFeed>): Promise<OpenFeed> {
  const feed = await openFeed(...args)
  t.after(() => feed.connection.terminate())
  return feed
}

function refused(error: unknown, code: string, message: RegExp): true {
  assert.ok(error instanceof NotConnectedError)
  assert.equal(error.code, code)
  assert.match(error.message, message)
  return true
}

describe('the handshake of a WebSocket connection', () => {
  test('reports an answer other than 101, without the query of the URL, and the body in the log at debug alone', async (t) => {
    const { url } = await served(t, (peer) =>
      peer.refuse('503 Service Unavailable', {}, '{"error":"too\n many","Token":"IMDS"}\n'),
    )
    await assert.rejects(openFeed(`${url}?token=abc`), (error) =>
      refused(
        error,
        'WEBSOCKET_HANDSHAKE',
        /^Cannot connect to ws:\/\/127\.0\.0\.1:\d+\/feed: The server answered the handshake with 503 Service Unavailable$/,
      ),
    )
    const dialer = await dialerOf(feedProps(url))
    const error: unknown = await dialer.open().catch((e: unknown) => e)
    assert.doesNotMatch(inspect(error, { depth: 9 }), /too|IMDS/)
    assert.deepEqual(dialer.log, [
      {
        level: 'debug',
        event: 'handshake_refused',
        fields: { status: 503, body: '{"error":"too many","Token":"[hidden]"}' },
      },
    ])
  })

  test('does not wait for the end of a refusal that never ends', async (t) => {
    const { url } = await served(t, (peer) => {
      peer.socket.write('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n')
    })
    await assert.rejects(openFeed(url), (error) => refused(error, 'WEBSOCKET_HANDSHAKE', /403 Forbidden$/))
  })

  test('reports a server that speaks another protocol', async (t) => {
    const { url } = await served(t, (peer) => peer.socket.end('220 mail.example.com ESMTP\r\n'))
    await assert.rejects(openFeed(url), (error) => refused(error, 'WEBSOCKET_CONNECT', /Expected HTTP/))
  })

  test('refuses a server whose answer does not match the key', async (t) => {
    const { url } = await served(t, (peer) => peer.accept({ 'Sec-WebSocket-Accept': 'AAAA' }))
    await assert.rejects(openFeed(url), (error) => refused(error, 'WEBSOCKET_CONNECT', /Sec-WebSocket-Accept/))
  })

  test('reports a port on which nobody listens', async (t) => {
    const { url, stop } = await startedAndStopped(t)
    await stop()
    await assert.rejects(openFeed(url), (error) => refused(error, 'WEBSOCKET_CONNECT', /ECONNREFUSED/))
  })

  test('ends after the connection timeout if the server does not answer', async (t) => {
    const server = await served(t, () => {})
    await assert.rejects(openFeed(server.url, { timeoutMs: 200 }), (error) =>
      refused(error, 'WEBSOCKET_CONNECT', /no connection within 200 ms/),
    )
    await until('the connection is gone', () => server.peers[0]!.ended)
  })

  test('ends when its signal aborts, with the reason', async (t) => {
    const server = await served(t, () => {})
    const stop = new AbortController()
    const opening = openFeed(server.url, {}, stop.signal)
    await server.peer(0)
    const reason = new Error('the task stops')
    stop.abort(reason)
    await assert.rejects(opening, reason)
    await until('the connection is gone', () => server.peers[0]!.ended)
    await assert.rejects(openFeed(server.url, {}, stop.signal), reason)
  })

  test('offers subprotocols; the server may choose one of them or none, and nothing else', async (t) => {
    const answers = ['feed.v1', '', 'feed.v3']
    const server = await served(t, (peer) => {
      const chosen = answers.shift()!
      peer.accept(chosen === '' ? {} : { 'Sec-WebSocket-Protocol': chosen })
    })
    const subprotocols = ['feed.v2', 'feed.v1']
    assert.equal((await opens(t, server.url, { subprotocols })).connection.subprotocol, 'feed.v1')
    assert.equal((await opens(t, server.url, { subprotocols })).connection.subprotocol, '')
    const never = new OpenFeed()
    await assert.rejects(openFeed(server.url, { subprotocols }, new AbortController().signal, never), (error) =>
      refused(error, 'WEBSOCKET_CONNECT', /chose the subprotocol "feed\.v3"/),
    )
    await until('the connection is gone', () => server.peers[2]!.ended)
    assert.deepEqual(never.ends, [], 'a connection that never was has no end')
    assert.equal(server.peers[0]!.headers['sec-websocket-protocol'], 'feed.v2, feed.v1')
  })

  test('offers compression only when it is enabled', async (t) => {
    const server = await served(t, (peer) => peer.accept())
    await opens(t, server.url, { compression: false })
    await opens(t, server.url, { compression: true })
    const offers = server.peers.map((peer) => peer.headers['sec-websocket-extensions'])
    assert.deepEqual(offers, [undefined, 'permessage-deflate; client_max_window_bits'])
  })
})

describe('a redirect of the handshake', () => {
  const HEADERS = { authorization: 'Bearer abc', 'x-key': '1' }

  test('is followed with the headers to the same server', async (t) => {
    const server = await served(t, (peer) => {
      if (peer.path === '/feed') peer.refuse('307 Temporary Redirect', { Location: '/v2?part=1' })
      else peer.accept()
    })
    await opens(t, server.url, { headers: HEADERS })
    const last = server.peers.at(-1)!
    assert.equal(last.path, '/v2?part=1')
    assert.equal(last.headers['x-key'], '1')
    assert.equal(last.headers['authorization'], 'Bearer abc')
  })

  test('sends no headers to another server', async (t) => {
    const other = await served(t, (peer) => peer.accept())
    const server = await served(t, (peer) => peer.refuse('302 Found', { Location: other.url.replace('ws:', 'http:') }))
    await opens(t, server.url, { headers: HEADERS })
    const { headers } = other.peers[0]!
    assert.equal(headers['authorization'], undefined)
    assert.equal(headers['x-key'], undefined)
  })

  test('sends a subprotocol to another server, but no subprotocol that may be a token', async (t) => {
    const other = await served(t, (peer) => peer.accept())
    const server = await served(t, (peer) => peer.refuse('302 Found', { Location: other.url }))
    for (const subprotocolsMayBeSecret of [false, true]) {
      await opens(t, server.url, { subprotocols: ['feed.v1'], subprotocolsMayBeSecret })
    }
    const offered = (peers: typeof server.peers): unknown[] =>
      peers.map((peer) => peer.headers['sec-websocket-protocol'])
    assert.deepEqual(
      [offered(server.peers), offered(other.peers)],
      [
        ['feed.v1', 'feed.v1'],
        ['feed.v1', undefined],
      ],
    )
  })

  test('is not followed more than five times, nor when switched off, nor to a URL other than ws: or wss:', async (t) => {
    let to = '/feed'
    const server = await served(t, (peer) => peer.refuse('301 Moved Permanently', { Location: to }))
    const isRefused = (error: unknown): true => refused(error, 'WEBSOCKET_HANDSHAKE', /301 Moved Permanently/)
    const loop = /Cannot connect to (\S+): the server redirects in a circle: \1 → \1; the last: .*301 Moved Permanently/
    await assert.rejects(openFeed(server.url), (error) => refused(error, 'WEBSOCKET_HANDSHAKE', loop))
    assert.equal(server.peers.length, 1)
    let part = 0
    const chain = await served(t, (peer) => peer.refuse('302 Found', { Location: `/v${++part}?token=x` }))
    const many = /the server redirects more than 5 times: (\S+) → \1\S*\/v1 → [^?]*\/v5; the last: .*302 Found$/
    await assert.rejects(openFeed(chain.url.replace('/feed', '')), (error) =>
      refused(error, 'WEBSOCKET_HANDSHAKE', many),
    )
    assert.equal(chain.peers.length, 6)
    to = '/other'
    await assert.rejects(openFeed(server.url), isRefused)
    assert.equal(server.peers.length, 3)
    await assert.rejects(openFeed(server.url, { followRedirects: false }), isRefused)
    assert.equal(server.peers.length, 4)
    to = 'ftp://127.0.0.1/'
    await assert.rejects(openFeed(server.url), isRefused)
    assert.equal(server.peers.length, 5)
  })
})

/** A port that was free a moment ago. */
async function startedAndStopped(t: TestContext): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const stop = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  t.after(stop)
  return { url: `ws://127.0.0.1:${port}/feed`, stop }
}
